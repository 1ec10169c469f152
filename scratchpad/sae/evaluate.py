"""How well an SAE stands in for the activations it reads.

variance explained = 1 - sum (x - x_hat)^2 / sum (x - mean x)^2 over all patches and dimensions; L0 = mean number of
active latents a patch; dead share = latents active on no patch; cosine = mean over patches of cos(x, x_hat).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from scratchpad.sae.load import Sae


@dataclass(frozen=True)
class Sums:
    """What the four numbers are made of; sums of several pictures add up. d wide, l latents."""

    count: int  # patches
    l0: float
    cosine: float
    wrong: float  # squared error
    squares: float
    total: Float[np.ndarray, " d"]
    fired: Bool[np.ndarray, " l"]

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.count + other.count,
            self.l0 + other.l0,
            self.cosine + other.cosine,
            self.wrong + other.wrong,
            self.squares + other.squares,
            self.total + other.total,
            self.fired | other.fired,
        )


def sums_of(sae: Sae, x: Float[np.ndarray, "p d"]) -> Sums:
    """Of some patches."""
    codes = sae.encode(x)
    hat = sae.reconstruct(codes, x)
    fired = np.zeros(sae.d_sae, bool)
    fired[codes.active()] = True
    return Sums(
        count=len(x),
        l0=float((codes.values > 0).sum()),
        cosine=float(((x * hat).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(hat, axis=1) + 1e-12)).sum()),
        wrong=float(((x - hat) ** 2).sum(dtype=np.float64)),
        squares=float((x.astype(np.float64) ** 2).sum()),
        total=x.sum(0, dtype=np.float64),
        fired=fired,
    )


def metrics_of(parts: Iterable[Sums]) -> dict[str, float]:
    """The four numbers above."""
    whole = functools.reduce(Sums.__add__, parts)
    variance = whole.squares - float((whole.total**2).sum()) / whole.count
    return {
        "variance_explained": 1 - whole.wrong / variance,
        "l0": whole.l0 / whole.count,
        "dead_share": float((~whole.fired).mean()),
        "cosine": whole.cosine / whole.count,
    }


def reconstruction_metrics(sae: Sae, batches: Iterable[Float[np.ndarray, "p d"]]) -> dict[str, float]:
    """The four numbers of batches of patches, in one pass and bounded memory."""
    return metrics_of(sums_of(sae, x) for x in batches)
