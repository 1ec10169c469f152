"""dictionary_learning's ae.pt with config.json, and the older form of it in sae-for-vlm. a: codes; n: lengths of decoder rows.

AutoEncoder           a = n relu((x - bias) W + b), rows one long: both projects' loader divides them so
AutoEncoderNew        a = relu(x W + b)
AutoEncoderTopK       a = the k largest of relu((x - b_dec) W + b)
BatchTopK, Matryoshka a = relu((x - b_dec) W + b) where above one threshold
JumpReluAutoEncoder   a = relu(x W + b) where x W + b is above its threshold; times n in sae-for-vlm, whose decoder divides by n
GatedAutoEncoder      SAELens' gated, by other names
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import HookPoint, vision
from scratchpad.sae.formats.files import State, Values, beside, file_of, only, saved, state_of, text, whole, within
from scratchpad.sae.formats.foreign import Foreign, Gate, unit_rows
from scratchpad.sae.hookpoint import point_of

PATTERNS = ("ae.pt", "ae_*.pt", "*.pt", "ae.safetensors")
SUBMODULE = re.compile(r"^resid_post_layer_(\d+)$")


def dictionary_learning(source: Path) -> Foreign:
    """dictionary_learning's file."""
    return _read(source, jump_in_units=False)


def sae_for_vlm(source: Path) -> Foreign:
    """sae-for-vlm's file."""
    return _read(source, jump_in_units=True)


def _read(source: Path, jump_in_units: bool) -> Foreign:
    path = file_of(source, *PATTERNS)
    state = state_of(saved(path.read_bytes(), path.name), path)
    trainer = within(beside(path, "config.json"), "trainer")
    return replace(_of(state, path, text(trainer, "dict_class"), jump_in_units), at=_at(trainer, path), model=text(trainer, "lm_name"))


def _of(state: State, path: Path, kind: str, jump_in_units: bool) -> Foreign:
    if "decoder_bias" in state:
        return _gated(state, path)
    if "decoder.bias" in state:  # AutoEncoderNew
        return _linear(state, path, "decoder.bias", False)
    if "bias" in state and "b_dec" not in state:
        return unit_rows(_linear(state, path, "bias", True))
    return _thresholded(state, path, kind, jump_in_units)


def _linear(state: State, path: Path, bias: str, subtract: bool) -> Foreign:
    names = ("encoder.weight", "encoder.bias", "decoder.weight", bias)
    only(state, path, names)
    w = [state[name] for name in names]
    return Foreign(w[0].T, w[1], w[2].T, w[3], subtract)


def _gated(state: State, path: Path) -> Foreign:
    only(state, path, ("encoder.weight", "gate_bias", "decoder.weight", "decoder_bias", "r_mag", "mag_bias"))
    gate = Gate(state["r_mag"], state["mag_bias"])
    w_enc, w_dec = state["encoder.weight"].T, state["decoder.weight"].T
    return Foreign(w_enc, state["gate_bias"], w_dec, state["decoder_bias"], True, gate=gate)


def _thresholded(state: State, path: Path, kind: str, jump_in_units: bool) -> Foreign:
    linear = ("encoder.weight", "encoder.bias", "decoder.weight", "b_dec")
    names = linear if "encoder.weight" in state else ("W_enc", "b_enc", "W_dec", "b_dec")
    only(state, path, names, ("threshold", "k", "group_sizes"))
    w = [state[name] for name in names]
    if names is linear:
        w[0], w[2] = w[0].T, w[2].T
    threshold = state.get("threshold")
    if threshold is not None and threshold.ndim:  # JumpReluAutoEncoder
        jump = Foreign(w[0], w[1], w[2], w[3], False, threshold=threshold)
        return unit_rows(jump) if jump_in_units else jump
    if kind == "AutoEncoderTopK":
        return Foreign(w[0], w[1], w[2], w[3], True, k=int(state["k"]))
    if not kind and threshold is None:
        raise UserError(f"{path.name} has no threshold and no config.json that says its class; put config.json beside it.")
    limit = float(threshold) if threshold is not None else 0.0
    return Foreign(w[0], w[1], w[2], w[3], True, threshold=limit if limit > 0 else None)


def _at(trainer: Values, path: Path) -> HookPoint | None:
    """The block behind `resid_post_layer_N`; sae-for-vlm's own names for places are asked about."""
    place, layer = text(trainer, "submodule_name"), whole(trainer, "layer")
    match = SUBMODULE.match(place)
    if match:
        return vision(int(match[1]))
    if layer is not None and re.match(r"(mlp|attn|attention)", place):
        point_of(f"blocks.{layer}.{place}", path.name)
    return None
