"""SAEs of other projects, as SAELens format. Tensors and plain values only: nothing in a file is ever run.

In: a file or folder as the project's own code saves it (each reader says which). Out: cfg.json and sae_weights.safetensors.
What a format doesn't say is asked for, never guessed; what SAELens format can't express is refused.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.files import add_files
from scratchpad.sae.config import read_config, sign
from scratchpad.sae.load import load_sae


class _Plain:
    """Stands where a file keeps its project's configuration object; holds its values, runs nothing of it."""

    def __init__(self, *values: object, **named: object):
        self.__dict__.update(named)


# what PatchSAE and ViT-Prisma pickle beside their tensors; read as `_Plain`
CONFIGS = (
    "src.sae_training.config.ViTSAERunnerConfig",
    "src.sae_training.config.Config",
    "vit_prisma.sae.config.VisionModelSAERunnerConfig",
)


@dataclass(frozen=True)
class Foreign:
    """What a file says, in SAELens' terms; None where it doesn't."""

    W_enc: Tensor  # d l
    b_enc: Tensor  # l
    W_dec: Tensor  # l d
    b_dec: Tensor  # d
    subtract: bool | None  # whether b_dec is subtracted before encoding
    k: int | None = None
    threshold: float | Tensor | None = None  # below which pre-activations are 0
    layer: int | None = None
    model: str = ""
    class_token: bool | None = None


def import_sae(
    source: Path, format: str, out: Path, layer: int | None = None, k: int | None = None, subtract: bool | None = None
) -> dict[str, object]:
    """Converts and writes `out`, whole or not at all; what was found.

    Args:
        layer, k, subtract: for formats that don't say; `subtract` is whether b_dec is subtracted before encoding.

    Raises:
        UserError: an unknown format, a file that holds more than tensors and plain values, something missing or unsupported.
    """
    if format not in FORMATS:
        raise UserError(f"The format {format!r} was asked for; expected one of {', '.join(FORMATS)}.")
    if not source.exists():
        raise UserError(f"There is no {source}; expected a file or folder of the format {format}.")
    if format == "saelens":
        return _saelens(source, out, layer)
    try:
        foreign = READERS[format](source)
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{source} is not as {format} saves an SAE ({type(error).__name__}: {error}).") from error
    layer = layer if layer is not None else foreign.layer
    subtract = subtract if subtract is not None else foreign.subtract
    if layer is None or layer < 0:
        raise UserError(
            f"{source} doesn't say which vision block it reads{'' if layer is None else f' (it says {layer})'}; give --layer, from 0."
        )
    if subtract is None:
        raise UserError(f"{source} doesn't say whether b_dec is subtracted before encoding; give --subtract-b-dec yes or no.")
    return _write(foreign, out, format, layer, k or foreign.k, subtract)


def _write(foreign: Foreign, out: Path, format: str, layer: int, k: int | None, subtract: bool) -> dict[str, object]:
    weights = {name: getattr(foreign, name).float().contiguous().clone() for name in ("W_enc", "b_enc", "W_dec", "b_dec")}
    d_in, d_sae = weights["W_enc"].shape
    shapes = {"b_enc": (d_sae,), "W_dec": (d_sae, d_in), "b_dec": (d_in,)}
    wrong = [f"{name} is {tuple(weights[name].shape)}, expected {shape}" for name, shape in shapes.items() if weights[name].shape != shape]
    if wrong or not all(torch.isfinite(value).all() for value in weights.values()):
        raise UserError(f"The SAE's tensors don't fit each other: {'; '.join(wrong) or 'some values are not finite'}.")
    architecture = "topk" if k else "jumprelu" if foreign.threshold is not None else "standard"
    if architecture == "jumprelu":
        weights["threshold"] = torch.as_tensor(foreign.threshold, dtype=torch.float32).expand(d_sae).clone()
    config: dict[str, object] = {
        "architecture": architecture,
        "d_in": d_in,
        "d_sae": d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": subtract,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"layer": layer, "model_name": foreign.model, "imported_from": format, "class_token": foreign.class_token},
    }
    if k:
        config |= {"k": int(k), "rescale_acts_by_decoder_norm": False}
    try:
        with add_files(out, last="cfg.json") as aside:
            save_file(weights, aside / "sae_weights.safetensors")
            (aside / "cfg.json").write_text(json.dumps(config))
            sign(aside)
            load_sae(aside, name=out)
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error
    return {
        "architecture": architecture,
        "d_in": d_in,
        "d_sae": d_sae,
        "layer": layer,
        "k": k,
        "subtract_b_dec": subtract,
        "format": format,
    }


