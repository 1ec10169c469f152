"""Loads a VLM from a folder or a hub id: `Vlm`, the handle that every stage takes.

Weights are safetensors, code is transformers' own; anything else is refused before a byte of it runs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from scratchpad.errors import UserError
from scratchpad.vlm import attention
from scratchpad.vlm.adapter import Adapter, adapter_for


@dataclass(frozen=True)
class Vlm:
    """A loaded model with its processor and adapter."""

    name: str
    identity: str  # hash of configuration and weights' names, sizes and samples
    model: PreTrainedModel = field(repr=False)
    processor: ProcessorMixin = field(repr=False)
    adapter: Adapter = field(repr=False)
    own_world: str | None = None  # what a model that knows only its own world says of others

    @property
    def blocks(self) -> list[nn.Module]:
        return list(self.adapter.blocks(self.model))

    @property
    def leading(self) -> int:
        return self.adapter.leading_tokens(self.model)

    @property
    def width(self) -> int:
        return int(self.model.config.vision_config.hidden_size)

    @property
    def encoder_identity(self) -> str:
        """A hash of the vision tower alone: an SAE belongs to it, whatever language model reads on."""
        model: Any = self.model
        return _identity(model.model.vision_tower)

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


def load_vlm(source: str | Path, device: str = "cpu", dtype: str = "auto") -> Vlm:
    """Loads an image-text-to-text model of a known family with its processor.

    Args:
        source: a folder, or a hub id.
        dtype: `auto` keeps the checkpoint's; else float32, float16 or bfloat16.

    Raises:
        UserError: there is no such model, it isn't one for images and text, or its parts are missing or unsafe.
    """
    folder = Path(source)
    if folder.is_dir():
        _check_folder(folder)
    elif len(folder.parts) != 2:
        raise UserError(f"There is no model folder {source}; expected a folder with config.json, or a hub id such as owner/name.")
    config = _attempt(source, "configuration", lambda: AutoConfig.from_pretrained(source))
    adapter = adapter_for(config.model_type)
    processor = _attempt(source, "processor", lambda: AutoProcessor.from_pretrained(source, backend="pil"))
    if not hasattr(processor, "image_processor"):
        raise UserError(f"{source} has no image processor; expected preprocessor_config.json or processor_config.json beside the weights.")
    kind: Any = dtype if dtype == "auto" else getattr(torch, dtype)
    model = _attempt(
        source,
        "weights",
        lambda: AutoModelForImageTextToText.from_pretrained(source, dtype=kind, use_safetensors=True),
    )
    model = model.to(device).eval().requires_grad_(False)
    attention.install(model)
    return Vlm(_name(folder, source), _identity(model), model, processor, adapter, _own_world(folder))


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is not a model folder: it has no config.json.")
    weights = [*folder.glob("*.safetensors")]
    if not weights and [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]:
        raise UserError(f"The weights in {folder} are pickles, which can run code; expected safetensors: convert them first.")
    if not weights:
        raise UserError(f"{folder} has no weights; expected *.safetensors.")


def _attempt(source: str | Path, part: str, load: Any) -> Any:
    try:
        return load()
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"The {part} of {source} could not be loaded: {reason[:300]}") from error


def _name(folder: Path, source: str | Path) -> str:
    return folder.resolve().name if folder.is_dir() else str(source)


def _own_world(folder: Path) -> str | None:
    """A note that a model folder may carry in config.json for those who show it something foreign."""
    path = folder / "config.json"
    if not path.is_file():
        return None
    note = json.loads(path.read_text()).get("own_world")
    return note if isinstance(note, str) else None


def _identity(model: nn.Module) -> str:
    """A hash that two loads of the same checkpoint share: every tensor's name and shape, and up to 64 of its values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().flatten()
        step = max(1, flat.numel() // 64)
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(flat[::step][:64].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
