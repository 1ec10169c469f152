"""Bussmann's BatchTopK repository: sae.pt, a state_dict, with config.json. With input_unit_norm every patch is layer_norm'd first.

vanilla   relu((x - b_dec) W_enc + b_enc)
topk      the k largest of relu((x - b_dec) W_enc)
batchtopk relu((x - b_dec) W_enc) where above `threshold`, which later files keep; without it codes depend on the batch
jumprelu  relu(x W_enc + b_enc) where above exp(log_threshold); x - b_dec with use_pre_enc_bias
"""

from __future__ import annotations

from pathlib import Path

import torch

from scratchpad.errors import UserError
from scratchpad.sae.formats.files import State, Values, beside, file_of, only, saved, state_of, text, whole
from scratchpad.sae.formats.foreign import Foreign
from scratchpad.sae.hookpoint import point_of
from scratchpad.sae.normalise import LAYER_NORM, NONE

KINDS = ("vanilla", "topk", "batchtopk", "jumprelu")
LOG = "jumprelu.log_threshold"


def bussmann(source: Path) -> Foreign:
    """Bussmann's file."""
    path = file_of(source, "sae.pt", "*.pt")
    state = state_of(saved(path.read_bytes(), path.name), path)
    config = beside(path, "config.json", "*_config.json")
    kind = text(config, "sae_type")
    if kind not in KINDS:
        raise UserError(f"{path.name} has {kind or 'no'} sae_type in a config.json beside it; expected one of {', '.join(KINDS)}.")
    only(state, path, ("W_enc", "b_enc", "W_dec", "b_dec", LOG, "threshold"), ("num_batches_not_active",))
    of_batch = kind == "batchtopk" and "threshold" not in state
    return Foreign(
        state["W_enc"],
        torch.zeros_like(state["b_enc"]) if kind in ("topk", "batchtopk") else state["b_enc"],
        state["W_dec"],
        state["b_dec"],
        subtract=kind != "jumprelu" or bool(config.get("use_pre_enc_bias")),
        k=_k(config) if kind == "topk" else None,
        threshold=_threshold(kind, state),
        normalise=LAYER_NORM if config.get("input_unit_norm") else NONE,
        at=point_of(text(config, "hook_point"), path.name),
        model=text(config, "model_name"),
        rule="is a BatchTopK without a threshold, whose codes depend on the batch" if of_batch else "",
    )


def _k(config: Values) -> int:
    k = whole(config, "top_k")
    if k is None:
        raise KeyError("top_k")
    return k


def _threshold(kind: str, state: State) -> float | torch.Tensor | None:
    if kind == "jumprelu":
        return state[LOG].exp()
    return float(state["threshold"]) if kind == "batchtopk" and "threshold" in state else None
