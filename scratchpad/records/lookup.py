"""What is looked up without asking the model: latents of the index, and a page as a retrieval model reads it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float

from scratchpad.grid import Grid
from scratchpad.records.analysis import Share, Trust
from scratchpad.records.codec import F4, Count, Text, record
from scratchpad.records.geometry import GridField


@record
class Neighbour:
    """A latent whose decoder row is like another's."""

    id: Count
    name: Text  # the label that the index knows it by, whatever the picture
    cosine: float


@record
class Entry:
    """What the index knows of one latent, whatever the picture; None where it was not measured."""

    id: Count
    name: Text
    source: Text  # where the name comes from: labels, masks, user, an encoder, or nothing
    auroc: Share | None
    sparsity: Share
    mean_activation: float
    entropy: float | None  # of labels, nats
    cluster: Count | None  # of decoder rows
    histogram: tuple[Count, ...]  # activations on patches, by powers of 2 from 2^-6 to 2^9; empty in an older index
    neighbours: tuple[Neighbour, ...]


@record
class Overview:
    """Every latent of an SAE that fires, by parallel fields."""

    ids: tuple[Count, ...]
    sparsity: tuple[float, ...]
    mean: tuple[float, ...]  # activation, where it fires
    entropy: tuple[float | None, ...]
    images: Count  # on which the index counted; 0 without an index


@record
class QueryPart:
    """One token of a query, as the retrieval model reads it."""

    id: Count
    text: Text
    part: Literal["prefix", "query", "augmentation"]


@record
class PageStudy:
    """Where every token of a query finds its like on a page."""

    query: Text
    tokens: tuple[QueryPart, ...]
    cosines: Annotated[Float[np.ndarray, "t p"], F4]  # each image token's, carried to its patches
    score: float  # MaxSim
    grid: Annotated[Grid, GridField()]
    trust: Trust | None
