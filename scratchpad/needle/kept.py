"""What was measured of a model's maps, kept where the page finds it: beside the model it ships with, and in the user's data folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from scratchpad.files import write_whole

SHIPPED = Path(__file__).resolve().parents[2] / "examples"
CLOSEST = ("multi-words", "text", "single-word", "patch")  # data sets, the one most like reading a picture first


def folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "visual-scratchpad" / "needle"


def keep(summary: dict[str, Any], at: Path | None = None) -> None:
    """Keeps a summary by its model's identity; a later one takes its place. A folder that can't be written to is let be."""
    path = (at or folder()) / f"{summary['model']['identity']}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(summary))
    except OSError:
        return


def trust(identity: str, method: str = "attention") -> dict[str, Any] | None:
    """The accuracy measured for a model and method, with its data set and chance; None where nothing was."""
    for path in (folder() / f"{identity}.json", *SHIPPED.glob("*/needle.json")):
        try:
            summary = json.loads(path.read_text())
            if summary["model"]["identity"] != identity:
                continue
            for dataset in CLOSEST:
                found = summary["results"].get(dataset, {}).get(method)
                if found:
                    return {"accuracy": float(found["accuracy"]["mean"]), "chance": float(summary["chance"]), "dataset": dataset}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return None
