"""Repairs a group and judges the repair on rows that it was not chosen on, beside what else might have done it.

In: a group, answers, a workbench. Out: a `Repaired`: errors repaired of the other half, right answers broken of the whole set, the same for
matched random latents, the bare reconstruction, raw neurons, the difference of means, a question that warns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from scratchpad.analysis.standing import change_of
from scratchpad.audit.answers import Answers
from scratchpad.audit.asking import Asking
from scratchpad.audit.baselines import Vectors, matched, neurons, reconstruction, steering, vectors, warning
from scratchpad.audit.choose import GUARD, OFF, REVERSED, Choice, choose, touched
from scratchpad.audit.group import rate
from scratchpad.errors import UserError
from scratchpad.files import write_whole
from scratchpad.progress import step
from scratchpad.records import Edit
from scratchpad.records.audit import Group, Judged, Repair, Repaired
from scratchpad.records.codec import dumps
from scratchpad.records.reading import written
from scratchpad.vlm.points import Change

HOLDS = 0.5  # of the rows that an edit is judged on are repaired, for it to be a repair
MATCHED = "matched random latents"
FEWEST = 6  # rows of a group, for it to have two halves
JUDGED = 40  # wrong rows that are judged on
EVERY = 24  # right rows that a change of all pictures is judged on


def repair_all(out: Path, groups: Sequence[Group], answers: Answers, asking: Asking, beside: int = EVERY) -> list[Group]:
    """The groups, each with its repair; what was repaired before is read.

    Args:
        beside: right rows that what an edit is held against is judged on.

    Raises:
        UserError: they can't be written.
    """
    made = []
    for n, group in enumerate(groups):
        step("repairing", n, len(groups), outer=True)
        path = out / "repairs" / f"{group.id}.json"
        repaired = held(written(Repaired, path) or repair(group, answers, asking, beside))
        try:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, dumps(repaired))
            if repaired.repair is not None:
                write_whole(path.with_suffix(".repair.json"), dumps(repaired.repair))
        except OSError as error:
            raise UserError(f"{out} can't be written to ({error.strerror or error}); free space and go on.") from error
        made.append(replace(group, repaired=repaired))
    step("repairing", len(groups), len(groups), outer=True)
    return made


def held(repaired: Repaired) -> Repaired:
    """As given; without its edit where that repairs less than half of the rows that it's judged on, or no more than random latents do."""
    if repaired.repair is None:
        return repaired
    own, random = repaired.judged[0], [each.repaired.share for each in repaired.judged[1:] if each.name.startswith(MATCHED)]
    if own.repaired.share >= HOLDS and own.repaired.share > max(random, default=0.0):
        return repaired
    did = f"repairs {own.repaired.hits} of {own.repaired.of} rows that it wasn't chosen on"
    did += f", and breaks {own.harmed.hits} of {own.harmed.of} right answers"
    return replace(repaired, repair=None, sentence=f"No edit holds: the one chosen of {repaired.tried}, {own.name}, {did}.")


def halves(group: Group, answers: Answers) -> tuple[list[int], list[int]]:
    """Rows to choose on and rows to judge on, by a hash of their ids."""
    order = sorted(group.rows, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    numbers = [answers.place[name] for name in order]
    return numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]


def repair(group: Group, answers: Answers, asking: Asking, beside: int = EVERY) -> Repaired:
    """One group; arguments as in `repair_all`."""
    if len(group.rows) < FEWEST:
        return Repaired(f"It has {len(group.rows)} rows, too few to choose an edit on one half and judge it on the other.", None, 0, 0, ())
    first, second = halves(group, answers)
    choice = choose(asking, answers, first)
    if choice is None:
        return Repaired("The model's tokenizer can't make its expected answers, so no edit was tried.", None, 0, 0, ())
    judge = _Judge(answers, asking, second[:JUDGED], beside)
    named = answers.named_in([answers.place[id] for id in group.rows], asking.bench.name)
    own = judge(_called(choice.best, named), change_of(asking.bench.sae, choice.best), choice.best)
    others = _beside(group, answers, asking, choice, judge, first) if choice.edit else []
    title = group.sentence.split(":")[0][:120]
    stands = None if choice.edit is None else Repair(1, title, asking.bench.model_ref, asking.bench.sae_ref, choice.edit)
    return Repaired(_sentence(choice, own, others), stands, choice.rows, choice.tried, (own, *others))


