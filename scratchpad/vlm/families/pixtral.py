"""Models upon Pixtral's encoder, LightOnOCR and Mistral 3: one tile of the image's own shape, all images in one row of patches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import nn

from scratchpad.grid import Tile, merged
from scratchpad.vlm.adapter import Adapter, Layout, Shown, encoder_layers_read, layout_of


class LightOnOcr(Adapter):
    """LightOnOCR."""

    family = "LightOnOCR"
    model_types: tuple[str, ...] = ("lighton_ocr",)
    packed = True

    @property
    def tower(self) -> nn.Module:
        """`vision_encoder`."""
        tower: nn.Module = self.body.vision_encoder
        return tower

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """Those of the tower's transformer."""
        return list(self.tower.transformer.layers)  # type: ignore[union-attr, arg-type]

    def layout(self, shown: Shown) -> Layout:
        """One tile an image, its blocks of spatial_merge_size x spatial_merge_size patches one token each."""
        patch, side = self.config.vision_config.patch_size, self.config.spatial_merge_size
        # the whole image is resized, nothing of it is cropped, and padding to a batch's largest is cut off before the blocks
        tiles = [
            Tile((0.0, 0.0, float(h), float(w)), int(rows) // patch, int(cols) // patch, i)
            for i, ((rows, cols), (h, w)) in enumerate(zip(shown.inputs["image_sizes"].tolist(), shown.sizes, strict=True))
        ]
        return layout_of(shown.sizes, tiles, [merged(tile.rows, tile.cols, side) for tile in tiles])


class Mistral3(LightOnOcr):
    """Mistral Small 3.1 and later."""

    family = "Mistral 3"
    model_types = ("mistral3",)

    @property
    def tower(self) -> nn.Module:
        """`vision_tower`."""
        tower: nn.Module = self.body.vision_tower
        return tower

    @property
    def read_layers(self) -> tuple[int, ...]:
        """What `vision_feature_layer` names."""
        return encoder_layers_read(self.config.vision_feature_layer, len(self.blocks))
