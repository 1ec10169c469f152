"""Asks rows of an audit again under a change that stands. In: rows, a change. Out: what each says, and whether that is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scratchpad.audit.compare import is_right
from scratchpad.audit.explain import Explainer
from scratchpad.errors import UserError
from scratchpad.records.audit import How
from scratchpad.vlm.points import Change
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.standing import standing
from scratchpad.vlm.together import answer_together, batches
from scratchpad.workbench import Workbench

SHARE = 64  # rows whose pictures are held at once


@dataclass(frozen=True)
class Outcome:
    """One row, asked again."""

    number: int
    said: str  # "" where it can't be asked so
    right: bool


@dataclass(frozen=True)
class Asking:
    """What rows are asked of and compared by."""

    explainer: Explainer
    how: How
    batch: int

    @property
    def bench(self) -> Workbench:
        """The workbench."""
        return self.explainer.bench

    def ask(self, numbers: Sequence[int], change: Change | None, wording: Callable[[str], str] = lambda asked: asked) -> list[Outcome]:
        """Some rows, in order.

        Args:
            change: of the SAE's layer; None for none.
            wording: what becomes of a question.
        """
        done: dict[int, Outcome] = {}
        for start in range(0, len(numbers), SHARE):
            done |= self._part(numbers[start : start + SHARE], change, wording)
        return [done[number] for number in numbers]

    def _part(self, numbers: Sequence[int], change: Change | None, wording: Callable[[str], str]) -> dict[int, Outcome]:
        vlm, rows = self.bench.vlm, self.explainer.rows
        done, ready = {}, []
        with vlm.lock, standing(vlm, self.bench.sae.at, change):
            for number in numbers:
                row = rows.rows[number]
                try:
                    ready.append((number, prepare(vlm, rows.picture(row), wording(row.question))))
                except UserError:
                    done[number] = Outcome(number, "", False)
            for group in batches([prepared for _, prepared in ready], self.batch):
                answers = answer_together(vlm, [ready[n][1] for n in group], self.explainer.max_new_tokens)
                for n, answer in zip(group, answers, strict=True):
                    number, expected = ready[n][0], rows.rows[ready[n][0]].expected
                    done[number] = Outcome(number, answer.text, expected is not None and is_right(answer.text, expected, self.how))
        return done
