"""LLaVA 1.5: one tile an image, class token dropped, patches are image tokens one to one. ViP-LLaVA: the same, of several layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import nn

from scratchpad.grid import one_to_one
from scratchpad.vlm.adapter import Adapter, Layout, Shown, encoder_layers_read, layout_of, measured_tiles


class Llava(Adapter):
    """LLaVA 1.5."""

    family = "LLaVA"
    model_types: tuple[str, ...] = ("llava",)

    @property
    def tower(self) -> nn.Module:
        """`vision_tower`."""
        tower: nn.Module = self.body.vision_tower
        return tower

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """Those of the tower's encoder."""
        tower = self.body.vision_tower
        return list(getattr(tower, "vision_model", tower).encoder.layers)

    @property
    def read_layers(self) -> tuple[int, ...]:
        """What `vision_feature_layer` names."""
        return encoder_layers_read(self.config.vision_feature_layer, len(self.blocks))

    @property
    def leading_tokens(self) -> int:
        """CLIP's class token; other encoders have none."""
        return 1 if self.config.vision_config.model_type == "clip_vision_model" else 0

    def layout(self, shown: Shown) -> Layout:
        """A token for every patch."""
        tiles = measured_tiles(shown.ramps, shown.sizes, self.config.vision_config.patch_size)
        return layout_of(shown.sizes, tiles, [one_to_one(tile.patches) for tile in tiles])


class VipLlava(Llava):
    """Its projector reads several layers of the encoder side by side."""

    family = "ViP-LLaVA"
    model_types = ("vipllava",)
