"""Idefics3, SmolVLM, ModernVBERT: an image split into frames, a global view after them; pixel shuffle folds patches into tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import nn

from scratchpad.errors import UserError
from scratchpad.grid import merged
from scratchpad.vlm.adapter import Adapter, Layout, Shown, layout_of, measured_tiles


class Idefics3(Adapter):
    """Idefics3 and SmolVLM."""

    family = "Idefics3"
    model_types: tuple[str, ...] = ("idefics3", "smolvlm")

    @property
    def tower(self) -> nn.Module:
        """`vision_model`."""
        tower: nn.Module = self.body.vision_model
        return tower

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """Those of the tower's encoder."""
        return list(self.body.vision_model.encoder.layers)

    @property
    def folded(self) -> int:
        """The side of a block of patches that becomes one token."""
        return int(self.config.scale_factor)

    def layout(self, shown: Shown) -> Layout:
        """Frames, each a tile whose blocks of patches become one token each.

        Raises:
            UserError: the processor pads frames.
        """
        frames = shown.ramps.flatten(0, 1)
        mask = shown.inputs.get("pixel_attention_mask")
        whole = mask is None or all(bool(frame.all()) or not bool(frame.any()) for frame in mask.flatten(0, 1))
        if not whole:
            raise UserError(
                "The processor pads frames, and padded patches shift Idefics3's image tokens; expected do_image_splitting=True."
            )
        tiles = measured_tiles(frames, shown.sizes, self.config.vision_config.patch_size)
        return layout_of(shown.sizes, tiles, [merged(tile.rows, tile.cols, self.folded) for tile in tiles])


class ModernVBert(Idefics3):
    """What ColModernVBERT stands on."""

    family = "ModernVBERT"
    model_types: tuple[str, ...] = ()  # makes no answers

    @property
    def folded(self) -> int:
        """The side of a block of patches that becomes one token."""
        return int(self.config.pixel_shuffle_factor)
