"""LLaVA-NeXT and LLaVA-OneVision: a base view and AnyRes tiles, whose padding is cut off and whose rows end in a newline token."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int
from scipy import sparse
from torch import Tensor
from transformers.models.llava_next.modeling_llava_next import get_anyres_image_grid_shape, image_size_to_num_patches, unpad_image

from scratchpad.grid import Tile, one_to_one
from scratchpad.vlm.adapter import Layout, Shown, layout_of, measured_tiles
from scratchpad.vlm.families.llava import Llava

Mosaic = tuple[sparse.csr_matrix, tuple[int, int]]  # v x p, and its (rows, cols) of tokens


class LlavaNext(Llava):
    """LLaVA-NeXT (1.6)."""

    family = "LLaVA-NeXT"
    model_types: tuple[str, ...] = ("llava_next",)

    def layout(self, shown: Shown) -> Layout:
        """For each image its base view, then the tiles of its mosaic, padding cut off."""
        vision = self.config.vision_config
        side = vision.image_size // vision.patch_size
        counts = self.tile_counts(shown)
        tiles: list[Tile] = []
        ramps = shown.ramps if shown.ramps.ndim == 5 else shown.ramps[:, None]
        for image, (own, count) in enumerate(zip(ramps, counts, strict=True)):
            h, w = shown.sizes[image]
            beside = Tile((float(h), float(w), 2.0 * h, 2.0 * w), side, side, image)  # a sliver leaves tiles that are padding alone
            tiles += [next(iter(measured_tiles(ramp[None], shown.sizes, vision.patch_size)), beside) for ramp in own[:count]]
        matrices = [self.image_matrix(size, n, side) for size, n in zip(shown.sizes, counts, strict=True)]
        return layout_of(shown.sizes, tiles, matrices)

    def tile_counts(self, shown: Shown) -> list[int]:
        """How many tiles each image is given, its base view among them."""
        config = self.config
        return [image_size_to_num_patches(list(size), config.image_grid_pinpoints, config.vision_config.image_size) for size in shown.sizes]

    def image_matrix(self, size: tuple[int, int], tiles: int, side: int) -> sparse.csr_matrix:
        """v x p of one image: base view, then the rows of the unpadded mosaic with a newline after each."""
        base = one_to_one(side * side)
        if tiles == 1:
            return _with_newlines(base, 1, side * side)
        down, across = get_anyres_image_grid_shape(list(size), self.config.image_grid_pinpoints, self.config.vision_config.image_size)
        patch = np.arange(down * across * side * side).reshape(down, across, side, side).transpose(0, 2, 1, 3)
        mosaic = unpad_image(torch.from_numpy(patch.reshape(1, down * side, across * side)), list(size))[0]
        fine, shape = self.pooled(mosaic, down * across * side * side, side)
        return sparse.csr_matrix(sparse.block_diag([base, _with_newlines(fine, *shape)], format="csr"))

    def pooled(self, mosaic: Int[Tensor, "rows cols"], patches: int, side: int) -> Mosaic:
        """Tokens of the mosaic row by row, as v x p, and how many rows of how many there are."""
        flat = mosaic.flatten().numpy()
        matrix = sparse.csr_matrix((np.ones(len(flat), np.float32), (np.arange(len(flat)), flat)), shape=(len(flat), patches))
        rows, cols = mosaic.shape
        return matrix, (rows, cols)


class LlavaOneVision(LlavaNext):
    """As LLaVA-NeXT, with large mosaics shrunk bilinearly, and one padded tile each when there are several images."""

    family = "LLaVA-OneVision"
    model_types = ("llava_onevision",)

    def tile_counts(self, shown: Shown) -> list[int]:
        """As LLaVA-NeXT; one each where a prompt has several images."""
        several = len(shown.sizes) > 1 and int(shown.inputs["batch_num_images"].max()) > 1
        return [1] * len(shown.sizes) if several else super().tile_counts(shown)

    def pooled(self, mosaic: Int[Tensor, "rows cols"], patches: int, side: int) -> Mosaic:
        """As LLaVA-NeXT; above `anyres_max` tiles shrunk bilinearly."""
        matrix, (rows, cols) = super().pooled(mosaic, patches, side)
        most = int(self.config.vision_aspect_ratio.removeprefix("anyres_max_"))
        ratio = math.sqrt(mosaic.numel() / (most * side**2))
        if ratio <= 1.1:
            return matrix, (rows, cols)
        less = _shrink(rows, int(rows // ratio)), _shrink(cols, int(cols // ratio))
        return sparse.csr_matrix(sparse.kron(*less) @ matrix), (int(rows // ratio), int(cols // ratio))


def _shrink(before: int, after: int) -> sparse.csr_matrix:
    """after x before: what bilinear interpolation makes of a row of `before` values."""
    return sparse.csr_matrix(F.interpolate(torch.eye(before)[:, None], after, mode="linear")[:, 0].T.numpy())


def _with_newlines(tokens: sparse.csr_matrix, rows: int, cols: int) -> sparse.csr_matrix:
    """An empty row after every `cols` tokens: a newline token is made of no patch."""
    if not rows:
        return tokens
    empty = sparse.csr_matrix((1, tokens.shape[1]), dtype=np.float32)
    parts = [part for row in range(rows) for part in (tokens[row * cols : (row + 1) * cols], empty)]
    return sparse.csr_matrix(sparse.vstack([part for part in parts if part.shape[0]], format="csr"))
