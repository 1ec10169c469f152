"""The token-latent heatmap (VisualScratchpad, Fig. 5).

Each column (latent) is scaled to 0 .. 1, which shows whether a latent is attended by particular tokens or by all; columns
are clustered and ordered by the correlation of their raw values. Reference 1.4 [I]: min-max per column, distance
1 - Pearson, average linkage, optimal leaf ordering; a cluster is cut where that distance exceeds `cut`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import squareform

from scratchpad.records import Cluster, Heatmap

COLUMNS = 48
EVERYWHERE = 0.5  # share of the index's pictures: what fires on more is the scenery of all of them
CUT = 0.5


def heatmap(tokens: tuple[int, ...], latents: Int[np.ndarray, " l"], raw: Float[np.ndarray, "t l"], cut: float = CUT) -> Heatmap:
    """Normalises, clusters and orders the columns.

    Args:
        tokens: sequence indices of the rows.
        latents: ids of the columns of `raw`.
        cut: distance (1 - Pearson) under which columns belong to one cluster.
    """
    low, high = raw.min(0, initial=np.inf), raw.max(0, initial=-np.inf)
    span = np.where(high - low > 0, high - low, 1)
    # a column that never changes carries no information about tokens; it's shown as fully on
    values = np.where(high - low > 0, (raw - low) / span, 1.0) if len(tokens) > 1 else np.ones_like(raw)
    if len(latents) < 2:
        ids = tuple(int(i) for i in latents)
        return Heatmap(tokens, ids, raw, values, tuple(Cluster(0, ids) for _ in ids))
    distance = squareform(distances(raw), checks=False)
    tree = linkage(distance, "average", optimal_ordering=True)
    order = leaves_list(tree)
    label = fcluster(tree, cut, "distance")[order]
    ordered = np.asarray(latents)[order]
    names = list(dict.fromkeys(label.tolist()))
    clusters = tuple(Cluster(n, tuple(int(i) for i in ordered[label == name])) for n, name in enumerate(names))
    return Heatmap(tokens, tuple(int(i) for i in ordered), raw[:, order], values[:, order], clusters)


def chosen(raw: Float[np.ndarray, "t l"], sparsity: Float[np.ndarray, " l"]) -> Int[np.ndarray, " n"]:
    """Which latents become columns, ascending: COLUMNS of the highest score for any token among those that don't fire everywhere,
    and of those that do the ones among the first COLUMNS of all.

    Args:
        raw: every active latent's score.
        sparsity: share of the index's pictures on which it fires; 0 where nothing is known.
    """
    order = np.argsort(-raw.max(0, initial=0), kind="stable")
    apart = order[sparsity[order] <= EVERYWHERE][:COLUMNS]
    return np.union1d(apart, order[:COLUMNS])


def distances(raw: Float[np.ndarray, "t l"]) -> Float[np.ndarray, "l l"]:
    """1 - Pearson between columns; a constant column correlates with nothing but itself."""
    centred = raw - raw.mean(0)
    norm = np.linalg.norm(centred, axis=0)
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 1e-12)
    distance: np.ndarray = np.clip(1 - unit.T @ unit, 0, 2)
    np.fill_diagonal(distance, 0)
    return distance
