"""How well an SAE stands in for the activations it reads.

variance explained = 1 - sum (x - x_hat)^2 / sum (x - mean x)^2 over all patches and dimensions; L0 = mean number of
active latents a patch; dead share = latents active on no patch; cosine = mean over patches of cos(x, x_hat).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from scratchpad.sae.load import Sae


def reconstruction_metrics(sae: Sae, batches: Iterable[Float[np.ndarray, "p d"]]) -> dict[str, float]:
    """The four numbers above, in one pass and bounded memory."""
    count, l0, cosine, wrong = 0, 0.0, 0.0, 0.0
    total = np.zeros(sae.width)
    squares = 0.0
    fired = np.zeros(sae.d_sae, bool)
    for x in batches:
        codes = sae.encode(x)
        hat = sae.reconstruct(codes)
        fired[codes.active()] = True
        l0 += float((codes.values > 0).sum())
        wrong += float(((x - hat) ** 2).sum(dtype=np.float64))
        squares += float((x.astype(np.float64) ** 2).sum())
        total += x.sum(0, dtype=np.float64)
        cosine += float(((x * hat).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(hat, axis=1) + 1e-12)).sum())
        count += len(x)
    variance = squares - float((total**2).sum()) / count
    return {
        "variance_explained": 1 - wrong / variance,
        "l0": l0 / count,
        "dead_share": float((~fired).mean()),
        "cosine": cosine / count,
    }
