"""PaliGemma: one tile, one to one. Gemma 3: patches pooled to image tokens; with pan-and-scan also crops of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.grid import merged, one_to_one
from scratchpad.vlm.adapter import Adapter, Layout, Seen, layout_of, measured_tiles


class PaliGemma(Adapter):
    family = "PaliGemma"
    model_types: tuple[str, ...] = ("paligemma",)
    bare_prompt = True

    def tower(self, model: PreTrainedModel) -> nn.Module:
        tower: Any = model.model.vision_tower
        return tower

    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        tower: Any = self.tower(model)
        body = getattr(tower, "vision_model", tower)
        return list(body.encoder.layers)

    def inserted(self, processor: ProcessorMixin) -> int:
        tokenizer: Any = processor.tokenizer  # type: ignore[attr-defined]
        return len(tokenizer.bos_token)

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        tiles = measured_tiles(seen.ramps, seen.sizes, model.config.vision_config.patch_size)
        return layout_of(seen.sizes, tiles, [one_to_one(tile.patches) for tile in tiles])


class Gemma3(PaliGemma):
    family = "Gemma 3"
    model_types = ("gemma3",)
    bare_prompt = False

    def inserted(self, processor: ProcessorMixin) -> int:
        return 0

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        tiles = measured_tiles(seen.ramps, seen.sizes, model.config.vision_config.patch_size)
        tokens = int(model.config.mm_tokens_per_image**0.5)
        return layout_of(seen.sizes, tiles, [merged(tile.rows, tile.cols, tile.rows // tokens) for tile in tiles])