class _Judge:
    """The rows that changes are judged on."""

    def __init__(self, answers: Answers, asking: Asking, wrong: list[int], beside: int):
        self.answers, self.asking, self.wrong = answers, asking, wrong
        self.right = np.flatnonzero(answers.right & ~answers.unlike)
        self.some = np.random.default_rng(1).permutation(self.right)[:beside].tolist()

    def __call__(
        self,
        name: str,
        change: Change | None,
        edit: Edit | None = None,
        wording: Callable[[str], str] = lambda asked: asked,
    ) -> Judged:
        """What a change does.

        Args:
            edit: where the change is one of latents: rows that it doesn't touch are known to stay, so all right rows count.
        """
        rows, stay = self.some, 0
        if edit is not None:
            on = touched(self.answers, edit)[self.right]
            rows, stay = self.right[on].tolist(), int((~on).sum())
        fixed = sum(each.right for each in self.asking.ask(self.wrong, change, wording))
        after = self.asking.ask(rows, change, wording)
        harmed = sum(not each.right for each in after)
        changed = sum(each.said != self.answers.said[each.number] for each in after)
        return Judged(name, rate(fixed, len(self.wrong)), rate(harmed, len(rows) + stay), rate(changed, len(rows) + stay))


def _beside(group: Group, answers: Answers, asking: Asking, choice: Choice, judge: _Judge, first: list[int]) -> list[Judged]:
    """What the edit is held against, on the same rows."""
    sae, edit = asking.bench.sae, choice.best
    out = [judge("the SAE's reconstruction alone", reconstruction(sae))]
    sets = matched(answers, edit)
    random = [judge("", change_of(sae, other)) for other in sets]
    if random:
        out.insert(0, _pooled(f"{MATCHED}, {len(random)} sets", random))
    learnt: Vectors | None = vectors(asking, first, judge.some[:GUARD])
    if learnt is not None:
        out.append(judge(f"{len(edit.items)} raw neurons set to their mean", neurons(learnt, len(edit.items))))
        out.append(judge("the difference of means added", steering(learnt)))
    out.append(judge("a question that warns", None, None, warning(group)))
    return out


def _pooled(name: str, judged: Sequence[Judged]) -> Judged:
    parts = [[getattr(each, part) for each in judged] for part in ("repaired", "harmed", "changed")]
    sums = [rate(sum(each.hits for each in part), sum(each.of for each in part)) for part in parts]
    return Judged(name, *sums)


def _called(edit: Edit, name: Callable[[int], str]) -> str:
    """An edit in words."""
    value = edit.items[0].value
    does = {OFF: "without", REVERSED: "reversed:"}.get(value, f"times {value:g}:")
    return f"{does} " + ", ".join(f"{name(item.latent) or 'unnamed'} (#{item.latent})" for item in edit.items)


def _sentence(choice: Choice, own: Judged, beside: Sequence[Judged]) -> str:
    did = f"{own.repaired.hits} of {own.repaired.of} rows that it wasn't chosen on"
    if choice.edit is None:
        return (
            f"No edit repairs it: of {choice.tried} (up to 8 latents ablated, reversed or amplified) the best, {own.name}, brings the "
            f"expected answer out in {choice.repaired:.0%} of the {choice.rows} rows that it was chosen on, and repairs {did}."
        )
    held = f"; {beside[0].name}: {beside[0].repaired.hits} of {beside[0].repaired.of}" if beside else ""
    return f"{own.name[0].upper()}{own.name[1:]}: repairs {did}, and breaks {own.harmed.hits} of {own.harmed.of} right answers{held}."
