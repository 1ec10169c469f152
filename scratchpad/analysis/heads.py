"""Attention of one token, head by head, over the patches of the picture.

In: rows over image tokens, by layer and head. Out: `HeadAttention`, or the mean over some layers and heads as `HeadMap`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.records.attention import MAX_MAPS, HeadAttention, HeadMap


def by_head(token: int, rows: Float[np.ndarray, "y h v"], grid: Grid) -> HeadAttention:
    """Each head's map, and how much of its attention falls on the image at all."""
    patches = grid.to_patches(rows)
    peaks = patches.max(-1, initial=0)
    highest = np.maximum(peaks, np.finfo(np.float32).tiny)[..., None]  # a head may see nothing of the image
    maps = np.round(255 * (patches / highest)).astype(np.uint8)
    return HeadAttention(
        token=token,
        shares=rows.sum(-1),
        peaks=peaks,
        maps=maps if maps.size <= MAX_MAPS else maps[..., :0],
        rows=rows,
    )


def head_map(attention: HeadAttention, grid: Grid, layers: Sequence[int] | None = None, heads: Sequence[int] | None = None) -> HeadMap:
    """The mean over some layers and heads, all by default.

    Raises:
        UserError: a layer or head that isn't there, or none at all.
    """
    assert attention.rows is not None, "attention rows stay in the process: ask the question again"
    y, h, _ = attention.rows.shape
    ys, hs = _chosen("Attention layers", layers, y), _chosen("Attention heads", heads, h)
    row = attention.rows[np.ix_(ys, hs)].mean((0, 1))
    share = float(row.sum())
    values = row / share if share > 1e-12 else np.zeros_like(row)
    return HeadMap(attention.token, ys, hs, share, grid.to_patches(values))


def _chosen(what: str, given: Sequence[int] | None, count: int) -> tuple[int, ...]:
    chosen = tuple(range(count)) if given is None else tuple(dict.fromkeys(given))
    if not chosen or not all(isinstance(i, int) and 0 <= i < count for i in chosen):
        raise UserError(f"{what} {list(chosen)[:20]} were given; expected one or more of 0 to {count - 1}.")
    return chosen
