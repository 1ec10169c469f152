"""What was measured of a model's maps, kept where the page finds it: beside the model it ships with, and in the user's data folder."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from scratchpad.files import write_whole
from scratchpad.records import Measured, Trust, dumps
from scratchpad.records.sweep import SCENES, MethodResult, SweepSummary, read_summary
from scratchpad.stats import wilson

SHIPPED = Path(__file__).resolve().parents[2] / "examples"
OF_SAE = "sae-attention"  # the method whose maps are an SAE's
DRAWING = 2  # of the way that needle images are drawn: accuracies on `text` of the first aren't comparable
READING = ("multi-words", "text", "single-word", "symbols", SCENES, "patch")  # data sets, that most like a question about words first
SEEING = (SCENES, "symbols", "multi-words", "text", "single-word", "patch")  # the same of a question about things
WRITTEN = re.compile(r"\b(words?|texts?|read|says?|said|written|writing|letters?|signs?)\b", re.IGNORECASE)


def folder() -> Path:
    """Where this user's own summaries lie, one file for a model and a number of cells."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "visual-scratchpad" / "needle"


def keep(summary: SweepSummary) -> None:
    """Keeps a summary by its model's identity and its cells: what was kept of other methods and data sets stays.

    Where the folder can't be written to, nothing is kept.
    """
    rows, cols = summary.plan.cells
    path = folder() / f"{summary.model.identity}-{rows}x{cols}.json"
    known = _read(path)
    if known:
        summary = _joined(known, summary)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, dumps(summary))
    except OSError:
        return


def _joined(known: SweepSummary, summary: SweepSummary) -> SweepSummary:
    """A summary with what an earlier one says besides."""
    of_sae = any(OF_SAE in rows for rows in summary.results.values())
    results: dict[str, dict[str, MethodResult]] = {dataset: dict(rows) for dataset, rows in known.results.items()}
    if of_sae and known.sae != summary.sae:  # what was measured of another SAE is not this one's
        for rows in results.values():
            rows.pop(OF_SAE, None)
    for dataset, new in summary.results.items():
        old = results.setdefault(dataset, {})
        for method, row in new.items():
            if method not in old or row.images >= old[method].images:  # what more images said is not put aside for what fewer do
                old[method] = row
    return replace(summary, results=results, sae=summary.sae if of_sae else known.sae)


def measured(identity: str, sae: str | None = None) -> dict[str, dict[str, MethodResult]]:
    """What was kept of a model by this user or shipped with it, by data set and method: each as measured on most images.

    Args:
        identity: of the model.
        sae: the identity of the SAE, for the method that reads one; rows of other SAEs are left out.
    """
    best: dict[str, dict[str, MethodResult]] = {}
    for path in (*sorted(folder().glob(f"{identity}*.json")), *SHIPPED.glob("*/needle.json")):
        summary = _read(path)
        if summary is None or summary.model.identity != identity:
            continue
        of = summary.sae.identity if summary.sae else None
        for dataset, rows in summary.results.items():
            for method, row in rows.items():
                other = best.get(dataset, {}).get(method)
                if (method != OF_SAE or of == sae) and (other is None or row.images > other.images):
                    best.setdefault(dataset, {})[method] = replace(row, chance=summary.chance if row.chance is None else row.chance)
    return best


def trust(identity: str, method: str = "attention", sae: str | None = None, prompt: str = "") -> Trust | None:
    """How often a kind of map pointed at the right place in a model, by data set, the one nearest to what is asked first.

    None where nothing was measured. Nearest to a question about words (WRITTEN) are pictures of words, to any other pictures of things.

    Args:
        identity: of the model.
        prompt: what is asked.
        sae: the identity of the SAE, for the method that reads one.
    """
    results = measured(identity, sae)
    closest = READING if WRITTEN.search(prompt) else SEEING
    rows = {dataset: results.get(dataset, {}).get(method) for dataset in closest}
    sets = tuple(_measured(dataset, row) for dataset, row in rows.items() if row)
    return Trust(method, sets, sets[0].dataset) if sets else None


def _measured(dataset: str, row: MethodResult) -> Measured:
    """With Wilson's interval over cells and runs, whatever interval an older summary holds."""
    low, high = wilson(row.accuracy.mean * row.images, row.images)
    assert row.chance is not None, f"{dataset} without what chance reaches"
    return Measured(dataset, row.accuracy.mean, float(low), float(high), row.images, row.chance)


def _read(path: Path) -> SweepSummary | None:
    """A summary, less what was drawn another way; None for anything else."""
    try:
        summary = read_summary(path.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    if summary.drawing == DRAWING:
        return summary
    return replace(summary, results={dataset: rows for dataset, rows in summary.results.items() if dataset != "text"})
