"""What another project's file says of an SAE, in SAELens' terms."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.normalise import NONE


@dataclass(frozen=True)
class Gate:
    """What a gated SAE has beside its encoder, whose b_enc is then the gate's bias."""

    r_mag: Float[Tensor, " l"]
    b_mag: Float[Tensor, " l"]


@dataclass(frozen=True)
class Foreign:
    """None where the file doesn't say."""

    W_enc: Float[Tensor, "d l"]
    b_enc: Float[Tensor, " l"]
    W_dec: Float[Tensor, "l d"]
    b_dec: Float[Tensor, " d"]
    subtract: bool | None  # whether b_dec is subtracted before encoding
    k: int | None = None
    threshold: float | Tensor | None = None  # at or below which pre-activations are 0
    gate: Gate | None = None
    normalise: str = NONE
    at: HookPoint | None = None
    model: str = ""
    class_token: bool | None = None
    rule: str = ""  # what must be known beside this: a sentence's end, where neither k nor threshold is said and one is needed


def unit_rows(foreign: Foreign) -> Foreign:
    """The same SAE with decoder rows one long, their lengths in the codes."""
    norms = foreign.W_dec.norm(dim=-1)
    threshold = foreign.threshold if foreign.threshold is None else foreign.threshold * norms
    return replace(
        foreign, W_enc=foreign.W_enc * norms, b_enc=foreign.b_enc * norms, W_dec=foreign.W_dec / norms[:, None], threshold=threshold
    )
