"""Proves a declared geometry on the model itself (DESIGN.md, invariant 3).

In: a `Vlm` and what one run takes in. Out: for image tokens, whether the Jacobian of their embeddings with respect to the
patches of the last vision block read is non-zero exactly where the declared token-to-patch matrix is. Generates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from scratchpad.vlm.jacobian import merged_embeddings, pattern
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared


@dataclass(frozen=True)
class Check:
    """What the Jacobian says of a declared geometry."""

    tokens: int  # image tokens checked
    of: int
    wrong: tuple[int, ...]  # those whose patches are others than declared

    @property
    def holds(self) -> bool:
        """Whether every token checked is made of the patches declared."""
        return not self.wrong


def embeddings(vlm: Vlm, prepared: Prepared) -> Float[Tensor, "v c"]:
    """The image tokens of one run as the language model takes them in."""
    return merged_embeddings(vlm.adapter, prepared.inputs, prepared.image_positions)


def check(vlm: Vlm, prepared: Prepared, most: int = 256) -> Check:
    """Checks up to `most` image tokens, evenly spread; each costs a backward pass from the connector alone."""
    grid = prepared.grid
    tokens = np.unique(np.linspace(0, grid.image_tokens - 1, min(most, grid.image_tokens)).round().astype(int))
    declared = grid.token_patches[tokens].toarray() != 0
    measured = pattern(vlm.adapter, prepared.inputs, prepared.image_positions, tokens.tolist(), grid.patches, order=prepared.order)
    return Check(len(tokens), grid.image_tokens, tuple(int(t) for t in tokens[(measured != declared).any(1)]))