def _saelens(source: Path, out: Path, layer: int | None) -> dict[str, object]:
    """A SAELens folder that may not say its layer."""
    for name in ("cfg.json", "sae_weights.safetensors"):
        if not (source / name).is_file():
            raise UserError(f"{source} has no {name}; expected a folder in SAELens format.")
    try:
        config = read_config(source)
        metadata = config.get("metadata") or {}
        if layer is not None and isinstance(metadata, dict):  # what is no object is refused below
            config["metadata"] = metadata | {"layer": layer}
        with add_files(out, last="cfg.json") as aside:
            shutil.copy(source / "sae_weights.safetensors", aside / "sae_weights.safetensors")
            (aside / "cfg.json").write_text(json.dumps(config))
            sae = load_sae(aside, name=source)
            sign(aside)
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error
    about = {"architecture": sae.architecture, "d_in": sae.width, "d_sae": sae.d_sae, "layer": sae.layer, "k": sae.k}
    return about | {"subtract_b_dec": sae.subtract_b_dec, "format": "saelens"}


def tensors(data: bytes, name: str) -> Any:
    """What torch.save wrote, as far as it is tensors and plain values.

    Raises:
        UserError: it holds objects of unknown classes, or is damaged.
    """
    try:
        with torch.serialization.safe_globals([(_Plain, config) for config in CONFIGS]):  # type: ignore[list-item]
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises pickle's, zipfile's and its own
        raise UserError(
            f"{name} is damaged, or holds Python objects beside tensors, which are never run; "
            "in its own project, save its state_dict alone with torch.save and import that."
        ) from error


def _file(source: Path, *patterns: str) -> Path:
    if source.is_file():
        return source
    for pattern in patterns:
        hit = sorted(source.glob(pattern))
        if hit:
            return hit[0]
    raise UserError(f"There is no {' or '.join(patterns)} in {source}.")


def _beside(path: Path, *patterns: str) -> dict[str, Any]:
    """A JSON file beside the weights; empty where there is none."""
    for pattern in patterns:
        for file in sorted(path.parent.glob(pattern)):
            value = json.loads(file.read_text())
            return value if isinstance(value, dict) else {}
    return {}


def _four(state: Mapping[str, Tensor], **said: Any) -> Foreign:
    return Foreign(state["W_enc"], state["b_enc"], state["W_dec"], state["b_dec"], **said)


def _values(config: object) -> dict[str, Any]:
    return dict(config) if isinstance(config, Mapping) else dict(vars(config))


def patchsae(source: Path) -> Foreign:
    """PatchSAE's `save_model`: torch.save({"cfg", "state_dict"}), and FastSAE's `*_state_dict.pt` with `*_config.json`.

    relu((x - b_dec) W_enc + b_enc); the layer is cfg.block_layer, -2 for the block before the last.
    """
    path = _file(source, "*_state_dict.pt", "*.pt")
    value = tensors(path.read_bytes(), path.name)
    beside = _beside(path, "*_config.json", "config.json")
    state = value.get("state_dict", value)
    config = _values(value.get("cfg", value.get("config", {}))) if "state_dict" in value else beside
    if config.get("gated_sae") or config.get("activation_name", "relu") != "relu":
        raise UserError(f"{path.name} is gated or not of ReLU, which SAELens format can't express as it is.")
    layer = config.get("block_layer")
    return _four(
        state,
        subtract=True,
        layer=layer if isinstance(layer, int) and layer >= 0 else None,
        model=str(config.get("model_name", "")),
        class_token=bool(config["class_token"]) if "class_token" in config else None,
    )


