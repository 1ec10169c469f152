"""How many counterfactuals are run at once, and what is held of those that wait.

In: changes of the activations, a prompt. Out: batches that fit, by the model's sizes alone, so that the same question rounds alike on
every machine of a kind. Runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared

BATCH = 16  # counterfactuals at once, where they fit into TOGETHER
TOGETHER = 2**29  # bytes that a batch's activations of one vision block may take: more at once is no faster and held several times
WIDEST = 8  # times a block's output: its MLP's hidden layer, beside queries, keys and values


def at_once(vlm: Vlm, prepared: Prepared) -> int:
    """How many counterfactuals of a prompt are run in one batch."""
    copy = prepared.grid.patches * vlm.width * vlm.model.dtype.itemsize * WIDEST
    return max(1, min(BATCH, TOGETHER // copy))


@dataclass(frozen=True)
class Rows:
    """A change of activations by the rows that aren't nought: most edits change few rows of many."""

    rows: Int[np.ndarray, " n"]
    values: Float[np.ndarray, "n d"]
    count: int  # of all rows, m

    @classmethod
    def of(cls, delta: Float[np.ndarray, "m d"]) -> Rows:
        """From an array."""
        rows = np.flatnonzero(delta.any(-1))
        return cls(rows, delta[rows], len(delta))

    def changed(self) -> Bool[np.ndarray, " m"]:
        """Which rows change."""
        return np.isin(np.arange(self.count), self.rows)

    def dense(self) -> Float[np.ndarray, "m d"]:
        """As an array again."""
        out = np.zeros((self.count, self.values.shape[1]), self.values.dtype)
        out[self.rows] = self.values
        return out
