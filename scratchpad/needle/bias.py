"""Spatial biases: where a method's map is high wherever the needle may be (the "O" and the corner gradients of the paper).

In: the mean of standardised maps over all positions of the needle, so that what follows the needle evens out. Out: the
patterns that it follows more than any shuffling of its cells does.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from scratchpad.records.sweep import Bias

SHUFFLES = 4000
LEVEL = 0.05  # of a false alarm on any of the patterns


def patterns(cells: tuple[int, int]) -> dict[str, Float[np.ndarray, "H W"]]:
    """What a bias may look like; each rises towards what it's named after."""
    y, x = np.meshgrid(np.linspace(-1, 1, cells[0]), np.linspace(-1, 1, cells[1]), indexing="ij")
    far = np.maximum(np.abs(y), np.abs(x))
    rows, cols = np.indices(cells)
    inward = np.minimum(np.minimum(rows, cells[0] - 1 - rows), np.minimum(cols, cells[1] - 1 - cols))  # cells from the border
    return {
        "centre": -far,
        "edge": far,
        "border cells": (inward == 0).astype(float),
        "ring inside the border": (inward == 1).astype(float),
        "top": -y,
        "bottom": y,
        "left": -x,
        "right": x,
        "top left": -y - x,
        "top right": x - y,
        "bottom left": y - x,
        "bottom right": y + x,
    }


def biases(mean: Float[np.ndarray, "H W"], seed: int = 0) -> list[Bias]:
    """Patterns that correlate with the map beyond what shuffled cells reach by chance, strongest first.

    p is corrected for the number of patterns: the share of shuffles in which any pattern reaches as much (the maximum
    statistic of Westfall & Young, 1993), so that on noise some pattern is named in at most LEVEL of all maps.
    """
    flat = mean.reshape(-1)
    shapes = {name: p.reshape(-1) for name, p in patterns((mean.shape[0], mean.shape[1])).items() if p.std() > 0}
    if flat.std() == 0 or not shapes:
        return []
    rng = np.random.default_rng(seed)
    shuffled = np.stack([rng.permutation(flat) for _ in range(SHUFFLES)])
    units = np.stack([_unit(p) for p in shapes.values()], 1)
    reached = (_unit(shuffled) @ units).max(1)
    own = _unit(flat) @ units
    p = (1 + (reached[:, None] >= own - 1e-9).sum(0)) / (SHUFFLES + 1)
    rows = [
        Bias(name, round(float(r), 3), round(float(chance), 4))
        for name, r, chance in zip(shapes, own, p, strict=True)
        if r > 0 and chance <= LEVEL
    ]
    return sorted(rows, key=lambda row: -row.r)


def _unit(values: Float[np.ndarray, "*n c"]) -> Float[np.ndarray, "*n c"]:
    """Mean 0, length 1, along the last axis."""
    centred = values - values.mean(-1, keepdims=True)
    unit: np.ndarray = centred / np.linalg.norm(centred, axis=-1, keepdims=True)
    return unit
