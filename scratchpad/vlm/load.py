"""Loads a VLM from a folder or a hub id: `Vlm`, the handle that every stage takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn
from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForImageTextToText, PreTrainedConfig, PreTrainedModel

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import HookPoint, vision
from scratchpad.vlm import attention, checkpoint
from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.families import adapter_of
from scratchpad.vlm.loaded import Loaded, Recipe
from scratchpad.vlm.protocols import Processor


@dataclass(frozen=True)
class Vlm(Loaded):
    """A loaded model that answers questions about images."""

    @classmethod
    def recipe(cls, source: str | Path, config: PreTrainedConfig, how: Placement) -> Recipe:
        """How such a checkpoint is loaded.

        Raises:
            UserError: it is no model for images and text.
        """
        if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and not how.own_code:
            raise UserError(f"{source} is of type {config.model_type!r}, which isn't a model for images and text; expected one that is.")
        return Recipe(AutoModelForImageTextToText, {"trust_remote_code": how.own_code}, how.pan_and_scan)

    @classmethod
    def adapted(cls, model: PreTrainedModel, processor: Processor) -> Adapter:
        """Its family's adapter; its attention is made readable."""
        attention.install(model)
        return adapter_of(model, processor)

    @property
    def image_mark(self) -> str:
        """What stands for an image in a templated prompt, before the processor makes image tokens of it."""
        return str(getattr(self.processor, "boi_token", None) or self.processor.image_token)

    @property
    def encoder_identity(self) -> str:
        """A hash of the vision tower alone: an SAE belongs to it, whatever language model reads on."""
        return checkpoint.identity_of(self.adapter.tower)

    @property
    def read_layer(self) -> int:
        """The last vision layer that the language model reads."""
        return self.adapter.last_useful

    @property
    def heads(self) -> int:
        """Attention heads of a layer of the language model."""
        return int(self.model.config.get_text_config().num_attention_heads)

    @property
    def context(self) -> int:
        """How many tokens prompt and answer can have together."""
        return int(self.model.config.get_text_config().max_position_embeddings)

    @property
    def read_point(self) -> HookPoint:
        """The point after the last vision layer that the language model reads."""
        return vision(self.read_layer)

    def width_at(self, at: HookPoint) -> int:
        """Dimensions of an activation at a hook point, d."""
        return self.width if at.place == "vision" else int(self.model.config.get_text_config().hidden_size)

    def block(self, at: HookPoint) -> nn.Module:
        """The block at whose output an edit can have an effect.

        Raises:
            UserError: there is no such block, or the language model doesn't read what comes after it.
        """
        if at.place == "language":
            blocks = self.adapter.language_blocks
            if at.block >= len(blocks):
                raise UserError(f"{at} was given, but {self.name} has language-model layers 0 to {len(blocks) - 1}.")
            return blocks[at.block]
        layer, count = at.block, len(self.blocks)
        if layer >= count:
            raise UserError(f"Layer {layer} was given, but {self.name} has vision layers 0 to {count - 1}.")
        if layer > self.read_layer:
            raise UserError(
                f"An edit after vision layer {layer} has no effect: the language model of {self.name} reads layer {self.read_layer}; "
                f"choose a layer from 0 to {self.read_layer}."
            )
        return self.blocks[layer]

    def check(self, at: HookPoint) -> None:
        """Checks that there is such a hook point.

        Raises:
            UserError: as `block`.
        """
        if at.place != "projector":
            self.block(at)


def load_vlm(source: str | Path, placement: Placement | None = None) -> Vlm:
    """Loads an image-text-to-text model with its processor: see `Loaded.load`.

    Raises:
        UserError: there is no such model, it isn't one for images and text, it doesn't fit into memory, its parts are missing or
            unsafe, or its family has no adapter and can't be measured.
    """
    return Vlm.load(source, placement)
