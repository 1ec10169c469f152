"""Which latents an answer may rest on: predicted effect of ablating each active latent, from one backward pass.

effect(l) = - sum over patches of a(p, l) * scale(p) * (decoder row l . gradient(p)), the first-order change of the answer's
log-probability when latent l is set to 0. It only orders what is then run: what is called suggested was really ablated. Its sign
is not believed (`python -m benchmarks.causal predicted` says how often it is right).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from scratchpad.records import Codes
from scratchpad.sae.load import Sae


def predicted_effects(
    sae: Sae, codes: Codes, gradient: Float[np.ndarray, "p d"], activations: Float[np.ndarray, "p d"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Per active latent (ids ascending), the predicted change of log-probability under its ablation."""
    active = codes.active()
    directions = sae.directions().cpu().numpy()[active]
    along = (gradient * sae.scales(activations)) @ directions.T  # p n
    return active, -(codes.dense(active) * along).sum(0)


def likeliest(predicted: Float[np.ndarray, " n"], weighted: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Places of n latents, those first that are likeliest to matter: by the product of two ranks, which needs no common unit.

    Args:
        predicted: effects, of which the size counts and not the sign.
        weighted: attention-weighted scores.
    """
    ranks = [np.argsort(np.argsort(-np.abs(values), kind="stable"), kind="stable") + 1 for values in (predicted, weighted)]
    order: Int[np.ndarray, " n"] = np.argsort(ranks[0] * ranks[1], kind="stable")
    return order
