"""A map of values per patch as a picture: over the image it's of, or alone. The only place where one is laid over the other.

In: a `Grid`, which knows where patches are, and values. Out: pictures. Knows nothing of models, nor of what the values mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from scratchpad.draw.colours import sequential
from scratchpad.grid import Grid
from scratchpad.images import beside, thumbnail

SHEET = 1024  # px of the longer side of each of several pictures
DIM = 0.25  # brightness outside a spotlight
LINE = (255, 255, 255, 150)  # RGBA of the patches' borders


def overlay(
    picture: Image.Image, grid: Grid, values: Float[np.ndarray, " p"], image: int = 0, top: float | None = None, side: int | None = None
) -> Image.Image:
    """A map laid over a picture: grey where it's low, coloured where it's high.

    Args:
        picture: the `image`-th of the run, at its own size or scaled down.
        values: one a patch of all images, 0 for none of it.
        top: the value that is coloured most; by default the largest over all images, so that several are alike.
        side: pixels that the longer side of what is returned has at most; by default the picture's own.
    """
    assert values.shape == (grid.patches,), (values.shape, grid.patches)
    drawn = picture if side is None else thumbnail(picture, side)
    top = float(values.max(initial=0)) if top is None else top
    strength = _painted(grid, values, drawn.size, image) / (top if top > 0 else 1)
    grey = np.asarray(drawn.convert("L"), np.float32)[..., None] * 0.75 + 50
    share = np.clip(strength, 0, 1)[..., None] * 0.85
    return Image.fromarray((grey * (1 - share) + sequential(strength) * share).clip(0, 255).astype(np.uint8))


def spotlight(picture: Image.Image, grid: Grid, values: Float[np.ndarray, " p"], image: int = 0, side: int | None = None) -> Image.Image:
    """A picture in full colour where a map is high, dimmed elsewhere: nothing is laid over what the map is about.

    Args:
        picture, values, side: as in `overlay`.
    """
    assert values.shape == (grid.patches,), (values.shape, grid.patches)
    drawn = picture if side is None else thumbnail(picture, side)
    top = float(values.max(initial=0))
    lit = np.clip(_painted(grid, values, drawn.size, image) / (top if top > 0 else 1), 0, 1)[..., None]
    return Image.fromarray((np.asarray(drawn, np.float32) * (DIM + (1 - DIM) * lit)).clip(0, 255).astype(np.uint8))


def over_all(
    pictures: Sequence[Image.Image], grid: Grid, values: Float[np.ndarray, " p"], side: int | None = None, across: int = 4
) -> Image.Image:
    """A map laid over all pictures of a run, one scale of colour, beside each other in rows of up to `across`.

    Args:
        side: pixels that each one's longer side has at most; by default 1024 where there are several.
    """
    side = SHEET if side is None and len(pictures) > 1 else side
    return beside([overlay(picture, grid, values, i, side=side) for i, picture in enumerate(pictures)], across)


def spotlights(pictures: Sequence[Image.Image], grid: Grid, values: Float[np.ndarray, " p"], side: int, across: int = 4) -> Image.Image:
    """As `over_all`, each picture under a spotlight."""
    return beside([spotlight(picture, grid, values, i, side) for i, picture in enumerate(pictures)], across)


def alone(grid: Grid, values: Float[np.ndarray, " p"], image: int, side: int) -> Image.Image:
    """A map without its picture, black where it's 0 and brightest where it's 1.

    Args:
        values: one a patch of all images, 0 .. 1.
        side: pixels of the longer side.
    """
    h, w = grid.sizes[image]
    scale = side / max(h, w)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    return Image.fromarray(sequential(_raster(grid, values, size, image)).round().astype(np.uint8))


def ruled(picture: Image.Image, grid: Grid, image: int, side: int) -> Image.Image:
    """A picture, `side` pixels at its longer side, with the borders of its patches."""
    scale = side / max(picture.size)
    drawn = resized(picture, side)
    pen = ImageDraw.Draw(drawn, "RGBA")
    for (y0, x0, y1, x1), of in zip(grid.patch_boxes(), grid.patch_images(), strict=True):
        if of == image:
            pen.rectangle((x0 * scale, y0 * scale, x1 * scale, y1 * scale), outline=LINE)
    return drawn


def resized(picture: Image.Image, side: int) -> Image.Image:
    """A copy, made smaller or larger, whose longer side has so many pixels."""
    scale = side / max(picture.size)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS)


def _painted(grid: Grid, values: Float[np.ndarray, " p"], size: tuple[int, int], image: int) -> Float[np.ndarray, "y x"]:
    """The map at a picture's (w, h): on the image's own pixels exactly, on fewer by what lies under each pixel's centre."""
    return grid.picture(values, image) if (size[1], size[0]) == grid.sizes[image] else _raster(grid, values, size, image)


def _raster(grid: Grid, values: Float[np.ndarray, " p"], size: tuple[int, int], image: int) -> Float[np.ndarray, "y x"]:
    w, h = size
    return np.asarray(grid.raster(h, w, image) @ values).reshape(h, w)
