"""Loads a VLM from a folder or a hub id: `Vlm`, the handle that every stage takes.

Weights are safetensors, code is transformers' own; anything else is refused before a byte of it runs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoConfig,
    AutoModelForImageTextToText,
    BitsAndBytesConfig,
    PreTrainedConfig,
    PreTrainedModel,
    ProcessorMixin,
)

from scratchpad.errors import UserError
from scratchpad.vlm import attention
from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.families import adapter_for
from scratchpad.vlm.memory import free_bytes, needed_bytes, readable
from scratchpad.vlm.processor import load_processor

DTYPES = ("auto", "float32", "float16", "bfloat16")


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
        return _identity(self.adapter.tower(self.model))

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


@dataclass(frozen=True)
class Placement:
    """Where and how weights are kept."""

    device: str = "cpu"  # as torch names it, or `auto`: spread by accelerate over what there is
    dtype: str = "auto"  # the checkpoint's own; else one of DTYPES
    bits: int | None = None  # 4 or 8: quantised by bitsandbytes
    own_code: bool = False  # whether code from the model's repository may run


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
        _check_folder(folder)
    elif len(folder.parts) != 2:
        raise UserError(f"There is no model folder {source}; expected a folder with config.json, or a hub id such as owner/name.")
    config = _attempt(source, "configuration", lambda: _config(source, how.own_code))
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and not how.own_code:
        raise UserError(f"{source} is of type {config.model_type!r}, which isn't a model for images and text; expected one that is.")
    adapter = adapter_for(config.model_type)
    options = _options(config, how)
    _check_memory(source, config, how)
    processor = _attempt(source, "processor", lambda: load_processor(source, config))
    if not hasattr(processor, "image_processor"):
        raise UserError(f"{source} has no image processor; expected preprocessor_config.json or processor_config.json beside the weights.")
    model = _attempt(
        source,
        "weights",
        lambda: AutoModelForImageTextToText.from_pretrained(source, use_safetensors=True, trust_remote_code=how.own_code, **options),
    )
    model = (model if "device_map" in options else model.to(how.device)).eval().requires_grad_(False)
    attention.install(model)
    return Vlm(_name(folder, source), _identity(model), model, processor, adapter, _own_world(folder))


def _config(source: str | Path, own_code: bool) -> PreTrainedConfig:
    raw, _ = PreTrainedConfig.get_config_dict(source)
    if "auto_map" in raw and raw.get("model_type") not in CONFIG_MAPPING and not own_code:
        raise UserError(
            f"{source} needs code from its own repository, which isn't run unasked; read it, then allow it with --trust-remote-code."
        )
    config: PreTrainedConfig = AutoConfig.from_pretrained(source, trust_remote_code=own_code)
    return config


def _options(config: PreTrainedConfig, how: Placement) -> dict[str, Any]:
    """What `from_pretrained` is told about device and precision."""
    if how.dtype not in DTYPES:
        raise UserError(f"dtype {how.dtype!r} was given; expected one of {', '.join(DTYPES)}.")
    if how.device != "auto":
        _check_device(how.device)
    options: dict[str, Any] = {"dtype": how.dtype if how.dtype == "auto" else getattr(torch, how.dtype)}
    if how.device == "auto" or how.bits:
        _need("accelerate", "device_map=auto and quantised weights need")
        options["device_map"] = how.device if how.device == "auto" else {"": how.device}
    if how.bits:
        if how.bits not in (4, 8):
            raise UserError(f"{how.bits} bits were given; expected 4 or 8.")
        _need("bitsandbytes", f"{how.bits}-bit weights need")
        options["quantization_config"] = BitsAndBytesConfig(load_in_4bit=how.bits == 4, load_in_8bit=how.bits == 8)
    return options


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise UserError(f"Device {device!r} was given; expected cpu, cuda, cuda:0, mps or auto.") from error
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.get(kind, kind == "cpu")
    if not there:
        raise UserError(f"Device {device!r} was given, but this machine has none of it; expected cpu.")


def _need(package: str, why: str) -> None:
    if find_spec(package) is None:
        raise UserError(f"{why} the package {package}, which is not installed: pip install {package}.")


def _check_memory(source: str | Path, config: PreTrainedConfig, how: Placement) -> None:
    """Refuses before loading what can't fit."""
    if how.device == "auto":
        return
    kind: Any = getattr(config, "dtype", None) if how.dtype == "auto" else getattr(torch, how.dtype)
    needed = needed_bytes(config, kind if isinstance(kind, torch.dtype) else torch.float32)
    if how.bits:
        needed = needed * how.bits // 16
    free = free_bytes(how.device)
    if free is not None and needed > free:
        raise UserError(
            f"{source} needs about {readable(needed)}, but only {readable(free)} are free on {how.device}; "
            "expected a smaller dtype (--dtype bfloat16), 4-bit weights (--bits 4) or a larger machine."
        )


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
    except UserError:
        raise
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
