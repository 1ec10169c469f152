"""Which latents to switch off: predicted effect of ablating each active latent, from one backward pass.

effect(l) = - sum over patches of a(p, l) * (decoder row l . gradient(p)), the first-order change of the answer's
log-probability when latent l is set to 0. The suggested set is the latents predicted to lower it most; the page says
"suggested", the Comparison that follows says whether it's true.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from scratchpad.records import Codes
from scratchpad.sae.load import Sae

SIZE = 4  # on the demo enough to change most names, few enough that as many random ones don't: tests/demo/test_quality.py holds it to that


def predicted_effects(sae: Sae, codes: Codes, gradient: Float[np.ndarray, "p d"]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Per active latent (ids ascending), the predicted change of log-probability under its ablation."""
    active = codes.active()
    directions = sae.directions().cpu().numpy()[active]
    along = gradient @ directions.T  # p n
    return active, -(codes.dense(active) * along).sum(0)


def suggested(latents: Int[np.ndarray, " n"], effects: Float[np.ndarray, " n"], size: int = SIZE) -> tuple[int, ...]:
    """The latents predicted to lower the answer's log-probability most, strongest first."""
    order = np.argsort(effects)[:size]
    return tuple(int(latents[i]) for i in order if effects[i] < 0)
