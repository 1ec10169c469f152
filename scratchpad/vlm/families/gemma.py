"""PaliGemma: one tile, one to one. Gemma 3: patches pooled to image tokens; with pan-and-scan also crops of the image."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.grid import merged
from scratchpad.vlm.adapter import Ahead, Layout, Seen, layout_of, measured_tiles
from scratchpad.vlm.families.llava import Llava


class PaliGemma(Llava):
    family = "PaliGemma"
    model_types = ("paligemma",)
    bare_prompt = True
    sees_ahead: Ahead = "prompt"

    def read_layers(self, model: PreTrainedModel) -> tuple[int, ...]:
        return (len(self.blocks(model)) - 1,)

    def inserted(self, processor: ProcessorMixin) -> int:
        tokenizer: Any = processor.tokenizer  # type: ignore[attr-defined]
        return len(tokenizer.bos_token)


class Gemma3(PaliGemma):
    family = "Gemma 3"
    model_types = ("gemma3",)
    bare_prompt = False
    sees_ahead = "image"

    def inserted(self, processor: ProcessorMixin) -> int:
        return 0

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        tiles = measured_tiles(seen.ramps, seen.sizes, model.config.vision_config.patch_size)
        tokens = int(model.config.mm_tokens_per_image**0.5)
        return layout_of(seen.sizes, tiles, [merged(tile.rows, tile.cols, tile.rows // tokens) for tile in tiles])
