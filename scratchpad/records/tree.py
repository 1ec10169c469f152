"""Latents of a picture as a tree of likeness."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from scratchpad.records.codec import Count, record

By = Literal["decoder", "tokens"]
BYS: tuple[By, ...] = ("decoder", "tokens")


@record
class Merge:
    """Two branches that become one. A branch is a leaf, 0 to n - 1 in the tree's order, or n + the place of the merge that made it."""

    left: Count
    right: Count
    distance: float


@record
class Tree:
    """Hierarchical clustering of n latents: average linkage, leaves in optimal order, merges from the nearest on."""

    by: By  # decoder: 1 - cosine of what they write; tokens: 1 - Pearson correlation of their heatmap columns
    leaves: tuple[Count, ...]  # ids
    merges: tuple[Merge, ...]

    @model_validator(mode="after")
    def _whole(self) -> Tree:
        n = len(self.leaves)
        if len(self.merges) != max(0, n - 1):
            raise ValueError(f"{n} leaves, {len(self.merges)} merges")
        if any(max(merge.left, merge.right) >= n + i for i, merge in enumerate(self.merges)):
            raise ValueError("a merge is of a branch that isn't there yet")
        return self

    def clusters(self, cut: float) -> tuple[tuple[int, ...], ...]:
        """The latents of every branch that holds together under a distance, in the tree's order."""
        n = len(self.leaves)
        below: dict[int, list[int]] = {i: [i] for i in range(n)}
        for i, merge in enumerate(self.merges):
            if merge.distance <= cut:
                below[n + i] = below.pop(merge.left) + below.pop(merge.right)
        return tuple(tuple(self.leaves[i] for i in sorted(group)) for group in sorted(below.values(), key=min))
