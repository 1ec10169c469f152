"""What the house must know of a family of models, and nothing more.

To add a family: subclass `Adapter`, name its `model_types`, say where the vision blocks are, which of them the language
model reads and how an image becomes a `Grid`; add it to `FAMILIES`. The tests in tests/vlm check the rest against the
model itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.errors import UserError
from scratchpad.grid import Grid, kept_box, single_tile


class Adapter(ABC):
    """One family. Holds no state: everything is asked of the model and processor it's handed."""

    family: str
    model_types: tuple[str, ...]

    @abstractmethod
    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        """The vision encoder's blocks, in order."""

    @abstractmethod
    def read_layers(self, model: PreTrainedModel) -> tuple[int, ...]:
        """Indices of the blocks whose output the language model reads, ascending."""

    @abstractmethod
    def leading_tokens(self, model: PreTrainedModel) -> int:
        """How many vectors of a block's output come before the patches (1 with a class token)."""

    @abstractmethod
    def grid(self, model: PreTrainedModel, processor: ProcessorMixin, size: tuple[int, int], inputs: Mapping[str, Tensor]) -> Grid:
        """The geometry of one image of (h, w) pixels, given what the processor made of it."""

    def image_token(self, model: PreTrainedModel) -> int:
        config: Any = model.config
        return int(getattr(config, "image_token_id", None) or config.image_token_index)

    def last_useful(self, model: PreTrainedModel) -> int:
        """The last block whose output can have an effect."""
        return max(self.read_layers(model))


class Llava(Adapter):
    """LLaVA 1.5: one tile, class token dropped, patches are image tokens one to one."""

    family = "LLaVA"
    model_types = ("llava",)

    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        tower: Any = model.model.vision_tower
        body = getattr(tower, "vision_model", tower)
        return list(body.encoder.layers)

    def read_layers(self, model: PreTrainedModel) -> tuple[int, ...]:
        layers = model.config.vision_feature_layer
        count = len(self.blocks(model))
        # hidden_states[0] is the embedding, hidden_states[i + 1] the output of block i
        states = [layer % (count + 1) for layer in ([layers] if isinstance(layers, int) else layers)]
        return tuple(sorted(state - 1 for state in states))

    def leading_tokens(self, model: PreTrainedModel) -> int:
        return 1 if model.config.vision_config.model_type == "clip_vision_model" else 0

    def grid(self, model: PreTrainedModel, processor: ProcessorMixin, size: tuple[int, int], inputs: Mapping[str, Tensor]) -> Grid:
        h, w = inputs["pixel_values"].shape[-2:]
        patch = model.config.vision_config.patch_size
        return single_tile(size, _box(processor.image_processor, size, (h, w)), h // patch, w // patch)


def _box(image_processor: Any, size: tuple[int, int], final: tuple[int, int]) -> tuple[float, float, float, float]:
    """What part of the original reaches the model after the usual resize and centred crop."""
    if not getattr(image_processor, "do_center_crop", False):
        return kept_box(size, final, None)
    edge = image_processor.size.get("shortest_edge") if hasattr(image_processor.size, "get") else image_processor.size.shortest_edge
    if edge is None:
        resized = (image_processor.size["height"], image_processor.size["width"])
    else:
        short = min(size)
        resized = (edge, int(edge * size[1] / short)) if size[0] == short else (int(edge * size[0] / short), edge)
    return kept_box(size, resized, final)


FAMILIES: tuple[Adapter, ...] = (Llava(),)


def adapter_for(model_type: str) -> Adapter:
    """The adapter of a transformers `model_type`.

    Raises:
        UserError: there is none; a wrong map would be worse than no map.
    """
    for adapter in FAMILIES:
        if model_type in adapter.model_types:
            return adapter
    known = ", ".join(t for adapter in FAMILIES for t in adapter.model_types)
    raise UserError(f"Models of type {model_type!r} have no adapter yet, so no map could be trusted; expected one of: {known}.")
