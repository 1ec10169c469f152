"""Two answers side by side: which tokens stayed, went and came; which latents an edit raises; predictions beside what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np
from jaxtyping import Float
from scipy.stats import pearsonr, spearmanr

from scratchpad.analysis.rank import mean_scores
from scratchpad.records import Codes, Risen, Token
from scratchpad.records.experiment import Part

MAX_RISEN = 8
TELLING = 0.01  # nats from which on an ablated latent counts as moving the answer


def diff(before: Sequence[Token], after: Sequence[Token]) -> tuple[Part, ...]:
    """(same | gone | new, text) in reading order, by token ids."""
    out: list[Part] = []
    matcher = SequenceMatcher(None, [t.id for t in before], [t.id for t in after], autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            out += [("same", t.text) for t in before[a0:a1]]
        else:
            out += [("gone", t.text) for t in before[a0:a1]]
            out += [("new", t.text) for t in after[b0:b1]]
    return tuple(out)


def risen(before: Codes, after: Codes, edited: Sequence[int], name: Callable[[int], str]) -> tuple[Risen, ...]:
    """Latents that are more active (mean over patches) after an edit than before, the edited left out; the strongest MAX_RISEN."""
    mass = [dict(zip(*(x.tolist() for x in mean_scores(codes)), strict=True)) for codes in (before, after)]
    grown = {i: value for i, value in mass[1].items() if i not in edited and value > mass[0].get(i, 0.0)}
    strongest = sorted(grown, key=lambda i: mass[0].get(i, 0.0) - grown[i])[:MAX_RISEN]
    return tuple(Risen(i, name(i), mass[0].get(i, 0.0), grown[i]) for i in strongest)


def rank_correlation(predicted: Float[np.ndarray, " n"], actual: Float[np.ndarray, " n"]) -> float | None:
    """Spearman's; None for fewer than 3 latents or where one side never changes."""
    if len(predicted) < 3 or np.ptp(predicted) == 0 or np.ptp(actual) == 0:
        return None
    return float(spearmanr(predicted, actual).statistic)


def correlation(predicted: Float[np.ndarray, " n"], actual: Float[np.ndarray, " n"]) -> float | None:
    """Pearson's, over latents whose ablation moves the answer by more than TELLING nats; None for fewer than 3 of them."""
    telling = np.abs(actual) > TELLING
    predicted, actual = predicted[telling], actual[telling]
    if len(predicted) < 3 or np.ptp(predicted) == 0 or np.ptp(actual) == 0:
        return None
    return float(pearsonr(predicted, actual).statistic)
