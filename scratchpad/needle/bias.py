"""Spatial biases: where a method's map is high wherever the needle may be (the "O" and the corner gradients of the paper).

In: the mean of standardised maps over all positions of the needle, so that what follows the needle evens out. Out: the
patterns that it follows more than any shuffling of its cells does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

SHUFFLES = 2000
LEVEL = 0.01


def patterns(cells: tuple[int, int]) -> dict[str, Float[np.ndarray, "H W"]]:
    """What a bias may look like; each rises towards what it's named after."""
    y, x = np.meshgrid(np.linspace(-1, 1, cells[0]), np.linspace(-1, 1, cells[1]), indexing="ij")
    ring = ((np.abs(y) == 1) | (np.abs(x) == 1)).astype(float)
    far = np.maximum(np.abs(y), np.abs(x))
    return {
        "centre": -far,
        "edge": far,
        "border cells": ring,
        "top": -y,
        "bottom": y,
        "left": -x,
        "right": x,
        "top left": -y - x,
        "top right": x - y,
        "bottom left": y - x,
        "bottom right": y + x,
    }


def biases(mean: Float[np.ndarray, "H W"], seed: int = 0) -> list[dict[str, Any]]:
    """Patterns that correlate with the map beyond what shuffled cells reach by chance, strongest first: {towards, r, p}."""
    flat = mean.reshape(-1)
    if flat.std() == 0:
        return []
    rng = np.random.default_rng(seed)
    shuffled = np.stack([rng.permutation(flat) for _ in range(SHUFFLES)])
    unit = lambda v: (v - v.mean(-1, keepdims=True)) / np.linalg.norm(v - v.mean(-1, keepdims=True), axis=-1, keepdims=True)  # noqa: E731
    out = []
    for name, pattern in patterns((mean.shape[0], mean.shape[1])).items():
        p = pattern.reshape(-1)
        if p.std() == 0:
            continue
        r = float(unit(flat) @ unit(p))
        chance = float((1 + (unit(shuffled) @ unit(p) >= r - 1e-9).sum()) / (SHUFFLES + 1))
        if r > 0 and chance <= LEVEL:
            out.append({"towards": name, "r": round(r, 3), "p": round(chance, 4)})
    return sorted(out, key=lambda found: -found["r"])
