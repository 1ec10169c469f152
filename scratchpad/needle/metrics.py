"""Accuracy, score, rank and distance of a map against the needle (reference section 3), and their intervals.

Ties count as the definition says: where several positions share the maximum, each is the argmax in equal shares, so that
the order of positions never helps or hurts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

NAMES = ("accuracy", "score", "rank", "distance")


@dataclass(frozen=True)
class Measured:
    accuracy: float  # share of the argmax that lies on the needle
    score: float  # mean of the map on the needle
    rank: float  # share of positions above the needle's best; 0 is best
    distance: float  # of the argmax to the needle, in diagonals; mean over ties


def measure(s: Float[np.ndarray, "H W"], needle: Bool[np.ndarray, "H W"]) -> Measured:
    """All four; the map must be finite and the needle somewhere."""
    assert s.shape == needle.shape, (s.shape, needle.shape)
    assert needle.any(), "there is no needle"
    assert np.isfinite(s).all(), "the map has values that aren't finite"
    best = s == s.max()
    here, there = np.argwhere(best), np.argwhere(needle)
    apart = np.linalg.norm(here[:, None] - there[None], axis=-1).min(1)
    diagonal = float(np.hypot(s.shape[0] - 1, s.shape[1] - 1))
    return Measured(
        accuracy=float((best & needle).sum() / best.sum()),
        score=float(s[needle].mean()),
        rank=float((s > s[needle].max()).mean()),
        distance=float(apart.mean() / diagonal) if diagonal else 0.0,
    )


def interval(
    values: Float[np.ndarray, " n"], groups: np.ndarray, seed: int = 0, draws: int = 2000, level: float = 0.95
) -> tuple[float, float, float]:
    """(mean, low, high): the mean and its bootstrap interval, resampling runs (`groups`), and images where there's one run."""
    names = np.unique(groups)
    parts = [values[groups == g] for g in names] if len(names) > 1 else [np.array([v]) for v in values]
    sums, counts = np.array([p.sum() for p in parts]), np.array([len(p) for p in parts])
    rng = np.random.default_rng(seed)
    picked = rng.integers(0, len(parts), (draws, len(parts)))
    means = sums[picked].sum(1) / counts[picked].sum(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), float(low), float(high)
