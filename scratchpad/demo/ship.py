"""A trained model put where it ships, with what was measured of it and its card: whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from scratchpad.files import replace_folder

M = TypeVar("M", bound=Mapping[str, object])


def ship(model: Path, out: Path, evaluate: Callable[[Path], M], card: Callable[[M], str], say: Callable[[str], None] = print) -> None:
    """Copies `model` to `out`, evaluates the copy, and writes evaluation.json and README.md beside its weights.

    Raises:
        OSError: there is no such model, or `out` can't be written; what stood there stays.
    """
    with replace_folder(out) as aside:
        shutil.copytree(model, aside, dirs_exist_ok=True)
        for path in aside.glob("*.safetensors"):
            path.chmod(0o644)
        measured = evaluate(aside)
        say(json.dumps(measured))
        (aside / "evaluation.json").write_text(json.dumps(measured, indent=1) + "\n")
        (aside / "README.md").write_text(card(measured))
