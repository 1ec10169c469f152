"""Maps that look at no model: what any map must beat. In: anything with a grid and a seed. Out: float[v]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from jaxtyping import Float

from scratchpad.grid import Grid

Map = Float[np.ndarray, " v"]


class Placed(Protocol):
    """What a map needs that looks at no model."""

    @property
    def seed(self) -> int:
        """Of chance, another for each image."""
        ...

    @property
    def grid(self) -> Grid:
        """Where image tokens lie."""
        ...


def random(look: Placed) -> Map:
    """Chance."""
    return np.random.default_rng(look.seed).random(look.grid.image_tokens)


def centre(look: Placed) -> Map:
    """How near a token is to the middle of the picture."""
    return -_from_centre(look.grid)


def edge(look: Placed) -> Map:
    """How near a token is to the border of the picture."""
    return _from_centre(look.grid)


def _from_centre(grid: Grid) -> Map:
    """Distance of every image token from the middle of the picture, in half sides."""
    boxes = grid.patch_boxes()
    h, w = grid.size
    middle = np.stack([(boxes[:, 0] + boxes[:, 2]) / h - 1, (boxes[:, 1] + boxes[:, 3]) / w - 1], 1)
    return grid.patch_values_to_tokens(np.abs(middle).max(1))


BASELINES: dict[str, Callable[[Placed], Map]] = {"random": random, "centre": centre, "edge": edge}
