"""Chooses the edit that repairs a group, on one half of its rows: which latents, how many, ablated, reversed or amplified.

In: wrong rows of that half, right rows that an edit could break. Out: the edit that does best there, and how many were tried. What
gradients propose is never reported: every edit is run. The other half is not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from scratchpad.analysis.standing import change_of
from scratchpad.analysis.suggest import predicted_effects
from scratchpad.audit.answer import MOST
from scratchpad.audit.answers import Answers
from scratchpad.audit.asking import Asking
from scratchpad.errors import UserError
from scratchpad.experiments.trial import Trial
from scratchpad.records import Edit
from scratchpad.records.edit import scaling

CHOOSE = 8  # wrong rows that edits are tried on
GUARD = 16  # right rows that the best are tried on
BEST = 2  # edits that are tried on right rows
HEADS = (1, 2, 4, 8)
SINGLES = 5
OFF, REVERSED, MORE = 0.0, -1.0, 3.0  # what activations are multiplied by
HARM = 10.0  # how much worse a broken right answer is than an error that stays, both as shares


@dataclass(frozen=True)
class Choice:
    """The edit that does best on the half that it was chosen on; None where none repairs at least half of that."""

    edit: Edit | None
    best: Edit  # the one that repairs most, whether that is enough or not
    repaired: float  # share there, by `best`
    rows: int
    tried: int


def choose(asking: Asking, answers: Answers, rows: Sequence[int]) -> Choice | None:
    """The best edit for some wrong rows; None where not one of them can be tried.

    Args:
        rows: of the half that is chosen on.
    """
    trials = [pair for number in rows[:CHOOSE] if (pair := _trial(asking, answers, number)) is not None]
    if not trials:
        return None
    edits = _edits(trials, asking.bench.sae.d_sae)
    works = np.zeros(len(edits))
    with asking.bench.vlm.lock:
        for trial, ids in trials:
            works += trial.force(edits, ids).unchanged
    share = works / len(trials)
    order = sorted(range(len(edits)), key=lambda i: (-share[i], len(edits[i].items)))
    best = order[0]
    tried = Choice(None, edits[best], float(share[best]), len(trials), len(edits))
    if share[best] < 0.5:
        return tried
    scores = {i: share[i] - HARM * _harm(asking, answers, edits[i]) for i in order[:BEST] if share[i] >= 0.5}
    chosen = max(scores, key=lambda i: (scores[i], -len(edits[i].items)))
    return Choice(edits[chosen], edits[chosen], float(share[chosen]), len(trials), len(edits))


def touched(answers: Answers, edit: Edit) -> Bool[np.ndarray, " n"]:
    """Rows whose activations an edit may change; the answers of all others stay bit for bit."""
    full = np.diff(answers.peaks.indptr) >= MOST  # of so many latents not all were written down
    firing: np.ndarray = answers.has(edit.latents()) | full
    return firing


def _trial(asking: Asking, answers: Answers, number: int) -> tuple[Trial, tuple[int, ...]] | None:
    """A row, ready to be asked again, and the ids of its expected answer."""
    try:
        trial = asking.bench.trial(asking.explainer.analysis(number))
        return trial, trial.ids(answers.expected[number])
    except UserError:
        return None


def _edits(trials: Sequence[tuple[Trial, tuple[int, ...]]], d_sae: int) -> list[Edit]:
    """Heads of the rankings by predicted gain, ablated and reversed where losing them helps, amplified where more of them does."""
    gain: dict[int, float] = defaultdict(float)  # of ablating a latent: what the expected gains and the answer loses, nats, a row
    for trial, ids in trials:
        with trial.vlm.lock:
            slopes = (trial.gradient(ids), -1.0), (trial.gradient(trial.run.answer_ids), 1.0)
        for slope, sign in slopes:
            for latent, effect in zip(*predicted_effects(trial.sae, trial.codes, slope, trial.run.states()), strict=True):
                gain[int(latent)] -= sign * float(effect) / len(trials)
    helps = sorted(gain, key=lambda latent: -gain[latent])
    hurts = helps[::-1]
    out = [scaling(helps[:n], OFF) for n in HEADS if n <= len(helps)] + [scaling([latent], OFF) for latent in helps[1:SINGLES]]
    out += [scaling(helps[:n], REVERSED) for n in HEADS[:2] if n <= len(helps)]
    out += [scaling(hurts[:n], MORE) for n in HEADS[:3] if n <= len(hurts) and gain[hurts[n - 1]] < 0]
    return list(dict.fromkeys(out))


def _harm(asking: Asking, answers: Answers, edit: Edit) -> float:
    """The share of all right rows that an edit breaks, as some of those that it touches say."""
    right = answers.right & ~answers.unlike
    rows = np.flatnonzero(right & touched(answers, edit))
    if not len(rows):
        return 0.0
    some = np.random.default_rng(0).permutation(rows)[:GUARD].tolist()
    outcome = asking.ask(some, change_of(asking.bench.sae, edit))
    broken = sum(not each.right for each in outcome) / len(outcome)
    return broken * len(rows) / max(1, int(right.sum()))
