"""Text-to-image attention as a weight per patch (VisualScratchpad, Fig. 2).

In: a `Run`. Out: `Weights`. Attention of an output token is the row of the position that predicts it; of a prompt token,
the row of its own position. Averaged over the chosen heads at capture and over `layers` here (all by default, reference 1.3 [I]).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from scratchpad.grid import Places
from scratchpad.records import Run, Weights


def weigh(run: Run, layers: Sequence[int] | None = None, places: Places | None = None) -> Weights:
    """Attention of every text token over the patches, each row summing to 1 over the image (0 if it sees none).

    Args:
        places: weights are of their rows instead.
    """
    tokens = tuple(t.index for t in run.text_tokens())
    chosen = list(range(run.rows().shape[1])) if layers is None else list(layers)
    rows = np.stack([run.attention_of(i)[chosen].mean(0) for i in tokens])
    total = rows.sum(1, keepdims=True)
    rows = np.divide(rows, total, out=np.zeros_like(rows), where=total > 1e-12)
    return Weights(tokens, (places or run.grid.places()).carried(rows))


def uniform(weights: Weights, places: Places) -> Weights:
    """The same tokens with every patch (or image token) weighing the same: attention weighting switched off."""
    return Weights(weights.tokens, np.repeat(places.even()[None], len(weights.tokens), 0))


def of_tokens(weights: Weights, indices: Sequence[int]) -> Float[np.ndarray, "t p"]:
    """Rows of some tokens, by their sequence index."""
    place = {index: row for row, index in enumerate(weights.tokens)}
    return weights.values[[place[i] for i in indices]]
