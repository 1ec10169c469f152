"""Which latents of a picture are alike: a tree, by what they write (decoder rows) or by which tokens draw on them.

In: a heatmap, decoder directions. Out: `Tree`. The heatmap's own clusters are the tree by tokens, cut at `heatmap.CUT`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from scratchpad.analysis.heatmap import distances
from scratchpad.records import Heatmap
from scratchpad.records.tree import By, Merge, Tree


def tree(heatmap: Heatmap, directions: Float[np.ndarray, "l d"], by: By = "decoder") -> Tree:
    """The heatmap's latents as a tree.

    Args:
        directions: the decoder's rows of the heatmap's latents, in its order.
    """
    n = len(heatmap.latents)
    if n < 2:
        return Tree(by, heatmap.latents, ())
    apart = distances(heatmap.raw) if by == "tokens" else _turned(directions)
    made = linkage(squareform(apart, checks=False), "average", optimal_ordering=True)
    order = leaves_list(made)
    place = {int(leaf): at for at, leaf in enumerate(order)}
    branch = [place.get(i, i) for i in range(2 * n - 1)]
    merges = tuple(Merge(branch[int(a)], branch[int(b)], float(distance)) for a, b, distance, _ in made)
    return Tree(by, tuple(heatmap.latents[int(i)] for i in order), merges)


def _turned(directions: Float[np.ndarray, "l d"]) -> Float[np.ndarray, "l l"]:
    """1 - cosine between rows."""
    unit = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    apart = np.clip(1 - unit.astype(np.float64) @ unit.T.astype(np.float64), 0, 2)
    np.fill_diagonal(apart, 0)
    return np.asarray((apart + apart.T) / 2)