def saev(source: Path) -> Foreign:
    """saev's `dump`: a line of JSON, then torch.save(state_dict).

    Without a schema act((x - b_dec) W_enc + b_enc); from schema 2 on act(x W_enc + b_enc); schema 1 was written by both.
    """
    path = _file(source, "sae.pt", "*.pt")
    line, _, rest = path.read_bytes().partition(b"\n")
    header = json.loads(line)
    state = tensors(rest, path.name)
    schema = header.get("schema")
    config = header.get("cfg", header)
    activation = config.get("activation") or {"cls": header.get("cls", "Relu"), "params": config}
    kind = str(activation.get("cls", "Relu")).lower()
    params = activation.get("params") or {}
    threshold = state.get("activation.threshold")
    limit = float(threshold) if threshold is not None else 0.0
    k = None
    if "topk" in kind and threshold is None:
        if "batch" in kind:
            raise UserError(f"{path.name} is a BatchTopK without a threshold, whose codes depend on the batch; it can't be imported.")
        k = int(params["top_k"])
    return _four(state, subtract={None: True, 1: None}.get(schema, False), k=k, threshold=limit if limit > 0 else None)


def prisma(source: Path) -> Foreign:
    """ViT-Prisma's weights.pt or n_images_*.pt with config.json: act((x - b_dec) W_enc + b_enc), act relu or topk then relu."""
    path = _file(source, "weights.pt", "*.pt")
    value = tensors(path.read_bytes(), path.name)
    state = value.get("state_dict", value)
    config = _beside(path, "config.json") or _values(value.get("cfg", {}))
    if config.get("normalize_activations") not in (None, "none", "None"):
        raise UserError(f"{path.name} normalises its input ({config['normalize_activations']}), which SAELens format can't express.")
    if config.get("is_transcoder") or str(config.get("architecture", "standard")) not in ("standard", "vanilla"):
        raise UserError(f"{path.name} is of architecture {config.get('architecture')!r}; expected standard.")
    act = str(config.get("activation_fn_str", "relu"))
    if act not in ("relu", "topk"):
        raise UserError(f"{path.name} has the activation {act!r}; expected relu or topk.")
    layer = config.get("hook_point_layer")
    return _four(
        state,
        subtract=True,
        k=int((config.get("activation_fn_kwargs") or {})["k"]) if act == "topk" else None,
        layer=layer if isinstance(layer, int) else None,
        model=str(config.get("model_name", "")),
        class_token=bool(config.get("cls_token_only")) if "cls_token_only" in config else None,
    )


def sae_for_vlm(source: Path) -> Foreign:
    """sae-for-vlm's ae.pt with config.json (dictionary_learning): a = relu((x - b_dec) W_enc + b_enc), a where a > threshold."""
    path = _file(source, "ae.pt", "ae_*.pt", "*.pt")
    state = tensors(path.read_bytes(), path.name)
    trainer = (_beside(path, "config.json") or {}).get("trainer", {})
    kind = str(trainer.get("dict_class", ""))
    if "encoder.weight" in state:
        b_dec = state["b_dec"] if "b_dec" in state else state["bias"]
        w = (state["encoder.weight"].T, state["encoder.bias"], state["decoder.weight"].T, b_dec)
    else:
        w = (state["W_enc"], state["b_enc"], state["W_dec"], state["b_dec"])
    if "bias" in state and "b_dec" not in state:  # AutoEncoder, whose loader makes decoder rows one long
        return Foreign(w[0], w[1], w[2] / w[2].norm(dim=-1, keepdim=True), w[3], True)
    threshold = state.get("threshold")
    if threshold is not None and threshold.ndim:  # JumpReluAutoEncoder
        return Foreign(*w, subtract=False, threshold=threshold)
    if kind == "AutoEncoderTopK":
        return Foreign(*w, subtract=True, k=int(state["k"]))
    if not kind and threshold is None:
        raise UserError(f"{path.name} has no threshold and no config.json that says its class; put config.json beside it.")
    limit = float(threshold) if threshold is not None else 0.0
    return Foreign(*w, subtract=True, threshold=limit if limit > 0 else None)


READERS: dict[str, Callable[[Path], Foreign]] = {
    "patchsae": patchsae,
    "saev": saev,
    "prisma": prisma,
    "sae-for-vlm": sae_for_vlm,
}
FORMATS = (*READERS, "saelens")
