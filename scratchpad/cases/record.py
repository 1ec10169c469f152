"""From an analysis and its tests to a case, and back: replaying it on a model says whether it still holds.

In: a workbench. Out: `Bundle`; `Replay`. Numbers in a case are those the workbench computed, never a visitor's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from scratchpad import __version__
from scratchpad.cases.bundle import Bundle, bundle
from scratchpad.cases.case import MAX_NOTES, MAX_TESTS, MAX_TITLE, Case, Made
from scratchpad.errors import UserError
from scratchpad.records import Analysis, Diagnosis, Test, Verified
from scratchpad.records.reading import checked
from scratchpad.workbench import Workbench

DETAILED = 24  # latents of the ranking whose reference images a case carries, beside those of the heatmap and of edits
REFERENCES = 4  # of each
CLOSE = 1e-3  # nats between a log-probability and its replay


def record(
    bench: Workbench,
    analysis: Analysis,
    tests: Sequence[Test] = (),
    title: str = "",
    notes: str = "",
    verified: Verified | None = None,
    diagnosis: Diagnosis | None = None,
) -> Bundle:
    """Keeps an analysis with all that was found out about it, and the reference images of its latents.

    Raises:
        UserError: title, notes or tests beyond their caps.
    """
    title = " ".join(title.split()) or analysis.question.prompt[:MAX_TITLE]
    if len(title) > MAX_TITLE or len(notes) > MAX_NOTES or len(tests) > MAX_TESTS:
        raise UserError(
            f"A case holds a title of {MAX_TITLE} characters, {MAX_NOTES} of notes and {MAX_TESTS} tests; given were {len(title)}, "
            f"{len(notes)} and {len(tests)}."
        )
    latents = [latent.id for latent in analysis.latents[:DETAILED]] + [*analysis.heatmap.latents]
    latents += [latent for test in tests for latent in test.comparison.edit.latents()]
    case = checked(
        lambda: Case(
            format=2,
            title=title,
            notes=notes,
            analysis=replace(analysis, blank=bench.blank(analysis)),
            tests=tuple(tests),
            references={str(i): bench.references(i, REFERENCES) for i in dict.fromkeys(latents)},
            verified=verified,
            diagnosis=diagnosis,
        ),
        "this analysis",
    )
    return bundle(case, Made(f"visual-scratchpad {__version__}", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))


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
        """Whether the tokens are the same, their log-probabilities are within CLOSE nats, and every edit leads to the same answer."""
        close = self.logprob_difference is not None and self.logprob_difference <= CLOSE
        return self.same_tokens and close and all(before == now for before, now in self.runs)


def replay(bundle: Bundle, bench: Workbench) -> Replay:
    """Asks again, makes every edit again.

    Raises:
        UserError: the SAE loaded is another one and lacks an edited latent.
    """
    before = bundle.case.analysis
    now = bench.ask(before.question)
    same = now.run.answer_ids == before.run.answer_ids
    pairs = zip(now.run.outputs(), before.run.outputs(), strict=False)
    apart = max((abs((a.logprob or 0.0) - (b.logprob or 0.0)) for a, b in pairs), default=0.0) if same else None
    comparisons = [test.comparison for test in bundle.case.tests]
    return Replay(
        same_model=bench.vlm.identity == before.model.identity,
        same_sae=bench.sae.identity == before.sae.identity,
        answer=now.run.answer,
        same_tokens=same,
        logprob_difference=apart,
        runs=tuple((c.after.text, bench.ablate(now, c.edit).after.text) for c in comparisons),
    )
