"""Idefics3, SmolVLM, ModernVBERT: an image split into frames, a global view after them; pixel shuffle folds patches into tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.errors import UserError
from scratchpad.grid import merged
from scratchpad.vlm.adapter import Adapter, Layout, Seen, layout_of, measured_tiles


class Idefics3(Adapter):
    family = "Idefics3"
    model_types: tuple[str, ...] = ("idefics3", "smolvlm")

    def tower(self, model: PreTrainedModel) -> nn.Module:
        tower: Any = model.model.vision_model
        return tower

    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        tower: Any = self.tower(model)
        return list(tower.encoder.layers)

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        frames = seen.ramps.flatten(0, 1)
        mask = seen.inputs.get("pixel_attention_mask")
        whole = mask is None or all(bool(frame.all()) or not bool(frame.any()) for frame in mask.flatten(0, 1))
        if not whole:
            raise UserError(
                "The processor pads frames, and padded patches shift Idefics3's image tokens; expected do_image_splitting=True."
            )
        tiles = measured_tiles(frames, seen.sizes, model.config.vision_config.patch_size)
        return layout_of(seen.sizes, tiles, [merged(tile.rows, tile.cols, self.folded(model)) for tile in tiles])

    def folded(self, model: PreTrainedModel) -> int:
        """The side of a block of patches that becomes one token."""
        return int(model.config.scale_factor)


class ModernVBert(Idefics3):
    """What ColModernVBERT stands on."""

    family = "ModernVBERT"
    model_types: tuple[str, ...] = ()  # makes no answers

    def folded(self, model: PreTrainedModel) -> int:
        return int(model.config.pixel_shuffle_factor)
