"""Intervals of shares and of means, and the area under a ROC curve. In: counts, values or scores. Knows nothing of what was counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit


def wilson(hits: ArrayLike, support: ArrayLike, confidence: float = 0.95) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Wilson's score interval (1927) of a share `hits / support`, two-sided, element by element; (0, 1) where nothing was counted.

    Args:
        hits: how often it was so, 0 .. support.
        support: of how many independent trials.

    Raises:
        ValueError: more hits than trials, a negative count, a confidence outside 0 .. 1.
    """
    k, n = np.broadcast_arrays(np.asarray(hits, float), np.asarray(support, float))
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, got {confidence}")
    if (k < 0).any() or (k > n).any():
        raise ValueError("hits lie between 0 and the number of trials")
    z = float(ndtri(0.5 + confidence / 2))
    n1 = np.maximum(n, 1)
    share = k / n1
    middle = (share + z * z / (2 * n1)) / (1 + z * z / n1)
    half = z * np.sqrt(share * (1 - share) / n1 + z * z / (4 * n1 * n1)) / (1 + z * z / n1)
    # rounding must not push a bound past the share itself: at 0 and n hits the bounds are exactly 0 and 1
    low = np.where(n > 0, np.where(k == 0, 0.0, np.minimum(middle - half, share)), 0.0)
    high = np.where(n > 0, np.where(k == n, 1.0, np.maximum(middle + half, share)), 1.0)
    return low, high


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of a few independent values, two-sided; a single value's has no width.

    Raises:
        ValueError: there is no value, or a confidence outside 0 .. 1.
    """
    if not values or not 0 < confidence < 1:
        raise ValueError(f"expected values and a confidence between 0 and 1, got {len(values)} values and {confidence}")
    mean, n = float(np.mean(values)), len(values)
    if n == 1:
        return mean, mean
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * float(np.std(values, ddof=1)) / n**0.5
    return mean - half, mean + half


def auroc(scores: Float[np.ndarray, "n l"], positive: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " l"]:
    """Area under the ROC curve of every column against one label, ties counted half (Mann-Whitney U)."""
    from scipy.stats import rankdata

    n1, n0 = int(positive.sum()), int((~positive).sum())
    if n1 == 0 or n0 == 0:
        return np.full(scores.shape[1], np.nan, np.float32)
    ranks = rankdata(scores, axis=0)
    areas: np.ndarray = ((ranks[positive].sum(0) - n1 * (n1 + 1) / 2) / (n1 * n0)).astype(np.float32)
    return areas
