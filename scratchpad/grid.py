"""Where things are: image token <-> vision patch <-> pixel. The only home of this geometry.

In: sizes and boxes. Out: a `Grid`. Knows nothing of models; adapters declare a Grid, everything else asks it.
Positions are (row, col), boxes (y0, x0, y1, x1), half open, in pixels of the ORIGINAL image, origin top left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Tile:
    """One picture as the vision encoder sees it: its box in the original image, cut into rows x cols patches.

    A box may reach beyond its image where the processor pads.
    """

    box: Box
    rows: int
    cols: int
    image: int = 0  # which of a run's images it's cut from

    @property
    def patches(self) -> int:
        """How many patches it is cut into."""
        return self.rows * self.cols


@dataclass(frozen=True)
class Grid:
    """The patches of all tiles, row by row within each, and the image tokens that they become."""

    sizes: tuple[tuple[int, int], ...]  # (h, w) of every original image
    tiles: tuple[Tile, ...]
    token_patches: sparse.csr_matrix = field(repr=False)  # v x p, rows sum to 1: which patches an image token is made of

    def __post_init__(self) -> None:
        rows = np.asarray(self.token_patches.sum(1)).ravel()
        assert self.token_patches.shape[1] == self.patches, (self.token_patches.shape, self.patches)
        assert np.all(np.isclose(rows, 1) | np.isclose(rows, 0)), f"rows of the token-to-patch matrix sum to {rows}"

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the first image, in most runs the only one."""
        return self.sizes[0]

    @property
    def image_tokens(self) -> int:
        """How many image tokens there are, v."""
        return int(self.token_patches.shape[0])

    @property
    def patches(self) -> int:
        """How many patches all tiles have together, p."""
        return sum(tile.patches for tile in self.tiles)

    def to_patches(self, weights: Float[np.ndarray, "*t v"]) -> Float[np.ndarray, "*t p"]:
        """Carries a weight per image token to the patches: each token's weight is shared among its patches."""
        flat = weights.reshape(-1, self.image_tokens)
        return np.asarray((self.token_patches.T @ flat.T).T).reshape(*weights.shape[:-1], self.patches)

    def token_values_to_patches(self, values: Float[np.ndarray, "*t v"]) -> Float[np.ndarray, "*t p"]:
        """A value per image token as one per patch: that of its token, the weighted mean where it is part of several, 0 of none.

        For quantities that a patch has as its token does (a cosine, a brightness); `to_patches` shares out what sums up.
        """
        flat = values.reshape(-1, self.image_tokens)
        share = np.asarray(self.token_patches.sum(0)).ravel()
        patches = np.asarray((self.token_patches.T @ flat.T).T) / np.where(share > 0, share, 1)
        return patches.reshape(*values.shape[:-1], self.patches)

    def patch_values_to_tokens(self, values: Float[np.ndarray, " p"]) -> Float[np.ndarray, " v"]:
        """A value per patch as one per image token: the weighted mean of its patches, 0 for a token made of none."""
        return np.asarray(self.token_patches @ values)

    def token_of_patches(self) -> Int[np.ndarray, " p"]:
        """The image token that most of every patch goes into, the first of equals; -1 for a patch that goes into none."""
        entries = self.token_patches.tocoo()
        order = np.lexsort((-entries.row, entries.data, entries.col))  # the last of each patch's is its largest share's
        out = np.full(self.patches, -1)
        out[entries.col[order]] = entries.row[order]
        return out

    def places(self) -> Places:
        """Of activations with a row per patch."""
        return Places(self, self.patches, np.arange(self.patches), None)

    def token_places(self, positions: Sequence[int] | None = None, length: int | None = None) -> Places:
        """Of activations with a row per image token, or with a row for every token of a sequence.

        Args:
            positions: where image tokens stand in a sequence; `length` of it.
        """
        rows = np.arange(self.image_tokens) if positions is None else np.asarray(positions, int)
        of_patches = self.token_of_patches()
        return Places(self, length or len(rows), np.where(of_patches < 0, -1, rows[of_patches]), rows)

    def token_boxes(self) -> Float[np.ndarray, "v 4"]:
        """The pixel box (y0, x0, y1, x1) that holds all patches of every image token; nan for a token made of none."""
        boxes = self.patch_boxes()
        out = np.full((self.image_tokens, 4), np.nan)
        for v in range(self.image_tokens):
            mine = boxes[self.token_patches[v].indices]
            if len(mine):
                out[v] = (*mine[:, :2].min(0), *mine[:, 2:].max(0))
        return out

    def split(self, values: Float[np.ndarray, " p"]) -> list[Float[np.ndarray, "rows cols"]]:
        """A value per patch as one map per tile."""
        ends = np.cumsum([tile.patches for tile in self.tiles])[:-1]
        return [part.reshape(t.rows, t.cols) for part, t in zip(np.split(values, ends), self.tiles, strict=True)]

    def patch_boxes(self) -> Float[np.ndarray, "p 4"]:
        """The pixel box of every patch."""
        out = []
        for tile in self.tiles:
            y0, x0, y1, x1 = tile.box
            row, col = np.divmod(np.arange(tile.patches), tile.cols)
            h, w = (y1 - y0) / tile.rows, (x1 - x0) / tile.cols
            out.append(np.stack([y0 + row * h, x0 + col * w, y0 + (row + 1) * h, x0 + (col + 1) * w], 1))
        return np.concatenate(out)

    def patch_images(self) -> Int[np.ndarray, " p"]:
        """Which image every patch is cut from."""
        return np.repeat([tile.image for tile in self.tiles], [tile.patches for tile in self.tiles])

    def patches_in(self, box: Box, image: int = 0) -> Bool[np.ndarray, " p"]:
        """Which patches have their centre in a pixel box of an image."""
        b = self.patch_boxes()
        y, x = (b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2
        return np.asarray((self.patch_images() == image) & (y >= box[0]) & (y < box[2]) & (x >= box[1]) & (x < box[3]))

    def raster(self, rows: int, cols: int, image: int = 0) -> sparse.csr_matrix:
        """A matrix (rows * cols) x p that takes a value per patch to a picture of an image of rows x cols pixels, row by row.

        A pixel has the value of the patch under its centre, the mean where tiles overlap, 0 where there's no tile.
        """
        h, w = self.sizes[image]
        y, x = ((np.arange(n) + 0.5) * side / n for n, side in ((rows, h), (cols, w)))
        at, patch = [], []
        first = 0
        for tile in self.tiles:
            y0, x0, y1, x1 = tile.box
            row, col = np.floor((y - y0) / (y1 - y0) * tile.rows), np.floor((x - x0) / (x1 - x0) * tile.cols)
            inside = np.outer((row >= 0) & (row < tile.rows), (col >= 0) & (col < tile.cols)) & (tile.image == image)
            index = first + row[:, None] * tile.cols + col[None]
            at.append(np.flatnonzero(inside))
            patch.append(index[inside].astype(int))
            first += tile.patches
        rows_of, patches = np.concatenate(at), np.concatenate(patch)
        share = 1 / np.bincount(rows_of, minlength=rows * cols)[rows_of]
        return sparse.csr_matrix((share.astype(np.float32), (rows_of, patches)), shape=(rows * cols, self.patches))

    def picture(self, values: Float[np.ndarray, " p"], image: int = 0) -> Float[np.ndarray, "y x"]:
        """A value per patch painted onto an original image's pixels; where tiles overlap, their mean."""
        h, w = self.sizes[image]
        out, count = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
        for tile, part in zip(self.tiles, self.split(values), strict=True):
            if tile.image != image:
                continue
            y0, x0, y1, x1 = tile.box
            ys, xs = np.arange(max(0, round(y0)), min(h, round(y1))), np.arange(max(0, round(x0)), min(w, round(x1)))
            row = np.clip(((ys + 0.5 - y0) / (y1 - y0) * tile.rows).astype(int), 0, tile.rows - 1)
            col = np.clip(((xs + 0.5 - x0) / (x1 - x0) * tile.cols).astype(int), 0, tile.cols - 1)
            out[np.ix_(ys, xs)] += part[np.ix_(row, col)]
            count[np.ix_(ys, xs)] += 1
        return out / np.maximum(count, 1)


@dataclass(frozen=True)
class Places:
    """What each of n rows of activations stands for: a patch, an image token, or a token of text, which is nowhere on the picture.

    A patch has what its token has; one that goes into several, what the token has that most of it goes into.
    """

    grid: Grid
    count: int  # n
    of_patches: Int[np.ndarray, " p"] = field(repr=False)  # the row of every patch; -1 for none
    of_tokens: Int[np.ndarray, " v"] | None = field(repr=False)  # the row of every image token; None where rows are patches

    @property
    def pictured(self) -> Int[np.ndarray, " m"]:
        """The rows that are of the picture, ascending: patches or image tokens."""
        return np.arange(self.count) if self.of_tokens is None else self.of_tokens

    @property
    def spoken(self) -> Int[np.ndarray, " t"]:
        """The rows that are tokens of text, ascending."""
        return np.setdiff1d(np.arange(self.count), self.pictured)

    def of_image(self, image: int) -> Bool[np.ndarray, " n"]:
        """Which rows are of an image."""
        return self._of(self.grid.patch_images() == image)

    def within(self, box: Box, image: int = 0) -> Bool[np.ndarray, " n"]:
        """Which rows have a patch whose centre is in a pixel box of an image."""
        return self._of(self.grid.patches_in(box, image))

    def _of(self, patches: Bool[np.ndarray, " p"]) -> Bool[np.ndarray, " n"]:
        out = np.zeros(self.count, bool)
        rows = self.of_patches[patches]
        out[rows[rows >= 0]] = True
        return out

    def to_patches(self, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " p"]:
        """A value per row as one per patch; 0 for a patch that has no row."""
        return np.where(self.of_patches < 0, 0, values[self.of_patches])

    def carried(self, weights: Float[np.ndarray, "t v"]) -> Float[np.ndarray, "t n"]:
        """A weight per image token on the rows; a token of text has none."""
        if self.of_tokens is None:
            return self.grid.to_patches(weights)
        out = np.zeros((len(weights), self.count), weights.dtype)
        out[:, self.of_tokens] = weights
        return out

    def even(self) -> Float[np.ndarray, " n"]:
        """The same weight for every row that is of the picture."""
        out = np.zeros(self.count, np.float32)
        out[self.pictured] = 1 / max(1, len(self.pictured))
        return out


def single_tile(size: tuple[int, int], box: Box, rows: int, cols: int) -> Grid:
    """One tile whose patches are the image tokens, one to one, as in LLaVA 1.5."""
    return Grid((size,), (Tile(box, rows, cols),), sparse.identity(rows * cols, np.float32, format="csr"))


def one_to_one(patches: int) -> sparse.csr_matrix:
    """v x p where every patch is an image token: the identity."""
    return sparse.identity(patches, np.float32, format="csr")


def merged(rows: int, cols: int, side: int) -> sparse.csr_matrix:
    """v x p of a tile whose image tokens, row by row, are blocks of side x side patches; rows and cols are multiples of side."""
    assert rows % side == cols % side == 0, (rows, cols, side)
    row, col = np.divmod(np.arange(rows * cols), cols)
    token = row // side * (cols // side) + col // side
    return sparse.csr_matrix((np.full(rows * cols, side**-2, np.float32), (token, np.arange(rows * cols))))


def stacked(parts: list[sparse.csr_matrix]) -> sparse.csr_matrix:
    """v x p of tiles whose tokens and patches follow one another."""
    return sparse.csr_matrix(sparse.block_diag(parts, format="csr"))


def kept_box(size: tuple[int, int], resized: tuple[int, int], crop: tuple[int, int] | None) -> Box:
    """The part of the original image that a resize and a centred crop (both (h, w)) leave, in original pixels."""
    if crop is None:
        return (0.0, 0.0, float(size[0]), float(size[1]))
    out = []
    for full, after, left in zip(size, resized, crop, strict=True):
        scale, start = full / after, (after - left) // 2
        out.append((start * scale, (start + left) * scale))
    (y0, y1), (x0, x1) = out
    return (y0, x0, y1, x1)
