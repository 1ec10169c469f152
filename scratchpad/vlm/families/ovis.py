"""Ovis2: a view of the whole and tiles; a token is a mixture of visual words, read from a block of patches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from scratchpad.vlm.families.internvl import AyaVision
from scratchpad.vlm.protocols import Processor


class Ovis2(AyaVision):
    """Ovis2."""

    family = "Ovis2"
    model_types = ("ovis2",)

    def __init__(self, model: PreTrainedModel, processor: Processor):
        super().__init__(model, processor)
        how: Any = processor  # which counts tiles only where its image half hands out tensors
        how.images_kwargs = {**getattr(how, "images_kwargs", {}), "return_tensors": "pt"}

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """Those of the tower's transformer."""
        return list(self.body.vision_tower.transformer.encoder.layers)

    @property
    def read_layers(self) -> tuple[int, ...]:
        """The last alone."""
        return (len(self.blocks) - 1,)

    @property
    def leading_tokens(self) -> int:
        """None."""
        return 0

    @property
    def folded(self) -> int:
        """The side of a block of patches that becomes one token."""
        return int(self.config.vision_config.hidden_stride)
