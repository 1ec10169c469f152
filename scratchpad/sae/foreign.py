"""SAEs of other projects, as SAELens format. Tensors and plain values only: nothing in a file is ever run.

In: a file or folder as the project's own code saves it (each reader in `formats` says which). Out: cfg.json and sae_weights.safetensors.
What a format doesn't say is asked for, never guessed; what can't be expressed is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.files import add_files
from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.config import CONFIG, WEIGHTS, checked, read_config, said_of, sign
from scratchpad.sae.formats.bussmann import bussmann
from scratchpad.sae.formats.dictionary_learning import dictionary_learning, sae_for_vlm
from scratchpad.sae.formats.foreign import Foreign
from scratchpad.sae.formats.openai import openai
from scratchpad.sae.formats.overcomplete import overcomplete
from scratchpad.sae.formats.patchsae import patchsae
from scratchpad.sae.formats.prisma import prisma
from scratchpad.sae.formats.saev import saev
from scratchpad.sae.formats.sparsify import sparsify
from scratchpad.sae.load import load_sae
from scratchpad.sae.normalise import AVERAGE, NONE
from scratchpad.sae.scaling import checked_factor, factor_beside, folded

READERS: dict[str, Callable[[Path], Foreign]] = {
    "patchsae": patchsae,
    "saev": saev,
    "prisma": prisma,
    "sae-for-vlm": sae_for_vlm,
    "dictionary-learning": dictionary_learning,
    "bussmann": bussmann,
    "sparsify": sparsify,
    "overcomplete": overcomplete,
    "openai": openai,
}
FORMATS = (*READERS, "saelens")


def import_sae(
    source: Path,
    format: str,
    out: Path,
    at: HookPoint | None = None,
    k: int | None = None,
    subtract: bool | None = None,
    threshold: float | None = None,
    input_scale: float | None = None,
) -> dict[str, object]:
    """Converts and writes `out`, whole or not at all; what was found.

    Args:
        at, k, subtract, threshold: for formats that don't say; `subtract` is whether b_dec is subtracted before encoding, k = 0 says
            that every latent above 0 is active.
        input_scale: by what activations were multiplied in training, where the file doesn't say and its weights are of scaled ones.

    Raises:
        UserError: an unknown format, a file that holds more than tensors and plain values, something missing or unsupported.
    """
    if format not in FORMATS:
        raise UserError(f"The format {format!r} was asked for; expected one of {', '.join(FORMATS)}.")
    if not source.exists():
        raise UserError(f"There is no {source}; expected a file or folder of the format {format}.")
    factor = None if input_scale is None else checked_factor(input_scale, "--input-scale")
    if format == "saelens":
        return _saelens(source, out, at, factor)
    try:
        foreign = READERS[format](source)
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{source} is not as {format} saves an SAE ({type(error).__name__}: {error}).") from error
    at = at or foreign.at
    subtract = subtract if subtract is not None else foreign.subtract
    if at is None:
        raise UserError(f"{source} doesn't say where in a model it reads; give --at: vision.N, projector or language.N, from 0.")
    if subtract is None:
        raise UserError(f"{source} doesn't say whether b_dec is subtracted before encoding; give --subtract-b-dec yes or no.")
    rule = _rule(foreign, source, k, threshold)
    return _write(foreign, out, format, at, rule, subtract, factor)


def _rule(foreign: Foreign, source: Path, k: int | None, threshold: float | None) -> tuple[int | None, float | Tensor | None]:
    """(k, threshold): what the file says, else what was given."""
    said = foreign.k is not None or foreign.threshold is not None or foreign.gate is not None
    if foreign.rule and k is None and threshold is None:
        raise UserError(
            f"{source} {foreign.rule}; give --k (the k largest of each patch; 0 for all above 0), "
            "or --threshold (mean over batches of the smallest activation that was let through)."
        )
    if k is not None and threshold is not None:
        raise UserError(f"--k {k} and --threshold {threshold} were given; expected at most one of them.")
    if threshold is not None and (said or not threshold > 0):
        raise UserError(f"--threshold {threshold} was given; expected a number above 0, for a file that says no rule of its own.")
    if k is not None and (k < 0 or foreign.threshold is not None or foreign.gate is not None or foreign.k not in (None, k)):
        raise UserError(f"--k {k} was given; expected 0 or more, for a file that says no rule of its own.")
    return (k or foreign.k), (threshold if threshold is not None else foreign.threshold)


def _write(
    foreign: Foreign,
    out: Path,
    format: str,
    at: HookPoint,
    rule: tuple[int | None, float | Tensor | None],
    subtract: bool,
    factor: float | None,
) -> dict[str, object]:
    (k, threshold), normalise = rule, foreign.normalise
    weights = _weights(foreign, threshold if k is None else None)
    if factor is not None:
        weights, normalise = folded(weights, factor), _unscaled(normalise, out)
    d_in, d_sae = weights["W_enc"].shape
    architecture = "gated" if foreign.gate else "topk" if k else "jumprelu" if "threshold" in weights else "standard"
    config: dict[str, object] = {
        "architecture": architecture,
        "d_in": d_in,
        "d_sae": d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": subtract,
        "normalize_activations": normalise,
        "reshape_activations": "none",
        "metadata": {**said_of(at), "model_name": foreign.model, "imported_from": format, "class_token": foreign.class_token},
    }
    if k:
        config |= {"k": int(k), "rescale_acts_by_decoder_norm": False}
    try:
        with add_files(out, last=CONFIG) as aside:
            save_file(weights, aside / WEIGHTS)
            (aside / CONFIG).write_text(json.dumps(config))
            sign(aside)
            load_sae(aside, name=out)
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error
    return {
        "architecture": architecture,
        "d_in": d_in,
        "d_sae": d_sae,
        "at": str(at),
        "k": k,
        "subtract_b_dec": subtract,
        "normalize_activations": normalise,
        "format": format,
    }


def _weights(foreign: Foreign, threshold: float | Tensor | None) -> dict[str, Tensor]:
    """SAELens' tensors, of shapes that fit each other."""
    named = {"W_enc": foreign.W_enc, "W_dec": foreign.W_dec, "b_dec": foreign.b_dec}
    vectors = {"b_gate" if foreign.gate else "b_enc": foreign.b_enc}
    if foreign.gate:
        vectors |= {"r_mag": foreign.gate.r_mag, "b_mag": foreign.gate.b_mag}
    weights = {name: value.float().contiguous().clone() for name, value in (named | vectors).items()}
    d_in, d_sae = weights["W_enc"].shape
    shapes = {"W_dec": (d_sae, d_in), "b_dec": (d_in,)} | dict.fromkeys(vectors, (d_sae,))
    wrong = [f"{name} is {tuple(weights[name].shape)}, expected {shape}" for name, shape in shapes.items() if weights[name].shape != shape]
    if wrong or not all(torch.isfinite(value).all() for value in weights.values()):
        raise UserError(f"The SAE's tensors don't fit each other: {'; '.join(wrong) or 'some values are not finite'}.")
    if threshold is not None:
        weights["threshold"] = torch.as_tensor(threshold, dtype=torch.float32).expand(d_sae).clone()
    return weights


