"""What a case's packed arrays hold, checked: finite numbers, and indices of what the case has."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from scratchpad.cases.schema import Case
from scratchpad.errors import UserError


def check_arrays(case: Case) -> None:
    """Raises:
    UserError: a number isn't finite, or an index is of nothing.
    """
    shown = case.shown
    for name in ("maps", "scores", "means", "codeValues"):
        if not np.isfinite(_unpacked(name, getattr(shown, name), "<f4")).all():
            raise _damaged(f"{name} holds what is no number")
    values, indices = _unpacked("codeValues", shown.codeValues, "<f4"), _unpacked("codeIndices", shown.codeIndices, "<i4")
    active, tokens = set(shown.active), {token.index for token in shown.tokens}
    if not set(indices[values > 0].tolist()) <= active or (indices < 0).any():
        raise _damaged("codeIndices name latents that are not active")
    if not set(shown.rows) <= tokens or not set(shown.heatmap.tokens) <= tokens or shown.nameToken not in {None, *tokens}:
        raise _damaged("a map is of a token that there isn't")
    if not set(shown.heatmap.latents) <= active:
        raise _damaged("the heatmap is of latents that are not active")
    for latent, detail in case.details.items():
        for one in detail.references:
            if len(_unpacked("mask", one.mask, "u1")) != one.rows * one.cols:
                raise _damaged(f"a mask of latent {latent} is not of {one.rows} x {one.cols} patches")


def _unpacked(name: str, text: str, kind: str) -> np.ndarray:
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), kind)
    except (binascii.Error, ValueError) as error:
        raise _damaged(f"{name} is not whole") from error


def _damaged(what: str) -> UserError:
    return UserError(f"The case is damaged: {what}; export it again.")
