"""A small sweep while somebody waits: one run, few methods, nothing left behind but its summary.

In: a `Subject` and what to measure. Out: a summary as `sweep` makes it, and one haystack of it to show.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from scratchpad.errors import UserError
from scratchpad.needle.datasets import Haystack, draw
from scratchpad.needle.subject import Answering, Retrieving, Subject
from scratchpad.needle.sweep import Plan, sweep
from scratchpad.needle.symbols import needle_of
from scratchpad.pages import Pages
from scratchpad.records import Trust
from scratchpad.records.reading import checked
from scratchpad.records.sweep import SweepSummary
from scratchpad.saliency.trust import OF_SAE, keep, measured, trust
from scratchpad.workbench import Workbench

__all__ = ["CELLS", "answering", "example", "measure", "measured", "retrieving", "trusts"]

CELLS = (7, 7)  # what is kept, so that it can be compared
MAX_CELLS, MAX_METHODS, MAX_PAINTED = 100, 8, 25  # what one waits for


def measure(subject: Subject, dataset: str, cells: tuple[int, int], methods: Sequence[str]) -> SweepSummary:
    """The summary; on the usual cells it's kept, where pages say how far a map is to be trusted.

    Raises:
        UserError: too much for a live sweep, or what `sweep` refuses.
    """
    wanted = tuple(dict.fromkeys(methods))
    if not 1 <= len(wanted) <= MAX_METHODS:
        raise UserError(
            f"{len(wanted)} methods were chosen; expected 1 to {MAX_METHODS} here: scratchpad needle sweeps as many as you like."
        )
    many = cells[0] * cells[1]
    if many > MAX_CELLS or ("occlusion" in wanted and many > MAX_PAINTED):
        most = MAX_PAINTED if "occlusion" in wanted else MAX_CELLS
        raise UserError(
            f"{cells[0]}x{cells[1]} cells are too many to wait for; expected up to {most}: scratchpad needle sweeps any number."
        )
    plan = checked(lambda: Plan(wanted, (dataset,), cells, runs=1), "the sweep")
    with tempfile.TemporaryDirectory() as folder:
        summary = sweep(subject, plan, Path(folder))
    if cells == CELLS:
        keep(summary)
    return summary


def example(summary: SweepSummary) -> Image.Image:
    """One of a summary's haystacks, its needle in the middle."""
    plan = summary.plan
    rows, cols = plan.cells
    at = rows // 2, cols // 2
    return draw(Haystack(plan.datasets[0], plan.cells, summary.size, at, sought(plan), plan.distractor, seed=plan.seed))


def sought(plan: Plan) -> str:
    """What `example` shows as its needle."""
    return needle_of(plan.needle, plan.seed) if plan.datasets[0] == "symbols" else plan.needle


def trusts(summary: SweepSummary, prompt: str = "") -> dict[str, Trust | None]:
    """What was measured of each kind of map that pages show, of the model and SAE of a sweep; `prompt` is the question on show."""
    sae = summary.sae.identity if summary.sae else None
    return {method: trust(summary.model.identity, method, sae, prompt) for method in ("attention", OF_SAE, "cosine")}


def answering(bench: Workbench) -> Subject:
    """A workbench's model and SAE, to be measured."""
    return Answering(bench.vlm, bench.sae)


def retrieving(pages: Pages) -> Subject:
    """A retrieval model, to be measured."""
    return Retrieving(pages.retriever)
