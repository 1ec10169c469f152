"""What some SAEs do to a patch before they read it, and undo after: each patch on its own, so it can't be folded into weights.

In: activations. Out: the same at the scale that the SAE was trained at, with each patch's mean and length. Formulas of SAELens 6:
layer_norm: (x - mean) / (std + 1e-5), std with d - 1; constant_norm_rescale: x sqrt(d) / |x|.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

NONE, LAYER_NORM, CONSTANT_NORM, AVERAGE = "none", "layer_norm", "constant_norm_rescale", "expected_average_only_in"
NORMALISATIONS = (NONE, LAYER_NORM, CONSTANT_NORM, AVERAGE)  # the last multiplies all patches by the same factor
EPSILON = 1e-5
UNSCALED = (
    "The SAE was trained on activations scaled by a factor that its cfg.json doesn't say; here it reads them unscaled, as SAELens does: "
    "import it with --input-scale where you know the factor."
)
LEAST = 1e-12  # of a length, below which a patch is nothing at all


class Normalised(NamedTuple):
    """x = inner * scale + mean."""

    inner: Float[Tensor, "p d"]
    scale: Float[Tensor, "p 1"] | None  # None: 1 everywhere
    mean: Float[Tensor, "p 1"] | None  # None: 0 everywhere

    def back(self, y: Float[Tensor, "p d"]) -> Float[Tensor, "p d"]:
        """What was computed of `inner`, at the activations' own scale."""
        scaled = y if self.scale is None else y * self.scale
        return scaled if self.mean is None else scaled + self.mean


def normalised(x: Float[Tensor, "p d"], how: str) -> Normalised:
    """Activations as an SAE reads them, and what undoes it."""
    if how == LAYER_NORM:
        mean = x.mean(-1, keepdim=True)
        centred = x - mean
        scale = centred.std(-1, keepdim=True) + EPSILON
        return Normalised(centred / scale, scale, mean)
    if how == CONSTANT_NORM:
        scale = x.norm(dim=-1, keepdim=True).clamp_min(LEAST) / math.sqrt(x.shape[-1])
        return Normalised(x / scale, scale, None)
    return Normalised(x, None, None)
