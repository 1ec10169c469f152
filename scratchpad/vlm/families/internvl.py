"""InternVL and Aya Vision: tiles of a stretched canvas and a thumbnail; pixel shuffle folds 2 x 2 patches into a token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import nn

from scratchpad.grid import merged
from scratchpad.vlm.adapter import Layout, Shown, layout_of, measured_tiles
from scratchpad.vlm.families.llava import Llava


class AyaVision(Llava):
    """Aya Vision, upon SigLIP."""

    family = "Aya Vision"
    model_types = ("aya_vision",)

    @property
    def folded(self) -> int:
        """The side of a block of patches that becomes one token."""
        return int(self.config.downsample_factor)

    def layout(self, shown: Shown) -> Layout:
        """Tiles whose blocks of patches become one token each."""
        patch = self.config.vision_config.patch_size
        tiles = measured_tiles(shown.ramps, shown.sizes, patch[0] if isinstance(patch, list | tuple) else patch)
        return layout_of(shown.sizes, tiles, [merged(tile.rows, tile.cols, self.folded) for tile in tiles])


class InternVL(AyaVision):
    """InternVL 3 and later, upon its own encoder."""

    family = "InternVL"
    model_types = ("internvl",)

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """Those of its own encoder."""
        return list(self.body.vision_tower.encoder.layer)

    @property
    def leading_tokens(self) -> int:
        """The class token."""
        return 1

    @property
    def folded(self) -> int:
        """The side of a block of patches that becomes one token."""
        ratio: float = self.config.downsample_ratio
        return round(1 / ratio)
