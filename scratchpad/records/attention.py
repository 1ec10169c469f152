"""Attention of one token by layer and head."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import model_validator

from scratchpad.records.codec import F4, U1, WORKING, Count, record

MAX_MAPS = 8 * 2**20  # entries of the maps that travel


@record
class HeadAttention:
    """What of a token's attention falls on the image, in every head of every layer of the language model.

    Maps travel in bytes: `maps` times `peaks` over 255 is the share of the attention on each patch, to half a 255th of the head's highest.
    """

    token: Count  # sequence index; of an output token the row of the position that predicts it, of a prompt token its own
    shares: Annotated[Float[np.ndarray, "y h"], F4]  # of the attention that falls on image tokens at all; the rest falls on text
    peaks: Annotated[Float[np.ndarray, "y h"], F4]  # the highest share on one patch
    maps: Annotated[UInt8[np.ndarray, "y h p"], U1]  # each head's, in 255ths of its peak; no patches where there would be too many entries
    rows: Annotated[Float[np.ndarray, "y h v"] | None, WORKING] = None  # of each image token

    @model_validator(mode="after")
    def _whole(self) -> HeadAttention:
        if not self.shares.shape == self.peaks.shape == self.maps.shape[:2]:
            raise ValueError(f"maps of {self.maps.shape} stand beside shares of {self.shares.shape}, peaks of {self.peaks.shape}")
        return self


@record
class HeadMap:
    """Where a token's attention to the image lies, over some layers and heads: the mean of their rows, summing to 1 over patches."""

    token: Count
    layers: tuple[Count, ...]
    heads: tuple[Count, ...]
    share: float  # of the attention of these layers and heads, what falls on image tokens
    values: Annotated[Float[np.ndarray, " p"], F4]
