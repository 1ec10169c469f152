"""cfg.json of an SAE folder, checked field by field, with the hash of the weights that it was written with.

In: a folder. Out: a configuration whose fields are what they should be, or one sentence. A bit that flipped in the weights is
told from a weight by their hash alone (metadata.weights_sha256); folders that don't have it are read as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.files import write_whole
from scratchpad.records.hookpoint import MAX_LAYER, HookPoint, vision
from scratchpad.sae.hookpoint import point_of
from scratchpad.sae.normalise import NORMALISATIONS
from scratchpad.sae.older import as_today

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
HASH = "weights_sha256"
ARCHITECTURES = ("standard", "topk", "jumprelu", "gated")
VECTORS = {  # tensors of a number per latent
    "standard": ("b_enc",),
    "topk": ("b_enc",),
    "jumprelu": ("b_enc", "threshold"),
    "gated": ("b_gate", "b_mag", "r_mag"),
}
REFUSED = {  # what else SAELens saves, and why it can't be read here
    "temporal": "its codes are predicted from the tokens before, so that a patch has none of its own",
    "transcoder": "it puts out another layer than it reads, so that its latents say nothing of what an edit here would change",
    "matching_pursuit": "its latents are chosen one after another, each from what the ones before leave over",
    "abstopk": "its latents fire below 0 too, and activations here are 0 or above",
}
MAX_SIZE = 10**8  # latents or dimensions


class Config(TypedDict):
    """What is read of a configuration, each field of its type and range."""

    architecture: str  # one of ARCHITECTURES
    metadata: dict[str, object]
    at: HookPoint
    d_in: int
    d_sae: int
    k: int | None  # of topk alone
    subtract_b_dec: bool
    rescale: bool
    normalise: str  # one of NORMALISATIONS


def read_config(folder: Path) -> dict[str, object]:
    """What cfg.json says.

    Raises:
        UserError: it can't be read, or isn't a JSON object.
    """
    try:
        value = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"The SAE in {folder} is damaged ({str(error)[:200]}); restore its {CONFIG}.") from error
    if not isinstance(value, dict):
        raise UserError(f"The SAE in {folder} is damaged: its {CONFIG} is {_short(value)}; expected a JSON object.")
    return as_today(value)


def checked(config: Mapping[str, object], name: Path) -> Config:
    """A configuration of which every field that is read has its type and range.

    Raises:
        UserError: one hasn't; says which, what it is and what is expected.
    """

    def wrong(field: str, value: object, expected: str) -> UserError:
        return UserError(f"The SAE in {name} has {_short(value)} as {field} in {CONFIG}; expected {expected}.")

    def whole(field: str, value: object, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise wrong(field, value, f"a whole number from {least} to {most}")
        return value

    def yes_or_no(field: str, default: bool) -> bool:
        value = config.get(field, default)
        if not isinstance(value, bool):
            raise wrong(field, value, "true or false")
        return value

    architecture, metadata = config.get("architecture"), config.get("metadata")
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        why = next((f" ({why})" for kind, why in REFUSED.items() if str(architecture).endswith(kind)), "")
        raise UserError(f"The SAE in {name} is of architecture {_short(architecture)}{why}; expected one of {', '.join(ARCHITECTURES)}.")
    normalise = config.get("normalize_activations")
    normalise = "none" if normalise is None else normalise
    if not isinstance(normalise, str) or normalise not in NORMALISATIONS:
        raise wrong("normalize_activations", normalise, f"one of {', '.join(NORMALISATIONS)}")
    if config.get("reshape_activations") not in (None, "none"):
        raise UserError(
            f"The SAE in {name} reads attention heads ({_short(config['reshape_activations'])}); expected a vision block's output."
        )
    metadata = {} if metadata is None else metadata
    if not isinstance(metadata, dict):
        raise wrong("metadata", metadata, "a JSON object")
    rescale = yes_or_no("rescale_acts_by_decoder_norm", False)  # of topk alone, as in SAELens
    d_sae = whole("d_sae", config.get("d_sae"), 1, MAX_SIZE)
    return {
        "architecture": architecture,
        "metadata": metadata,
        "at": at_of(metadata, name),
        "d_in": whole("d_in", config.get("d_in"), 1, MAX_SIZE),
        "d_sae": d_sae,
        "k": whole("k", config.get("k"), 1, d_sae) if architecture == "topk" else None,
        "subtract_b_dec": yes_or_no("apply_b_dec_to_input", True),
        "rescale": rescale and architecture == "topk",
        "normalise": normalise,
    }


def at_of(metadata: Mapping[str, object], name: Path) -> HookPoint:
    """The point that hook_name means, in the vision encoder at metadata.layer where that is said.

    Raises:
        UserError: the name means a place that is none, or nothing is said.
    """
    hook, layer = metadata.get("hook_name"), metadata.get("layer")
    at = point_of(hook, name) if isinstance(hook, str) else None
    if at is not None and (at.place != "vision" or layer is None):
        return at
    if layer is None:
        raise UserError(f"The SAE in {name} does not say which layer it reads; add an integer metadata.layer to {CONFIG}.")
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer <= MAX_LAYER:
        raise UserError(
            f"The SAE in {name} has {_short(layer)} as metadata.layer in {CONFIG}; expected a whole number from 0 to {MAX_LAYER}."
        )
    return vision(layer)


def said_of(at: HookPoint) -> dict[str, object]:
    """A hook point as metadata says it: the vision encoder's by `layer`, as it always was, the others by `hook_name`."""
    if at.place == "vision":
        return {"layer": at.block}
    return {"hook_name": str(at) if at.layer is None else f"language_model.layers.{at.layer}"}


