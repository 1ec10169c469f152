"""The two colour maps, the same everywhere: sequential for strength, diverging for change. Both read in grey."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

# dark violet to pale yellow, lightness rising evenly (after matplotlib's inferno)
SEQUENTIAL = ((0, 0, 4), (40, 11, 84), (101, 21, 110), (159, 42, 99), (212, 72, 66), (245, 125, 21), (250, 193, 39), (252, 255, 164))
# blue for less, orange for more, paper between; equal steps are equally dark on both sides
DIVERGING = ((33, 102, 172), (103, 160, 206), (190, 214, 232), (245, 245, 242), (247, 205, 160), (230, 140, 60), (179, 88, 6))


def sequential(values: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s 3"]:
    """RGB 0 .. 255 of values 0 .. 1."""
    return _lookup(values, SEQUENTIAL)


def diverging(values: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s 3"]:
    """RGB 0 .. 255 of values -1 .. 1."""
    return _lookup((values + 1) / 2, DIVERGING)


def _lookup(values: np.ndarray, stops: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(values, at, [stop[i] for stop in stops]) for i in range(3)], -1)
