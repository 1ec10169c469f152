"""Two answers side by side: which tokens stayed, went and came; and which latents an edit raises beside those it changes."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from scipy.stats import spearmanr

from scratchpad.analysis.rank import mean_scores
from scratchpad.records import Codes, Risen, Token, Verified

RISEN = 8


def diff(before: Sequence[Token], after: Sequence[Token]) -> tuple[tuple[str, str], ...]:
    """(same | gone | new, text) in reading order, by token ids."""
    out: list[tuple[str, str]] = []
    matcher = SequenceMatcher(None, [t.id for t in before], [t.id for t in after], autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            out += [("same", t.text) for t in before[a0:a1]]
        else:
            out += [("gone", t.text) for t in before[a0:a1]] + [("new", t.text) for t in after[b0:b1]]
    return tuple(out)


def risen(before: Codes, after: Codes, edited: Sequence[int]) -> tuple[Risen, ...]:
    """Latents that are more active after an edit than before, those it names left out; the strongest RISEN."""
    mass = [dict(zip(*(x.tolist() for x in mean_scores(codes)), strict=True)) for codes in (before, after)]
    grown = [Risen(i, mass[0].get(i, 0.0), value) for i, value in mass[1].items() if i not in edited and value > mass[0].get(i, 0.0)]
    return tuple(sorted(grown, key=lambda r: r.before - r.after)[:RISEN])


def rank_correlation(verified: Verified) -> float | None:
    """Spearman's, of predicted and actual effects; None for fewer than 3 latents or where one side never changes."""
    if len(verified.latents) < 3 or np.ptp(verified.predicted) == 0 or np.ptp(verified.actual) == 0:
        return None
    return float(spearmanr(verified.predicted, verified.actual).statistic)
