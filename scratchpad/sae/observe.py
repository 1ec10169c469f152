"""What an index takes of one picture: its sparse codes, its geometry, its thumbnail. Small, so that it travels."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from PIL import Image

from scratchpad.grid import Grid
from scratchpad.records import Codes
from scratchpad.sae.likeness import summary
from scratchpad.sae.load import Sae

THUMBNAIL = 192  # px: shown at 96 css px and more, on screens of two pixels to one
QUALITY = 60  # WebP
RASTER = 16  # rows and columns of a mask where an image is several tiles


@dataclass(frozen=True)
class Observed:
    """One picture; d is the encoder's width."""

    codes: Codes = field(repr=False)
    grid: Grid = field(repr=False)
    thumbnail: bytes = field(repr=False)  # WebP
    explained: float  # share of the variance of its patches that the SAE explains
    mean: Float[np.ndarray, " d"] = field(repr=False)  # activation, over its patches or image tokens

    @property
    def whole(self) -> bool:
        """Whether one tile is all there is, so that its patches are the mask's cells."""
        return len(self.grid.tiles) == 1 and self.grid.tiles[0].patches == self.grid.patches

    @property
    def shape(self) -> tuple[int, int]:
        """Of masks."""
        return (self.grid.tiles[0].rows, self.grid.tiles[0].cols) if self.whole else (RASTER, RASTER)


def observed(sae: Sae, activations: Float[np.ndarray, "n d"], grid: Grid, picture: Image.Image) -> Observed:
    """What an index takes of a picture, given its activations at the point that the SAE reads."""
    codes = sae.encode(activations)
    explained, mean = summary(sae, activations, codes)
    if sae.at.place != "vision":  # rows are image tokens, and a patch has what its token has
        codes = codes.take(grid.token_of_patches())
    return Observed(codes, grid, thumbnail(picture), explained, mean.astype(np.float32))


def thumbnail(image: Image.Image) -> bytes:
    """A picture as WebP, squeezed to THUMBNAIL x THUMBNAIL px."""
    buffer = io.BytesIO()
    image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS).save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()
