"""The app as a Space runs it: `pip install -r requirements.txt`, `python app.py`, nothing else, from another folder.

The clone isn't installed, so no distribution is named visual-scratchpad; the environment holds what requirements.txt names and
needs, so what only tests and docs need isn't there.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from scratchpad.workbench import DEFAULT_MODEL
from tests.blocks import blocks
from tests.places import ROOT, bare_environment, clone, requirements, surroundings
from tests.ui.conftest import free_port


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare_environment(tmp_path_factory.mktemp("environment"), requirements(ROOT / "requirements.txt"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def space(python: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `python /elsewhere/app.py`, run from a folder that isn't the clone."""
    app, port = clone(tmp_path_factory.mktemp("clone")) / "app.py", free_port()
    environment = surroundings(SPACE_ID="someone/scratchpad", GRADIO_SERVER_PORT=str(port), SCRATCHPAD_STORE=str(store))
    environment.pop("GRADIO_SERVER_NAME", None)
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([str(python), str(app)], cwd=tmp_path_factory.mktemp("elsewhere"), env=environment) as server:
        try:
            for _ in range(600):
                assert server.poll() is None, f"app.py stopped with {server.returncode}"
                try:
                    urllib.request.urlopen(url, timeout=2)
                    break
                except OSError:
                    time.sleep(0.2)
            yield url
        finally:
            server.terminate()


def test_nothing_is_installed_but_the_requirements(python: Path, tmp_path: Path) -> None:
    code = """
import importlib.metadata as m, importlib.util as u
assert u.find_spec("scratchpad") is None and u.find_spec("pytest") is None and u.find_spec("gradio") is not None
try: print(m.version("visual-scratchpad"))
except m.PackageNotFoundError: print("not installed")
"""
    done = subprocess.run([str(python), "-c", code], cwd=tmp_path, env=surroundings(), capture_output=True, text=True)
    assert done.stdout == "not installed\n", done.stderr


def test_a_space_keeps_a_case(space: str, store: Path) -> None:
    config = json.load(urllib.request.urlopen(f"{space}/config"))
    asked = next(each["props"]["value"] for each in config["components"] if each["props"].get("elem_id") == "sp-asked")
    key = json.loads(asked[asked.index("{") :])["key"]  # of the question that every page opens on
    about = {"do": "keep", "key": key, "title": "Kept on a Space", "notes": "", "tests": [], "ticket": "1"}
    kept = json.loads(event(space, config, "keep", [asked], about)[-1])
    assert "error" not in kept, kept
    assert kept["delete_key"]
    assert list(store.rglob(f"{kept['id']}.case"))
    opened: Any = Client(space, verbose=False).predict(kept["id"], api_name="/case_open")
    assert opened["title"] == "Kept on a Space"
    assert opened["analysis"]["model"]["name"] == DEFAULT_MODEL.name
    assert opened["analysis"]["run"]["tokens"]


def test_the_docs_show_how_a_program_asks(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = [block for block in blocks(ROOT / "docs" / "sharing.md") if "gradio_client" in block.text]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(shown.text.replace("http://127.0.0.1:7860", space), "sharing.md", "exec"), {})
    assert "octopus" in capsys.readouterr().out


def event(space: str, config: dict[str, Any], name: str, data: list[Any], about: dict[str, Any]) -> list[Any]:
    """What an event of the page returns at last, sent as the page's own scripts send it; such events are private, no client's."""
    number = next(each["id"] for each in config["dependencies"] if each["api_name"] == name)
    session = uuid.uuid4().hex
    body = {"fn_index": number, "data": data, "event_data": about, "session_hash": session}
    sent = urllib.request.Request(f"{space}/gradio_api/queue/join", json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(sent).close()
    with urllib.request.urlopen(f"{space}/gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream:
            message = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
            if message.get("msg") == "process_completed":
                assert message["success"], message
                return list(message["output"]["data"])
    raise AssertionError(f"the page's event {name} ended with no answer")
