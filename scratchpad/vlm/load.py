"""Loads a VLM from a folder or a hub id: `Vlm`, the handle that every stage takes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn
from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForImageTextToText, PreTrainedModel, ProcessorMixin

from scratchpad.errors import UserError
from scratchpad.vlm import attention, checkpoint
from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.families import adapter_for
from scratchpad.vlm.processor import load_processor


@dataclass(frozen=True)
class Vlm:
    """A loaded model with its processor and adapter."""

    name: str
    identity: str  # hash of configuration and weights' names, sizes and samples
    model: PreTrainedModel = field(repr=False)
    processor: ProcessorMixin = field(repr=False)
    adapter: Adapter = field(repr=False)
    own_world: str | None = None  # what a model that knows only its own world says of others
    layouts: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # geometry by image sizes: `prepare` fills it
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)  # hooks must never see another's pass

    @property
    def blocks(self) -> list[nn.Module]:
        return list(self.adapter.blocks(self.model))

    @property
    def leading(self) -> int:
        return self.adapter.leading_tokens(self.model)

    @property
    def width(self) -> int:
        return self.adapter.width(self.model)

    @property
    def image_mark(self) -> str:
        """What stands for an image in a templated prompt, before the processor makes image tokens of it."""
        processor: Any = self.processor
        return str(getattr(processor, "boi_token", None) or processor.image_token)

    @property
    def encoder_identity(self) -> str:
        """A hash of the vision tower alone: an SAE belongs to it, whatever language model reads on."""
        return checkpoint.identity_of(self.adapter.tower(self.model))

    @property
    def read_layer(self) -> int:
        return self.adapter.last_useful(self.model)

    @property
    def context(self) -> int:
        return int(self.model.config.get_text_config().max_position_embeddings)

    def block(self, layer: int) -> nn.Module:
        """The vision block of a layer at which an edit can have an effect.

        Raises:
            UserError: there is no such block, or the language model doesn't read what comes after it.
        """
        count = len(self.blocks)
        if not 0 <= layer < count:
            raise UserError(f"Layer {layer} was given, but {self.name} has vision layers 0 to {count - 1}.")
        if layer > self.read_layer:
            raise UserError(
                f"An edit after vision layer {layer} has no effect: the language model of {self.name} reads layer {self.read_layer}; "
                f"choose a layer from 0 to {self.read_layer}."
            )
        return self.blocks[layer]


def load_vlm(source: str | Path, placement: Placement | None = None) -> Vlm:
    """Loads an image-text-to-text model with its processor.

    Args:
        source: a folder, or a hub id.

    Raises:
        UserError: there is no such model, it isn't one for images and text, it doesn't fit into memory, or its parts are
            missing or unsafe.
    """
    how = placement or Placement()
    folder = Path(source)
    if folder.is_dir():
        checkpoint.check_folder(folder)
    elif len(folder.parts) != 2:
        raise UserError(f"There is no model folder {source}; expected a folder with config.json, or a hub id such as owner/name.")
    config = checkpoint.attempt(source, "configuration", lambda: checkpoint.configuration(source, how.own_code))
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and not how.own_code:
        raise UserError(f"{source} is of type {config.model_type!r}, which isn't a model for images and text; expected one that is.")
    adapter = adapter_for(config.model_type)
    options = checkpoint.load_options(source, config, how)
    processor = checkpoint.attempt(source, "processor", lambda: load_processor(source, config))
    if not hasattr(processor, "image_processor"):
        raise UserError(f"{source} has no image processor; expected preprocessor_config.json or processor_config.json beside the weights.")
    if how.pan_and_scan:
        _pan_and_scan(processor, source)
    model = checkpoint.load_weights(source, AutoModelForImageTextToText, how, options | {"trust_remote_code": how.own_code})
    attention.install(model)
    return Vlm(checkpoint.name_of(source), checkpoint.identity_of(model), model, processor, adapter, checkpoint.own_world(folder))


def _pan_and_scan(processor: Any, source: str | Path) -> None:
    if not hasattr(processor.image_processor, "do_pan_and_scan"):
        raise UserError(f"--pan-and-scan was given, but the image processor of {source} doesn't pan and scan; Gemma 3's does.")
    processor.images_kwargs = {**processor.images_kwargs, "do_pan_and_scan": True}
