"""Which latents matter to some tokens: s(t, l) = sum over patches of weight(t, p) * a(p, l)  (reference 1.3 [I])."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from scratchpad.grid import Places
from scratchpad.records import Codes, Scores, Weights


def scores(codes: Codes, weights: Float[np.ndarray, "t p"]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "t n"]]:
    """Attention-weighted activation of every active latent (ids ascending) for every token; sparse throughout."""
    active = codes.active()
    flat = codes.values > 0
    p, _ = np.nonzero(flat)
    column = np.searchsorted(active, codes.indices[flat])
    out = np.zeros((len(weights), len(active)), np.float32)
    for row, weight in zip(out, weights, strict=True):
        row += np.bincount(column, weight[p] * codes.values[flat], len(active)).astype(np.float32)
    return active, out


def mean_scores(codes: Codes, places: Places | None = None) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Image-level activation of every active latent: the plain mean over patches.

    Args:
        places: of the codes' rows; those that are of the picture count.
    """
    even = places.even() if places else np.full(len(codes.values), 1 / max(1, len(codes.values)), np.float32)
    active, out = scores(codes, even[None])
    return active, out[0]


def scored(codes: Codes, weights: Weights, places: Places | None = None) -> Scores:
    """Every active latent's score for every text token, with and without weighting; `places` as in `mean_scores`."""
    active, weighted = scores(codes, weights.values)
    return Scores(weights.tokens, tuple(active.tolist()), weighted, mean_scores(codes, places)[1])
