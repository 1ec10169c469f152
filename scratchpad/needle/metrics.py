"""Accuracy, score, rank and distance of a map against the needle (reference section 3).

Ties count as the definition says: where several positions share the maximum, each is the argmax in equal shares, so that
the order of positions never helps or hurts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Measured:
    """One map against its needle; the fields are `records.sweep.METRICS`."""

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
