"""InternVL: tiles of a stretched canvas and a thumbnail; pixel shuffle folds 2 x 2 patches into a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.grid import merged
from scratchpad.vlm.adapter import Layout, Seen, layout_of, measured_tiles
from scratchpad.vlm.families.llava import Llava


class InternVL(Llava):
    family = "InternVL"
    model_types = ("internvl",)

    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        tower: Any = self.tower(model)
        return list(tower.encoder.layer)

    def leading_tokens(self, model: PreTrainedModel) -> int:
        return 1

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        patch = model.config.vision_config.patch_size
        tiles = measured_tiles(seen.ramps, seen.sizes, patch[0] if isinstance(patch, list | tuple) else patch)
        side = round(1 / model.config.downsample_ratio)
        return layout_of(seen.sizes, tiles, [merged(tile.rows, tile.cols, side) for tile in tiles])