def check_weights(weights: Mapping[str, Tensor], config: Config, name: Path) -> None:
    """Checks that the tensors are those that a checked configuration declares.

    Raises:
        UserError: a tensor is missing, of another shape than cfg.json declares, of whole numbers, or holds what is no number.
    """
    d_in, d_sae = config["d_in"], config["d_sae"]
    shapes = {"W_enc": (d_in, d_sae), "W_dec": (d_sae, d_in), "b_dec": (d_in,)}
    shapes |= dict.fromkeys(VECTORS[config["architecture"]], (d_sae,))
    missing = [tensor for tensor in shapes if tensor not in weights]
    if missing:
        raise UserError(
            f"The SAE in {name} lacks the tensors {', '.join(missing)} of architecture {config['architecture']}; expected SAELens format."
        )
    for tensor, shape in shapes.items():
        values = weights[tensor]
        if tuple(values.shape) != shape:
            said = f"The SAE in {name} declares {d_in} x {d_sae} but its {tensor} is {' x '.join(map(str, values.shape)) or 'one number'}"
            raise UserError(f"{said}; expected {' x '.join(map(str, shape))}.")
        if not values.is_floating_point() or not torch.isfinite(values).all():
            raise UserError(f"The SAE in {name} is damaged: its {tensor} holds what is no number; restore {WEIGHTS}.")


def check_hash(folder: Path, metadata: Mapping[str, object], name: Path) -> None:
    """Checks the weights' file against the hash in the metadata, where there is one.

    Raises:
        UserError: the weights aren't those that cfg.json was written with.
    """
    known = metadata.get(HASH)
    if known is not None and known != _hash(folder):
        said = f"The SAE in {name} is damaged: its weights aren't those it was written with"
        raise UserError(f"{said}; restore {WEIGHTS}, or take metadata.{HASH} out of {CONFIG} if you changed them yourself.")


def sign(folder: Path) -> None:
    """Writes the hash of the weights into cfg.json.

    Raises:
        OSError: it can't be written.
    """
    config = read_config(folder)
    metadata = config.get("metadata")
    config["metadata"] = (metadata if isinstance(metadata, dict) else {}) | {HASH: _hash(folder)}
    write_whole(folder / CONFIG, json.dumps(config))


def _hash(folder: Path) -> str:
    with open(folder / WEIGHTS, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]} …"
