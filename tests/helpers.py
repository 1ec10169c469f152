"""Small things that several tests need."""

from __future__ import annotations

import numpy as np

from scratchpad.records import Codes


def random_codes(patches: int, d_sae: int, k: int, seed: int = 0) -> Codes:
    """Codes with distinct latents per patch, some of them inactive."""
    rng = np.random.default_rng(seed)
    indices = np.stack([rng.choice(d_sae, k, replace=False) for _ in range(patches)]).astype(np.int32)
    values = np.maximum(rng.normal(0.5, 1, (patches, k)), 0).astype(np.float32)
    return Codes("random", d_sae, values, indices)