def _unscaled(normalise: str, source: Path) -> str:
    """What is left to do to a patch when a factor is folded."""
    if normalise not in (NONE, AVERAGE):
        raise UserError(f"--input-scale was given, but {source} normalises each patch by itself ({normalise}); leave it out.")
    return NONE


def _saelens(source: Path, out: Path, at: HookPoint | None, factor: float | None) -> dict[str, object]:
    """A SAELens folder that may not say where it reads, or a checkpoint whose factor isn't folded."""
    for name in (CONFIG, WEIGHTS):
        if not (source / name).is_file():
            raise UserError(f"{source} has no {name}; expected a folder in SAELens format.")
    try:
        config = read_config(source)
        metadata = config.get("metadata") or {}
        if at is not None and isinstance(metadata, dict):  # what is no object is refused below
            config["metadata"] = metadata | said_of(at)
        normalise = checked(config, source)["normalise"]
        if factor is None and normalise == AVERAGE:
            factor = factor_beside(source, source)
        with add_files(out, last=CONFIG) as aside:
            shutil.copy(source / WEIGHTS, aside / WEIGHTS)
            (aside / CONFIG).write_text(json.dumps(config))
            sae = load_sae(aside, name=source)
            if factor is not None:
                normalise = _unscaled(normalise, source)
                save_file(folded(load_file(aside / WEIGHTS), factor), aside / WEIGHTS)
                (aside / CONFIG).write_text(json.dumps(config | {"normalize_activations": normalise}))
            sign(aside)
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error
    about = {"architecture": sae.architecture, "d_in": sae.width, "d_sae": sae.d_sae, "at": str(sae.at), "k": sae.k}
    return about | {"subtract_b_dec": sae.subtract_b_dec, "normalize_activations": normalise, "format": "saelens"}
