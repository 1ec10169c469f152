"""Sparse codes of a run's activations, attention carried to patches, and what of a latent falls on what a token attends to."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, model_validator

from scratchpad.records.codec import F4, I4, Count, Text, record


@record
class Codes:
    """The active latents of every patch (or row of activations), padded with value 0."""

    sae: Text
    d_sae: Annotated[int, Field(ge=1)]
    values: Annotated[Float[np.ndarray, "p k"], F4]
    indices: Annotated[Int[np.ndarray, "p k"], I4]

    @model_validator(mode="after")
    def _whole(self) -> Codes:
        if self.values.shape != self.indices.shape:
            raise ValueError(f"codes have values of shape {self.values.shape} and indices of {self.indices.shape}")
        if self.indices.size and not (self.indices.min() >= 0 and self.indices.max() < self.d_sae):
            raise ValueError(f"codes name latents outside 0 to {self.d_sae - 1}")
        return self

    def active(self) -> Int[np.ndarray, " n"]:
        """Ids of latents that are active on some patch, ascending."""
        return np.unique(self.indices[self.values > 0])

    def take(self, rows: Int[np.ndarray, " n"]) -> Codes:
        """The codes of some rows, in their order; none are active where a row is -1."""
        values = self.values[rows]
        values[rows < 0] = 0
        return Codes(self.sae, self.d_sae, values, self.indices[rows])

    def of(self, latent: int) -> Float[np.ndarray, " p"]:
        """One latent's activation on every patch."""
        return np.asarray(np.where(self.indices == latent, self.values, 0).max(1, initial=0), np.float32)

    def dense(self, latents: Int[np.ndarray, " n"]) -> Float[np.ndarray, "p n"]:
        """Activations of a few latents (ids ascending) on every patch."""
        out = np.zeros((len(self.values), len(latents)), np.float32)
        if not len(latents):
            return out
        column = np.minimum(np.searchsorted(latents, self.indices), len(latents) - 1)
        p, k = np.nonzero((latents[column] == self.indices) & (self.values > 0))
        out[p, column[p, k]] = self.values[p, k]
        return out


@record
class Spoken:
    """The active latents of tokens of text, at a hook point that they pass."""

    tokens: tuple[Count, ...]  # sequence indices
    codes: Codes  # a row for each

    @model_validator(mode="after")
    def _whole(self) -> Spoken:
        if len(self.codes.values) != len(self.tokens):
            raise ValueError(f"{len(self.tokens)} tokens have codes of {len(self.codes.values)}")
        return self


@record
class Weights:
    """How much each text token attends to each patch; rows sum to 1 where the token sees the image at all."""

    tokens: tuple[Count, ...]  # sequence indices of text tokens
    values: Annotated[Float[np.ndarray, "t p"], F4]


@record
class Scores:
    """s(t, l) = sum over patches of weight(t, p) * a(p, l), of every active latent (reference 1.3), and its plain mean over patches."""

    tokens: tuple[Count, ...]  # sequence indices of text tokens
    latents: tuple[Count, ...]  # ids, ascending
    weighted: Annotated[Float[np.ndarray, "t n"], F4]
    mean: Annotated[Float[np.ndarray, " n"], F4]


@record
class Cluster:
    """Columns of a heatmap that rise and fall together."""

    id: Count
    latents: tuple[Count, ...]


@record
class Heatmap:
    """Tokens x latents: attention-weighted activation, each column scaled to 0 .. 1, columns clustered and ordered."""

    tokens: tuple[Count, ...]
    latents: tuple[Count, ...]
    raw: Annotated[Float[np.ndarray, "t l"], F4]
    values: Annotated[Float[np.ndarray, "t l"], F4]
    clusters: tuple[Cluster, ...]

    @model_validator(mode="after")
    def _whole(self) -> Heatmap:
        shape = (len(self.tokens), len(self.latents))
        if self.raw.shape != shape or self.values.shape != shape:
            raise ValueError(f"a heatmap of {shape} has values of {self.values.shape} and {self.raw.shape}")
        return self
