"""Where an SAE's recipe beats its baselines, from measures over seeds.

In: a dictionary of measures for every seed. Out: `Spread`s and `Baseline`s. Runs nothing, and knows nothing of how either was made.
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


def beats(own: Spread, other: Spread) -> bool:
    """Whether an interval lies wholly above another."""
    return own.low > other.high


def baseline(
    name: str, made: str, d_sae: int, values: Sequence[Mapping[Measure, float]], trained: Mapping[Measure, Spread], unread: str = ""
) -> Baseline:
    """A baseline beside the recipe trained anew.

    Args:
        unread: why it lacks measures, where it does.
    """
    own = spreads(values)
    beaten = {measure: beats(trained[measure], own[measure]) for measure in COMPARED if measure in trained and measure in own}
    return Baseline(name, made, d_sae, own, beaten, unread if set(trained) - set(own) else "")


def sentence(baselines: Sequence[Baseline]) -> str:
    """What came of it, in a few words."""
    won, of = (sum(f(row) for row in baselines) for f in (lambda row: sum(row.beaten.values()), lambda row: len(row.beaten)))
    beaten = sum(row.throughout for row in baselines)
    return f"beats {beaten} of {len(baselines)} baselines in every measure; {won} of {of} comparisons are won"
