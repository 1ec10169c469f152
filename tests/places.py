"""Places to run from that are not this checkout: a clone, and an environment with nothing but what a requirements file names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def requirements(path: Path) -> list[Requirement]:
    """What a requirements file names itself; files that it includes are left out."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def clone(to: Path) -> Path:
    """The files that git tracks, and those that it would take, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    return to


def bare_environment(to: Path, wanted: list[Requirement]) -> Path:
    """The interpreter of a new environment that holds the distributions wanted, and what those need, as installed here."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(to)], check=True)
    site = next((to / "lib").glob("python*/site-packages"))
    for needed in _closure(wanted):
        for top in {Path(str(file)).parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            link, target = site / top, Path(str(needed.locate_file(top)))
            if not link.is_symlink() and target.exists():
                link.symlink_to(target)
    return to / "bin" / "python"


def surroundings(**more: str) -> dict[str, str]:
    """The environment variables of a process that is to know nothing of this checkout."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCRATCHPAD_", "PYTEST_"))}
    return own | {"PYTHONDONTWRITEBYTECODE": "1"} | more


def _closure(wanted: list[Requirement]) -> list[Distribution]:
    """The distributions that are wanted and all that they need, with the extras that are asked for."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    left = list(wanted)
    while left:
        requirement = left.pop()
        name, extras = re.sub(r"[-_.]+", "-", requirement.name).lower(), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(requirement.name)
        except PackageNotFoundError:  # an accelerator's libraries, where torch's build does without
            continue
        for each in map(Requirement, found[name].requires or ()):
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                left.append(each)
    return list(found.values())
