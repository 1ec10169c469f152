"""What the decoder alone says: which latents write alike.

In: an SAE. Out: nearest neighbours and clusters by the cosine of decoder rows. No activations are looked at.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.vq import kmeans2

from scratchpad.sae.load import Sae

NEAREST = 8
ROUNDS = 20
ALIKE = 0.7  # cosine of decoder rows above which two SAEs share a latent


def _unit(sae: Sae) -> Float[np.ndarray, "l d"]:
    rows = sae.directions().cpu().numpy()
    unit: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def neighbours(sae: Sae, most: int = NEAREST) -> tuple[Int[np.ndarray, "l n"], Float[np.ndarray, "l n"]]:
    """(ids, cosines) of the decoder rows nearest to each, nearest first, itself left out."""
    unit = _unit(sae)
    most = min(most, len(unit) - 1)
    ids, cosines = np.zeros((len(unit), most), np.int32), np.zeros((len(unit), most), np.float32)
    for start in range(0, len(unit), 1024):  # a block of rows at a time: the whole matrix may not fit
        near = unit[start : start + 1024] @ unit.T
        near[np.arange(len(near)), start + np.arange(len(near))] = -2
        best = np.argpartition(-near, most - 1, axis=1)[:, :most]
        value = np.take_along_axis(near, best, 1)
        order = np.argsort(-value, axis=1, kind="stable")
        ids[start : start + 1024] = np.take_along_axis(best, order, 1)
        cosines[start : start + 1024] = np.take_along_axis(value, order, 1)
    return ids, cosines


def clusters(sae: Sae, seed: int = 0) -> Int[np.ndarray, " l"]:
    """A cluster for every latent: k-means (scipy) over unit decoder rows, as many clusters as the root of their number.

    Between unit rows the squared distance is 2 - 2 cosine, so that near means alike in direction.
    """
    unit = _unit(sae)
    k = max(1, round(len(unit) ** 0.5))
    _, label = kmeans2(unit, k, iter=ROUNDS, minit="points", rng=np.random.default_rng(seed))
    return np.asarray(label, np.int32)


def shared(sae: Sae, other: Sae, alike: float = ALIKE) -> float:
    """Share of an SAE's latents with a decoder row of another whose cosine is above `alike`."""
    own, theirs = _unit(sae), _unit(other)
    near = [(own[start : start + 1024] @ theirs.T).max(1) for start in range(0, len(own), 1024)]
    return float((np.concatenate(near) > alike).mean())
