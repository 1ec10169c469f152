"""Maps of late-interaction retrieval models. In: a `PageLook`. Out: a value per image token, float[v].

Cosine maps say where a query's tokens find their like; that every vector mixes the whole page is why the maps tied to the
score stand beside them (Needle in a Patched Haystack, section 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float

from scratchpad.grid import Grid
from scratchpad.saliency.baselines import BASELINES
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.page_states import taken_in
from scratchpad.vlm.retrieval import Page, Query, Retriever, page_inputs, page_of, query_of, score, similarity

Map = Float[np.ndarray, " v"]


@dataclass
class PageLook:
    """Lives as long as the maps of one picture are made."""

    retriever: Retriever = field(repr=False)
    request: SaliencyRequest
    query: Query
    page: Page = field(repr=False)

    @property
    def grid(self) -> Grid:
        """Where the page's image tokens are."""
        return self.page.grid

    @property
    def seed(self) -> int:
        """Of the random map."""
        return self.request.seed

    @cached_property
    def cosines(self) -> Float[np.ndarray, "t v"]:
        """Cosines of the tokens that the user wrote, in their order, with every image token."""
        return similarity(self.query, self.page)[self.query.own]


def page_look(retriever: Retriever, request: SaliencyRequest) -> PageLook:
    """A query and a page as the methods see them.

    Raises:
        UserError: the query is empty, or contains one of the model's control tokens.
    """
    return PageLook(retriever, request, query_of(retriever, request.text), page_of(retriever, request.picture))


def cosine(look: PageLook) -> Map:
    """Cosine with the query's tokens, their mean."""
    return np.asarray(look.cosines.mean(0))


def cosine_max(look: PageLook) -> Map:
    """Cosine with the query's tokens, the largest."""
    return np.asarray(look.cosines.max(0))


def gradient_input(look: PageLook) -> Map:
    """Gradient x input: of the MaxSim score, summed over the embedding; tied to the output."""
    inputs, _ = page_inputs(look.retriever, look.request.picture)
    given, slope = taken_in(look.retriever, inputs, look.query)
    assert slope is not None
    return np.asarray((given * slope).sum(-1))


def occlusion(look: PageLook) -> Map:
    """How much the MaxSim score falls when a cell is painted over with the picture's mean; tied to the output."""
    whole = score(look.query, look.page)
    fall = [whole - score(look.query, page_of(look.retriever, picture)) for picture in look.request.painted()]
    return np.asarray(np.array([*fall, 0.0])[look.request.cell_of])


METHODS: dict[str, Callable[[PageLook], Map]] = {
    "cosine": cosine,
    "cosine-max": cosine_max,
    "gradient-input": gradient_input,
    "occlusion": occlusion,
    **BASELINES,
}
