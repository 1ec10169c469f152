"""95% intervals of a sweep's numbers, and whether one map is better than another.

In: values by image, and the cell that each image's needle lies in. Out: (low, high). Accuracy is a share of images: Wilson's
score interval over cells and runs. The other metrics are means over cells, whose images of several runs belong together: a
bootstrap over cells, its percentiles widened as a t-interval is (the expanded percentile interval of Hesterberg, 2015,
section 4.3), which few resampled units would otherwise leave too narrow. Coverage is tested by simulation for 2 and 5 runs.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm, t

from scratchpad.stats import wilson

DRAWS = 4000
LEVEL = 0.95


def of_share(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Of a mean of 0s and 1s (shares of 1 where the best cell is tied)."""
    low, high = wilson(float(values.sum()), len(values), LEVEL)
    return float(low), float(high)


def of_mean(values: Float[np.ndarray, " n"], cells: Int[np.ndarray, " n"], seed: int = 0) -> tuple[float, float]:
    """Of a mean over cells."""
    _, place = np.unique(cells, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    n = len(sums)
    if n < 2:
        return float(values.mean()), float(values.mean())
    picked = np.random.default_rng(seed).integers(0, n, (DRAWS, n))
    means = sums[picked].sum(1) / counts[picked].sum(1)
    tail = float(norm.cdf(-np.sqrt(n / (n - 1)) * t.ppf((1 + LEVEL) / 2, n - 1)))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def clearly_more(better: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"], cells: Int[np.ndarray, " n"], seed: int = 0) -> bool:
    """Whether one map's values are higher than another's on the same images: the interval of their paired differences is above 0."""
    difference = better - other
    return bool(difference.mean() > 0 and of_mean(difference, cells, seed)[0] > 0)
