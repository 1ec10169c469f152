"""Where an SAE and its recipe beat baselines, from measures over seeds.

In: a dictionary of measures for every seed, and of the SAE itself. Out: `Spread`s and `Baseline`s. Runs nothing, and knows nothing of
how either was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scratchpad.records.certificate import COMPARED, MEASURES, Baseline, Measure, Spread
from scratchpad.stats import t_interval

DIGITS = 6


def spread(values: Sequence[float]) -> Spread:
    """Values over seeds with their 95% interval."""
    low, high = t_interval(values)
    mean = float(np.mean(values))
    return Spread(tuple(round(v, DIGITS) for v in values), round(mean, DIGITS), round(low, DIGITS), round(high, DIGITS))


def spreads(values: Sequence[Mapping[Measure, float]]) -> dict[Measure, Spread]:
    """Of every measure that all seeds have."""
    return {name: spread([row[name] for row in values]) for name in MEASURES if all(name in row for row in values)}


def beats(given: float, trained: Spread, other: Spread) -> bool:
    """Whether the SAE itself and its recipe's whole interval lie above another interval: a recipe may do what its SAE doesn't."""
    return min(given, trained.low) > other.high


def baseline(
    name: str,
    made: str,
    d_sae: int,
    values: Sequence[Mapping[Measure, float]],
    given: Mapping[Measure, float],
    trained: Mapping[Measure, Spread],
    unread: str = "",
) -> Baseline:
    """A baseline beside an SAE and its recipe trained anew.

    Args:
        given: what the SAE itself reached.
        trained: its recipe.
        unread: why it lacks measures, where it does.
    """
    own = spreads(values)
    had = [measure for measure in COMPARED if measure in given and measure in trained and measure in own]
    beaten = {measure: beats(given[measure], trained[measure], own[measure]) for measure in had}
    return Baseline(name, made, d_sae, own, beaten, unread if set(trained) - set(own) else "")


def sentence(baselines: Sequence[Baseline]) -> str:
    """What came of it, in a few words."""
    won, of = (sum(f(row) for row in baselines) for f in (lambda row: sum(row.beaten.values()), lambda row: len(row.beaten)))
    beaten = sum(row.throughout for row in baselines)
    return f"beats {beaten} of {len(baselines)} baselines in every measure; {won} of {of} comparisons are won"
