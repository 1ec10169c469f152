"""From an analysis and its tests to a case, and back: replaying it on a model says whether it still holds.

In: a workbench. Out: `Bundle`; `Replay`. Numbers in a case are those the workbench computed, never a visitor's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from PIL import Image
from pydantic import ValidationError

from scratchpad import panels, views
from scratchpad.cases.bundle import Bundle, bundle
from scratchpad.cases.schema import FORMAT, NOTES, RUNS, TITLE, Case, Compared
from scratchpad.errors import UserError
from scratchpad.records import Edit, LatentEdit, Sufficient
from scratchpad.workbench import Analysis, Workbench

DETAILED = 24  # latents of the ranking whose reference images a case carries, beside those of the heatmap and of edits
REFERENCES = 4  # of each
CLOSE = 1e-3  # nats between a log-probability and its replay


@dataclass(frozen=True)
class Experiment:
    """An edit to be kept, and how it was found, if by a search."""

    edit: Edit
    found: Sufficient | None = None
    target: str | None = None


def record(
    bench: Workbench,
    pictures: Sequence[Image.Image],
    analysis: Analysis,
    tests: Sequence[Experiment] = (),
    title: str = "",
    notes: str = "",
    max_new_tokens: int = 64,
) -> Bundle:
    """Runs every test once more (what is remembered isn't) and keeps all that the page shows.

    Raises:
        UserError: title, notes or tests beyond their caps, an edit that can't be made.
    """
    title = " ".join(title.split()) or analysis.run.prompt[:TITLE]
    if len(title) > TITLE or len(notes) > NOTES or len(tests) > RUNS:
        raise UserError(
            f"A case holds a title of {TITLE} characters, {NOTES} of notes and {RUNS} tests; given were {len(title)}, {len(notes)} "
            f"and {len(tests)}."
        )
    runs = [_run(bench, analysis, test) for test in tests]
    shown = json.loads(panels.analysis(bench, analysis, pictures, foreign=False))
    del shown["images"]  # made from the pictures again
    shown["size"] = shown.pop("sizes")[0]
    latents = [row.id for row in analysis.ranking[:DETAILED]] + [*analysis.heatmap.latents]
    latents += [item["latent"] for run in runs for item in run["items"]]
    outputs = analysis.run.outputs()
    value = {
        "format": FORMAT,
        "title": title,
        "notes": notes,
        "made": {"by": f"visual-scratchpad {version('visual-scratchpad')}", "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
        "model": {"name": bench.vlm.name, "identity": bench.vlm.identity},
        "sae": {"name": bench.sae.name, "layer": bench.sae.layer, "identity": bench.sae.identity},
        "settings": {"max_new_tokens": max_new_tokens},
        "prompt": analysis.run.prompt,
        "images": [f"image-{i}.png" for i in range(len(pictures))],
        "answer": analysis.run.answer,
        "answer_ids": list(analysis.run.answer_ids),
        "logprobs": [float(token.logprob or 0.0) for token in outputs],
        "shown": shown,
        "runs": runs,
        "details": {str(i): panels.detail(bench, i, REFERENCES) for i in dict.fromkeys(latents)},
    }
    try:
        case = Case.model_validate_json(json.dumps(value, allow_nan=False))
    except (ValidationError, ValueError) as error:
        raise UserError(f"This analysis can't be kept as a case ({' '.join(str(error).split())[:200]}).") from error
    return bundle(case, pictures)


def _run(bench: Workbench, analysis: Analysis, test: Experiment) -> dict[str, Any]:
    compared = bench.ablate(analysis, test.edit, target=test.target)
    value = panels.comparison(bench, compared, bench.control(analysis, test.edit))
    return value | ({"sufficient": views.sufficient_json(bench, test.found)} if test.found else {})


def edit_of(compared: Compared) -> Edit:
    """The edit that a kept comparison made."""
    items = []
    for item in compared.items:
        region = None if item.region is None else (item.region[0], item.region[1], item.region[2], item.region[3])
        items.append(LatentEdit(item.latent, item.op, item.value, region, item.image))
    return Edit(tuple(items), compared.keep_error)


@dataclass(frozen=True)
class Replay:
    """A case run again: what agrees."""

    same_model: bool
    same_sae: bool
    answer: str
    same_tokens: bool
    logprob_difference: float | None  # the largest, in nats; None where tokens differ
    runs: tuple[tuple[str, str], ...]  # answer after each edit: kept, now

    @property
    def agrees(self) -> bool:
        close = self.logprob_difference is not None and self.logprob_difference <= CLOSE
        return self.same_tokens and close and all(kept == now for kept, now in self.runs)


def replay(made: Bundle, bench: Workbench) -> Replay:
    """Asks again, makes every edit again.

    Raises:
        UserError: the SAE loaded is another one and lacks an edited latent.
    """
    case = made.case
    found = bench.analyze(made.pictures(), case.prompt, case.settings.max_new_tokens)
    same = list(found.run.answer_ids) == case.answer_ids
    now = [float(token.logprob or 0.0) for token in found.run.outputs()]
    apart = max((abs(a - b) for a, b in zip(now, case.logprobs, strict=False)), default=0.0) if same else None
    runs = [(c.after.answer, bench.ablate(found, edit_of(c), case.settings.max_new_tokens).after_answer) for c in case.runs]
    return Replay(
        same_model=bench.vlm.identity == case.model.identity,
        same_sae=bench.sae.identity == case.sae.identity,
        answer=found.run.answer,
        same_tokens=same,
        logprob_difference=apart,
        runs=tuple(runs),
    )
