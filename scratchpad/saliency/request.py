"""What a saliency map is asked for: one picture, what is asked about it, and what controls need beside. The same for every model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int
from PIL import Image

from scratchpad.errors import UserError

Cell = tuple[int, int, int, int]  # (y0, x0, y1, x1) in pixels of the picture, half open


def _nowhere() -> Int[np.ndarray, " v"]:
    return np.zeros(0, int)


@dataclass(frozen=True, eq=False)
class SaliencyRequest:
    """A picture with a question or a query."""

    picture: Image.Image = field(repr=False)
    text: str  # the prompt of a model that answers, the query of one that retrieves
    word: str = ""  # what is looked for, of the text; a model that answers is looked at from the tokens that say it
    cells: tuple[Cell, ...] = field(default=(), repr=False)  # what occlusion paints over, one after the other
    cell_of: Int[np.ndarray, " v"] = field(default_factory=_nowhere, repr=False)  # the cell each image token lies in, -1 for none
    seed: int = 0  # of the random map
    max_new_tokens: int = 16  # of the answer that methods tied to the output follow

    def painted(self) -> Iterator[Image.Image]:
        """The picture with one cell after the other painted over in its mean colour.

        Raises:
            UserError: there are no cells.
        """
        if not len(self.cells):
            raise UserError("Occlusion needs cells; none were given.")
        pixels = np.asarray(self.picture)
        mean = pixels.reshape(-1, 3).mean(0).round().astype(np.uint8)
        for y0, x0, y1, x1 in self.cells:
            without = pixels.copy()
            without[y0:y1, x0:x1] = mean
            yield Image.fromarray(without)
