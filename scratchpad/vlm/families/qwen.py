"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL and GLM-4V: one tile of the image's own shape, patches in merge-block order, 2 x 2 of them a token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Int
from torch import Tensor, nn
from transformers.vision_utils import get_vision_window_index

from scratchpad.grid import Grid, Tile, merged, stacked
from scratchpad.vlm.adapter import Adapter, Layout, Shown


class Qwen2VL(Adapter):
    """Qwen2-VL, and what ColQwen2 stands on."""

    family = "Qwen2-VL"
    model_types: tuple[str, ...] = ("qwen2_vl",)

    @property
    def tower(self) -> nn.Module:
        """`visual`."""
        tower: nn.Module = self.body.visual
        return tower

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """The tower's."""
        return list(self.body.visual.blocks)

    @property
    def width(self) -> int:
        """`embed_dim`: `hidden_size` is the language model's there."""
        return int(self.config.vision_config.embed_dim)

    def layout(self, shown: Shown) -> Layout:
        """One tile an image, its blocks of spatial_merge_size x spatial_merge_size patches one token each."""
        side = self.config.vision_config.spatial_merge_size
        shapes = [(int(h), int(w)) for _, h, w in shown.inputs["image_grid_thw"].tolist()]
        # the whole image is resized, nothing is cropped or padded, so its box needs no measuring
        tiles = [Tile((0.0, 0.0, float(h), float(w)), *shape, i) for i, (shape, (h, w)) in enumerate(zip(shapes, shown.sizes, strict=True))]
        starts = np.cumsum([0, *(tile.patches for tile in tiles)])
        order = np.concatenate([start + _block_order(*shape, side) for start, shape in zip(starts, shapes, strict=False)])
        matrices = [merged(*shape, side) for shape in shapes]
        return Layout(Grid(tuple(shown.sizes), tuple(tiles), stacked(matrices)), self.seen_order(order, shown.inputs["image_grid_thw"]))

    def seen_order(self, order: Int[np.ndarray, " p"], shapes: Tensor) -> Int[np.ndarray, " p"]:
        """The order in which the blocks see patches that came in merge-block order."""
        return order


class Qwen25VL(Qwen2VL):
    """Its blocks see patches window by window."""

    family = "Qwen2.5-VL"
    model_types = ("qwen2_5_vl",)

    @property
    def width(self) -> int:
        """`hidden_size`."""
        return int(self.config.vision_config.hidden_size)

    def seen_order(self, order: Int[np.ndarray, " p"], shapes: Tensor) -> Int[np.ndarray, " p"]:
        """Window by window."""
        vision = self.config.vision_config
        windows, _ = get_vision_window_index(shapes, vision.spatial_merge_size, vision.window_size, vision.patch_size)
        blocks = order.reshape(-1, vision.spatial_merge_size**2)
        return np.asarray(blocks[windows.cpu().numpy()].ravel())


class Qwen3VL(Qwen2VL):
    """DeepStack: the language model also reads some earlier blocks, so every block up to the last has an effect."""

    family = "Qwen3-VL"
    model_types = ("qwen3_vl", "qwen3_vl_moe")

    @property
    def width(self) -> int:
        """`hidden_size`."""
        return int(self.config.vision_config.hidden_size)

    @property
    def read_layers(self) -> tuple[int, ...]:
        """Those of DeepStack, and the last."""
        return tuple(sorted({*self.config.vision_config.deepstack_visual_indexes, len(self.blocks) - 1}))


class Glm4V(Qwen2VL):
    """GLM-4.1V, GLM-4.5V and GLM-4.6V: a convolution makes a token of each block of patches."""

    family = "GLM-4V"
    model_types = ("glm4v", "glm4v_moe", "glm46v")

    @property
    def width(self) -> int:
        """`hidden_size`."""
        return int(self.config.vision_config.hidden_size)


def _block_order(rows: int, cols: int, side: int) -> Int[np.ndarray, " p"]:
    """Row-major index of the patches in the order of side x side blocks."""
    index = np.arange(rows * cols).reshape(rows // side, side, cols // side, side)
    return index.transpose(0, 2, 1, 3).ravel()
