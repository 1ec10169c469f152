"""One place holds the version; the library's bounds and the pins name the same packages; a wheel says where the demo is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import scratchpad
from tests.helpers import sentences
from tests.places import ROOT, clone, requirements, surroundings

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = {pin.name: pin for pin in requirements(ROOT / "requirements.txt")}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-docs.txt", "requirements-ray.txt"])
def test_requirements_files_pin_exactly(name: str) -> None:
    pins = requirements(ROOT / name)
    assert pins
    assert all([part.operator for part in pin.specifier] == ["=="] for pin in pins), pins


def test_the_library_and_the_pins_name_the_same_packages() -> None:
    bounds = {bound.name: bound for bound in map(Requirement, PROJECT["dependencies"])}
    assert set(bounds) == set(PINS)
    for name, bound in bounds.items():
        assert any(part.operator == ">=" for part in bound.specifier), f"{bound} has no lower bound"
        assert not any(part.operator == "==" for part in bound.specifier), f"{bound}: a library doesn't pin"
        pinned = next(iter(PINS[name].specifier)).version
        assert pinned in bound.specifier, f"{name}=={pinned} isn't within {bound.specifier}"


def test_one_place_holds_the_version() -> None:
    version = re.escape(scratchpad.__version__)
    assert "version" in PROJECT["dynamic"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == scratchpad.__version__
    assert re.search(rf"^## \[{version}\] - \d{{4}}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    asks = [path for path in (ROOT / "scratchpad").rglob("*.py") if "importlib.metadata" in path.read_text()]
    assert not asks, "a Space installs no distribution whose version could be asked for"


def test_the_space_runs_the_gradio_that_is_pinned() -> None:
    front = yaml.safe_load((ROOT / "README.md").read_text().split("---\n")[1])
    assert f"=={front['sdk_version']}" == str(PINS["gradio"].specifier)
    assert (ROOT / front["app_file"]).is_file()
    assert front["python_version"] in ("3.11", "3.12")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree, unpacked."""
    source, built = clone(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "pip", "wheel", str(source), "--no-deps", "--no-build-isolation", "--quiet", "-w", str(built)]
    subprocess.run(command, check=True, env=surroundings())
    (archive,) = built.glob("*.whl")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(built / "unpacked")
    return built / "unpacked"


def test_a_wheel_is_the_library_alone(wheel: Path) -> None:
    tracked = {path.relative_to(ROOT) for path in (ROOT / "scratchpad" / "ui" / "static").rglob("*") if path.is_file()}
    assert {path.name for path in wheel.iterdir()} == {"scratchpad", f"visual_scratchpad-{scratchpad.__version__}.dist-info"}
    assert tracked <= {path.relative_to(wheel) for path in wheel.rglob("*")}, "the page needs all of its files"
    assert not list(wheel.rglob("*.safetensors"))


DOORS = """
import contextlib, io, json, sys, scratchpad
from scratchpad.cli import main
done = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    done.append([code, out.getvalue(), err.getvalue()])
print(json.dumps({"from": scratchpad.__file__, "done": done}))
"""


def test_a_wheel_says_where_the_demo_is_at_every_door_and_opens_cases_without(wheel: Path, scene_path: Path, tmp_path: Path) -> None:
    case = next((ROOT / "examples" / "cases").glob("*.case"))
    lacking = [["analyze", str(scene_path), "hi"], ["serve"], ["needle", "--out", "out"], ["latents", "--image", str(scene_path)]]
    ran = subprocess.run(
        [sys.executable, "-c", DOORS, json.dumps([*lacking, ["case", "show", str(case)]])],
        cwd=tmp_path,
        env=surroundings(PYTHONPATH=str(wheel)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    value = json.loads(ran.stdout)
    assert value["from"].startswith(str(wheel)), "another tree was run"
    *refused, shown = value["done"]
    for arguments, (code, out, err) in zip(lacking, refused, strict=True):
        assert (code, out) == (2, ""), (arguments, err)
        assert len(sentences(err)) == 1, (arguments, err)
        assert "--model" in err, arguments
        assert "examples/" in err, arguments
    assert shown[0] == 0, shown
    assert case.stem in shown[1]
