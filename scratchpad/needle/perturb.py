"""Deletion and insertion (Petsiuk et al., RISE, 2018): what an answer loses as a map's highest tokens go, and regains as they come back.

In: a picture, where its image tokens are, a map. Out: pictures to ask the model about, and areas under what it says of them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageFilter

from scratchpad.grid import Grid

Filling = Literal["mean", "blurred"]
FILLINGS: tuple[Filling, ...] = ("mean", "blurred")
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the image tokens that are changed, beside none and all
BLUR = 16  # the radius of the blur is one such part of the longer side


def filled(picture: Image.Image, filling: Filling) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with nothing to be seen on it: its mean colour, or itself blurred."""
    pixels = np.asarray(picture)
    if filling == "mean":
        return np.broadcast_to(pixels.reshape(-1, 3).mean(0).round().astype(np.uint8), pixels.shape)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(max(picture.size) / BLUR)))


def ranked(values: Float[np.ndarray, " v"], grid: Grid, seed: int = 0) -> Int[np.ndarray, " n"]:
    """The image tokens that show something, highest first; ties in an order drawn from the seed."""
    seen = np.flatnonzero(~np.isnan(grid.token_boxes()[:, 0]))
    drawn = np.random.default_rng(seed).random(len(seen))
    return np.asarray(seen[np.lexsort((drawn, -values[seen]))])


def perturbed(picture: Image.Image, grid: Grid, order: Int[np.ndarray, " n"], filling: Filling) -> list[Image.Image]:
    """Two pictures for each of SHARES: the first tokens of the order filled, and all but them filled."""
    pixels, empty = np.asarray(picture), filled(picture, filling)
    boxes = np.round(np.nan_to_num(grid.token_boxes())).astype(int)
    out = []
    for share in SHARES:
        first = np.zeros(pixels.shape[:2], bool)
        for y0, x0, y1, x1 in boxes[order[: round(share * len(order))]]:
            first[y0:y1, x0:x1] = True
        out += [Image.fromarray(np.where(first[..., None], empty, pixels)), Image.fromarray(np.where(first[..., None], pixels, empty))]
    return out


def areas(scores: Float[np.ndarray, " m"], whole: float, empty: float) -> tuple[float, float]:
    """(deletion, insertion): areas under the scores of `perturbed`'s pictures over the share changed, as parts of the whole picture's.

    Args:
        whole, empty: the score of the picture itself, and of it filled altogether.
    """
    at = (0.0, *SHARES, 1.0)
    unit = whole if abs(whole) > 1e-12 else 1.0
    deletion, insertion = ([first, *scores[part::2], last] for part, first, last in ((0, whole, empty), (1, empty, whole)))
    return float(np.trapezoid(deletion, at) / unit), float(np.trapezoid(insertion, at) / unit)
