"""What was measured of a model's maps, kept where the page finds it: beside the model it ships with, and in the user's data folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from scratchpad.files import write_whole
from scratchpad.records import Measured, Trust

SHIPPED = Path(__file__).resolve().parents[2] / "examples"
OF_SAE = "sae-attention"  # the method whose maps are an SAE's
DRAWING = 2  # of the way that needle images are drawn: accuracies on `text` of the first aren't comparable
CLOSEST = ("multi-words", "text", "single-word", "patch")  # data sets, the one most like reading a picture first


def folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "visual-scratchpad" / "needle"


def keep(summary: dict[str, Any], at: Path | None = None) -> None:
    """Keeps a summary by its model's identity: what was kept of other methods and data sets, on as many cells, stays.

    A folder that can't be written to is let be.
    """
    identity = summary["model"]["identity"]
    path = (at or folder()) / f"{identity}.json"
    known = _read(path) if at else measured(identity)
    if known and known.get("plan", {}).get("cells") == list(summary["plan"]["cells"]):
        results, known_sae = {name: dict(found) for name, found in known["results"].items()}, known.get("sae")
        if not any(OF_SAE in found for found in summary["results"].values()):
            summary = summary | {"sae": known_sae}
        elif known_sae != summary["sae"]:  # what was measured of another SAE is not this one's
            results = {name: {m: one for m, one in found.items() if m != OF_SAE} for name, found in results.items()}
        for dataset, found in summary["results"].items():
            old = results.get(dataset, {})
            better = {name: one for name, one in found.items() if one["images"] >= old.get(name, one)["images"]}
            results[dataset] = old | better  # what more images said is not put aside for what fewer do
        summary = summary | {"results": results}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(summary))
    except OSError:
        return


def measured(identity: str) -> dict[str, Any] | None:
    """What was kept of a model: by this user, or shipped with it."""
    for path in (folder() / f"{identity}.json", *SHIPPED.glob("*/needle.json")):
        summary = _read(path)
        if summary and summary["model"]["identity"] == identity:
            return summary
    return None


def trust(identity: str, method: str = "attention", sae: str | None = None) -> Trust | None:
    """How often a kind of map found the needle in a model, by data set; None where nothing was measured.

    Args:
        identity: of the model.
        sae: the identity of the SAE, for the method that reads one.
    """
    summary = measured(identity)
    if summary is None or (method == OF_SAE and (summary.get("sae") or {}).get("identity") != sae):
        return None
    sets = []
    for dataset in CLOSEST:
        row = summary["results"].get(dataset, {}).get(method)
        if row:
            accuracy = row["accuracy"]
            low, high = (float(accuracy.get(end, accuracy["mean"])) for end in ("low", "high"))
            sets.append(Measured(dataset, float(accuracy["mean"]), low, high, int(row["images"]), float(summary["chance"])))
    return Trust(method, tuple(sets), sets[0].dataset) if sets else None


def _read(path: Path) -> dict[str, Any] | None:
    """A summary that has the parts that are read of it, less what was drawn another way; None for anything else."""
    try:
        summary: dict[str, Any] = json.loads(path.read_text())
        float(summary["chance"])
        str(summary["model"]["identity"])
        for found in summary["results"].values():
            for one in found.values():
                float(one["accuracy"]["mean"])
                int(one["images"])
        if summary.get("drawing", 1) != DRAWING:
            summary["results"].pop("text", None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return summary
