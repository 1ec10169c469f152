"""What every kind of checkpoint is checked for before its weights are loaded, and how it is placed.

Weights are safetensors, code is transformers' own; anything else is refused before a byte of it runs.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import CONFIG_MAPPING, AutoConfig, BitsAndBytesConfig, PreTrainedConfig, PreTrainedModel

from scratchpad.errors import UserError
from scratchpad.vlm.memory import free_bytes, needed_bytes, readable

UNQUANTISED = (r".*\b(vision_tower|vision_model|visual|multi_modal_projector|connector|embedding_proj_layer)", "lm_head")  # never quantised
T = TypeVar("T")
DTYPES = ("auto", "float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Placement:
    """Where and how weights are kept."""

    device: str = "cpu"  # as torch names it, or `auto`: spread by accelerate over what there is
    dtype: str = "auto"  # the checkpoint's own; else one of DTYPES
    bits: int | None = None  # 4 or 8: quantised by bitsandbytes
    own_code: bool = False  # whether code from the model's repository may run
    pan_and_scan: bool = False  # Gemma 3: crops of the image beside the whole of it


def configuration(source: str | Path, own_code: bool = False) -> PreTrainedConfig:
    """A checkpoint's configuration.

    Raises:
        UserError: it needs code of its own, which isn't allowed.
        OSError, ValueError, KeyError: transformers', where there is none, or one that can't be read.
    """
    raw, _ = PreTrainedConfig.get_config_dict(source)
    if "auto_map" in raw and raw.get("model_type") not in CONFIG_MAPPING and not own_code:
        raise UserError(
            f"{source} needs code from its own repository, which isn't run unasked; read it, then allow it with --trust-remote-code."
        )
    config: PreTrainedConfig = AutoConfig.from_pretrained(source, trust_remote_code=own_code)
    return config


def without_flash(config: PreTrainedConfig) -> bool:
    """Takes flash attention out of a configuration that asks for it, for encoder and language model alike; whether it did.

    It needs a package and an accelerator, and has no rows to read. What transformers chooses without it computes the same.
    """
    parts = [config, *(getattr(config, name, None) for name in getattr(config, "sub_configs", ()))]
    asked = any("flash" in str(getattr(part, "_attn_implementation", None)) for part in parts)
    if asked:
        config._attn_implementation = None
    return asked


def load_options(source: str | Path, config: PreTrainedConfig, how: Placement) -> dict[str, object]:
    """What `from_pretrained` is told about device and precision.

    Raises:
        UserError: the device or a package isn't there, or the weights don't fit into memory.
    """
    if how.dtype not in DTYPES:
        raise UserError(f"dtype {how.dtype!r} was given; expected one of {', '.join(DTYPES)}.")
    if how.device != "auto":
        _check_device(how.device)
    own = getattr(config, "dtype", None)
    kind = getattr(torch, how.dtype) if how.dtype != "auto" else own if isinstance(own, torch.dtype) else torch.float32
    options: dict[str, object] = {"dtype": how.dtype if how.dtype == "auto" else getattr(torch, how.dtype)}
    if how.device == "auto" or how.bits:
        _need("accelerate", "device_map=auto and quantised weights need")
        options["device_map"] = how.device if how.device == "auto" else {"": how.device}
    if how.bits:
        if how.bits not in (4, 8):
            raise UserError(f"{how.bits} bits were given; expected 4 or 8.")
        _need("bitsandbytes", f"{how.bits}-bit weights need")
        options["quantization_config"] = _quantised(how.bits, kind)
    _check_memory(source, config, how, kind)
    return options


def _quantised(bits: int, kind: torch.dtype) -> BitsAndBytesConfig:
    """The language model's matrices in so many bits. The encoder stays as it is: SAEs read what it was trained to write."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it says for every matrix what it casts
    return BitsAndBytesConfig(
        load_in_4bit=bits == 4,
        load_in_8bit=bits == 8,
        llm_int8_skip_modules=[*UNQUANTISED],
        bnb_4bit_compute_dtype=kind,
        bnb_4bit_quant_type="nf4",
    )


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise UserError(f"Device {device!r} was given; expected cpu, cuda, cuda:0, mps or auto.") from error
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.get(kind, kind == "cpu")
    if not available:
        raise UserError(f"Device {device!r} was given, but this machine has none of it; expected cpu.")


def _need(package: str, why: str) -> None:
    if find_spec(package) is None:
        raise UserError(f"{why} the package {package}, which is not installed: pip install {package}.")


def _check_memory(source: str | Path, config: PreTrainedConfig, how: Placement, kind: torch.dtype) -> None:
    """Refuses before loading what can't fit."""
    if how.device == "auto":
        return
    needed = needed_bytes(config, kind, how.bits)
    free = free_bytes(how.device)
    if free is not None and needed > free:
        raise UserError(
            f"{source} needs about {readable(needed)}, but only {readable(free)} are free on {how.device}; "
            "expected a smaller dtype (--dtype bfloat16), 4-bit weights (--bits 4) or a larger machine."
        )


def check_folder(folder: Path) -> None:
    """Looks at a folder's files alone.

    Raises:
        UserError: it holds no model, or one of pickles.
    """
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is not a model folder: it has no config.json.")
    weights = [*folder.glob("*.safetensors")]
    if not weights and [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]:
        raise UserError(f"The weights in {folder} are pickles, which can run code; expected safetensors: convert them first.")
    if not weights:
        raise UserError(f"{folder} has no weights; expected *.safetensors.")


def attempt(source: str | Path, part: str, load: Callable[[], T]) -> T:
    """What `load` returns.

    Args:
        part: what it loads of `source`, for the sentence.

    Raises:
        UserError: it can't be loaded, and why, in one sentence.
    """
    try:
        return load()
    except UserError:
        raise
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"The {part} of {source} could not be loaded: {reason[:300]}") from error


def load_weights(source: str | Path, kind: Any, how: Placement, options: dict[str, object]) -> PreTrainedModel:
    """A model of a transformers class on its device, ready to be read and differentiated, its weights fixed.

    Raises:
        UserError: the weights can't be loaded.
    """
    model = attempt(source, "weights", lambda: kind.from_pretrained(source, use_safetensors=True, **options))
    model = model if "device_map" in options else model.to(how.device)
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):  # bitsandbytes' packed kernel for processors has no gradient
            module.support_avx512bf16_for_cpu = False
    fixed: PreTrainedModel = model.eval().requires_grad_(False)
    return fixed


def name_of(source: str | Path) -> str:
    """What a model is called: its folder's name, or its hub id."""
    folder = Path(source)
    return folder.resolve().name if folder.is_dir() else str(source)


def own_world(folder: Path) -> str | None:
    """A note that a model folder may carry in config.json for those who show it something foreign."""
    path = folder / "config.json"
    if not path.is_file():
        return None
    note = json.loads(path.read_text()).get("own_world")
    return note if isinstance(note, str) else None


def identity_of(model: nn.Module) -> str:
    """A hash that two loads of the same checkpoint share: every tensor's name and shape, and up to 64 of its values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(_sample(tensor) if tensor.device.type != "meta" else _offloaded(model, name))
    return digest.hexdigest()[:16]


def _sample(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().flatten()
    return flat[:: max(1, flat.numel() // 64)][:64].float().cpu().numpy().tobytes()


def _offloaded(model: nn.Module, name: str) -> bytes:
    """A sample of a tensor that accelerate keeps in memory or on disk until its module runs."""
    from accelerate.utils import align_module_device

    place, _, leaf = name.rpartition(".")
    module = model.get_submodule(place)
    with align_module_device(module):
        return _sample(getattr(module, leaf))
