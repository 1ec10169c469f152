"""Measures where a processor's tiles lie: it's shown pictures whose colours are their own coordinates.

In: a processor and image sizes. Out: pixel values that say, for every pixel a model would see, where in the original it
comes from, and the tile boxes that follow. No formula of any resize, crop, tiling or padding has to be known or kept up
to date. Red runs from 0 to 255 with x, green with y; blue says which image it is, so that padding shows too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from scratchpad.grid import Box
from scratchpad.images import MAX_IMAGES  # more blues would come near those of padding
from scratchpad.vlm.protocols import ImageProcessor

FLAT = 16  # px: along a shorter side a ramp has too few steps to be read; such a side is never cropped by any family
SNAP = 0.5  # px within which a measured edge is taken for the image's border

STEP = 8  # of blue from one image to the next


def ramp(size: tuple[int, int], image: int = 0) -> Image.Image:
    """A picture of (h, w) pixels that shows its own coordinates and its number."""
    assert image < MAX_IMAGES, image
    h, w = size
    out = np.full((h, w, 3), 255 - STEP * image, np.uint8)
    out[..., 0] = np.round(255 * (np.arange(w) + 0.5) / w)[None, :]
    out[..., 1] = np.round(255 * (np.arange(h) + 0.5) / h)[:, None]
    return Image.fromarray(out)


def unnormalised(pixels: Tensor, image_processor: ImageProcessor) -> Float[Tensor, ...]:
    """Pixel values (channels on the third axis from the end) as they were before rescaling and normalising: 0 .. 255."""
    out = pixels.float()
    if getattr(image_processor, "do_normalize", True):
        mean, std = (torch.tensor(getattr(image_processor, name)).view(-1, 1, 1) for name in ("image_mean", "image_std"))
        out = out * std + mean
    return out / image_processor.rescale_factor if getattr(image_processor, "do_rescale", True) else out


def tile_of(tile: Float[Tensor, "3 y x"], sizes: Sequence[tuple[int, int]]) -> tuple[Box, int] | None:
    """The box in its original image that a tile of a ramp shows, and that image's number; None for a tile of padding alone.

    Where the tile is padded its box reaches beyond the image.
    """
    pixels = tile.numpy()
    blue = (255 - pixels[2]) / STEP
    image = int(np.median(np.round(blue[blue < MAX_IMAGES]))) if (blue < MAX_IMAGES).mean() > 0.001 else MAX_IMAGES
    if image >= len(sizes):
        return None
    shown = np.abs(blue - image) < 0.4
    y0, y1 = _span(pixels[1], shown, 0, sizes[image][0])
    x0, x1 = _span(pixels[0], shown, 1, sizes[image][1])
    return (y0, x0, y1, x1), image


def _span(values: Float[np.ndarray, "y x"], shown: np.ndarray, axis: int, length: int) -> tuple[float, float]:
    """Where a tile begins and ends along an axis: a line through what its pixels say of their place."""
    lines = np.flatnonzero(shown.any(1 - axis))
    total = values.shape[axis]
    if length < FLAT or len(lines) < 4:
        scale = length / len(lines)
        return _snap(-lines[0] * scale, length), _snap((total - lines[0]) * scale, length)
    sums = np.where(shown, values, 0).sum(1 - axis)[lines] / shown.sum(1 - axis)[lines]
    places = sums / 255 * length
    rim = max(1, len(lines) // 16)  # resampling bends a ramp at its ends
    slope, start = np.polyfit(lines[rim:-rim] + 0.5, places[rim:-rim], 1)
    return _snap(start, length), _snap(start + slope * total, length)


def _snap(edge: float, length: int) -> float:
    """A measured edge, on the image's own border where it lies within SNAP of it."""
    near = min((0.0, float(length)), key=lambda border: abs(border - edge))
    return near if abs(edge - near) < SNAP else round(float(edge), 2)
