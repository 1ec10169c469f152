"""Janus and DeepSeek-VL: one tile an image, padded to a square; an aligner makes a token of every patch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import nn

from scratchpad.vlm.families.llava import Llava


class Janus(Llava):
    """Janus, as far as it answers, and DeepSeek-VL."""

    family = "Janus"
    model_types = ("janus", "deepseek_vl")

    @property
    def tower(self) -> nn.Module:
        """`vision_model`."""
        tower: nn.Module = self.body.vision_model
        return tower

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """Those of the tower's encoder."""
        return list(self.tower.encoder.layers)  # type: ignore[union-attr, arg-type]

    @cached_property
    def steps(self) -> tuple[nn.Module, ...]:
        """Patch embedding and aligner."""
        return (self.body.vision_model.embeddings, self.body.aligner)

    @property
    def read_layers(self) -> tuple[int, ...]:
        """The last alone."""
        return (len(self.blocks) - 1,)

    @property
    def leading_tokens(self) -> int:
        """None."""
        return 0
