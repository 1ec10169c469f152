"""overcomplete's state_dict: codes act(relu(BatchNorm(x W + b))), reconstruction a D, with no bias. BatchNorm is folded into W and b.

D is what the default dictionary makes of the weights: rows one long, times exp(multiplier). TopK and BatchTopK keep neither k nor threshold
in their tensors; JumpSAE keeps the threshold's logarithm. Encoders of several blocks, and those with LayerNorm, don't fit an SAE's formula.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.sae.formats.files import State, file_of, only, saved, state_of
from scratchpad.sae.formats.foreign import Foreign

LINEAR, NORM = "encoder.final_block.0", "encoder.final_block.1"
STATISTICS = (f"{NORM}.weight", f"{NORM}.bias", f"{NORM}.running_mean", f"{NORM}.running_var")
NAMES = (f"{LINEAR}.weight", f"{LINEAR}.bias", "dictionary._weights", "dictionary.multiplier", "thresholds")
EPSILON = 1e-5  # of torch's BatchNorm1d


def overcomplete(source: Path) -> Foreign:
    """overcomplete's file."""
    path = file_of(source, "*.pt", "*.pth", "*.safetensors")
    state = state_of(saved(path.read_bytes(), path.name), path)
    if any(name.startswith("encoder.mlp_blocks") for name in state) or (STATISTICS[0] in state and STATISTICS[2] not in state):
        raise UserError(
            f"{path.name} has an encoder of several blocks or with LayerNorm; expected one linear layer, with BatchNorm or without."
        )
    only(state, path, (*NAMES, *STATISTICS), (f"{NORM}.num_batches_tracked",))
    weight, bias = _encoder(state)
    rows = state["dictionary._weights"]
    multiplier = state.get("dictionary.multiplier", torch.zeros(()))
    jumps = "thresholds" in state
    return Foreign(
        weight.T,
        bias,
        rows / rows.norm(dim=-1, keepdim=True) * multiplier.exp(),
        torch.zeros(rows.shape[1]),
        subtract=False,
        threshold=state["thresholds"].exp() if jumps else None,
        rule="" if jumps else "doesn't say whether it's a TopK",
    )


def _encoder(state: State) -> tuple[Tensor, Tensor]:
    """(W, b) with BatchNorm's running statistics folded in."""
    weight, bias = state[f"{LINEAR}.weight"], state[f"{LINEAR}.bias"]
    if STATISTICS[0] not in state:
        return weight, bias
    gain, shift, mean, variance = (state[name] for name in STATISTICS)
    gain = gain / (variance + EPSILON).sqrt()
    return weight * gain[:, None], (bias - mean) * gain + shift
