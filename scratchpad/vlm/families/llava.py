"""LLaVA 1.5: one tile an image, class token dropped, patches are image tokens one to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.grid import one_to_one
from scratchpad.vlm.adapter import Adapter, Layout, Seen, encoder_layers_read, layout_of, measured_tiles


class Llava(Adapter):
    family = "LLaVA"
    model_types: tuple[str, ...] = ("llava",)

    def tower(self, model: PreTrainedModel) -> nn.Module:
        tower: Any = model.model.vision_tower
        return tower

    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        tower: Any = self.tower(model)
        body = getattr(tower, "vision_model", tower)
        return list(body.encoder.layers)

    def read_layers(self, model: PreTrainedModel) -> tuple[int, ...]:
        return encoder_layers_read(model.config.vision_feature_layer, len(self.blocks(model)))

    def leading_tokens(self, model: PreTrainedModel) -> int:
        return 1 if model.config.vision_config.model_type == "clip_vision_model" else 0

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        tiles = measured_tiles(seen.ramps, seen.sizes, model.config.vision_config.patch_size)
        return layout_of(seen.sizes, tiles, [one_to_one(tile.patches) for tile in tiles])
