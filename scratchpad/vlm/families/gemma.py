"""PaliGemma: one tile, one to one. Gemma 3: patches pooled to image tokens; with pan-and-scan also crops of the image."""

from __future__ import annotations

from scratchpad.grid import merged
from scratchpad.vlm.adapter import Ahead, Layout, Shown, layout_of, measured_tiles
from scratchpad.vlm.families.llava import Llava


class PaliGemma(Llava):
    """PaliGemma 1 and 2, and what ColPali stands on."""

    family = "PaliGemma"
    model_types = ("paligemma",)
    bare_prompt = True
    sees_ahead: Ahead = "prompt"
    answer_type = 1  # with 0 it would be part of the prompt, whose tokens all see one another

    @property
    def read_layers(self) -> tuple[int, ...]:
        """The last alone."""
        return (len(self.blocks) - 1,)

    @property
    def inserted(self) -> int:
        """The mark of a beginning, which it puts between images and text."""
        return len(self.processor.tokenizer.bos_token)


class Gemma3(PaliGemma):
    """Gemma 3, with pan-and-scan or without."""

    family = "Gemma 3"
    model_types = ("gemma3",)
    bare_prompt = False
    sees_ahead = "image"
    answer_type = 0

    @property
    def inserted(self) -> int:
        """Nothing."""
        return 0

    def layout(self, shown: Shown) -> Layout:
        """Squares of patches averaged to mm_tokens_per_image tokens a tile; the whole image first, then its crops."""
        tiles = measured_tiles(shown.ramps, shown.sizes, self.config.vision_config.patch_size)
        tokens = int(self.config.mm_tokens_per_image**0.5)
        return layout_of(shown.sizes, tiles, [merged(tile.rows, tile.cols, tile.rows // tokens) for tile in tiles])
