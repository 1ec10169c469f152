"""Maps of late-interaction retrieval models. In: a `PageLook`. Out: a value per image token, float[v].

Cosine maps say where a query's tokens find their like; that every vector mixes the whole page is why the maps tied to the
score stand beside them (Needle in a Patched Haystack, section 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float
from PIL import Image

from scratchpad.grid import Grid
from scratchpad.saliency.baselines import BASELINES
from scratchpad.saliency.look import Box, painted
from scratchpad.vlm.page_states import taken_in
from scratchpad.vlm.retrieval import Page, Query, Retriever, page_inputs, page_of, query_of, score, similarity

Map = Float[np.ndarray, " v"]


@dataclass
class PageLook:
    """Lives as long as the maps of one picture are made."""

    retriever: Retriever = field(repr=False)
    picture: Image.Image = field(repr=False)
    query: Query
    page: Page = field(repr=False)
    cells: Sequence[Box] = ()
    cell_of: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)
    seed: int = 0

    @property
    def grid(self) -> Grid:
        return self.page.grid

    @cached_property
    def cosines(self) -> Float[np.ndarray, "t v"]:
        """Of the tokens that the user wrote, in their order."""
        return similarity(self.query, self.page)[self.query.own]


def page_look(
    retriever: Retriever,
    picture: Image.Image,
    text: str,
    cells: Sequence[Box] = (),
    cell_of: np.ndarray | None = None,
    seed: int = 0,
) -> PageLook:
    """A query and a page as the methods see them."""
    where = np.zeros(0, int) if cell_of is None else cell_of
    return PageLook(retriever, picture, query_of(retriever, text), page_of(retriever, picture), cells, where, seed)


def cosine(look: PageLook) -> Map:
    """Cosine with the query's tokens, their mean."""
    return look.cosines.mean(0)


def cosine_max(look: PageLook) -> Map:
    """Cosine with the query's tokens, the largest."""
    return look.cosines.max(0)


def gradient_input(look: PageLook) -> Map:
    """Gradient x input: of the MaxSim score, summed over the embedding; tied to the output."""
    inputs, _ = page_inputs(look.retriever, look.picture)
    given, slope = taken_in(look.retriever, inputs, look.query)
    assert slope is not None
    return np.asarray((given * slope).sum(-1))


def occlusion(look: PageLook) -> Map:
    """How much the MaxSim score falls when a cell is painted over with the picture's mean; tied to the output."""
    whole = score(look.query, look.page)
    fall = [whole - score(look.query, page_of(look.retriever, picture)) for picture in painted(look.picture, look.cells)]
    return np.array([*fall, 0.0])[look.cell_of]


METHODS: dict[str, Callable[[PageLook], Map]] = {
    "cosine": cosine,
    "cosine-max": cosine_max,
    "gradient-input": gradient_input,
    "occlusion": occlusion,
    **BASELINES,
}
