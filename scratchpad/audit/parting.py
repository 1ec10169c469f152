"""Which features part some rows from others, beyond chance: a permutation test within strata, corrected for all features at once.

In: rows that have a feature or not, cases, controls, strata. Out: for each feature how far its count among cases lies above what chance
gives, and p. Labels are permuted within strata, so that what makes strata differ parts nothing; p is of the maximum over features (Westfall
and Young, 1993), one-sided. Knows nothing of what rows and features are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

DRAWS = 4000
FEWEST = 3  # cases with a feature, for it to be looked at
SHARED = 0.4  # of the cases have it, for it to be what they share
TOGETHER = 500  # permutations at once
MOST = 4000  # cases, and controls, at most: of more, so many are drawn


@dataclass(frozen=True)
class Parted:
    """f features; those that too few cases have are left out."""

    features: Int[np.ndarray, " f"]
    z: Float[np.ndarray, " f"]  # standard deviations of the permutation distribution above its mean
    p: Float[np.ndarray, " f"]  # corrected for all features
    cases: int  # in strata that have controls
    controls: int


def part(
    has: sparse.csr_matrix, cases: Bool[np.ndarray, " n"], controls: Bool[np.ndarray, " n"], strata: Int[np.ndarray, " n"], seed: int = 0
) -> Parted:
    """Features that cases have more often than controls of the same stratum.

    Args:
        has: n x features, above 0 where a row has it.
    """
    rows = _bounded(cases & _mixed(cases, controls, strata), controls & _mixed(cases, controls, strata), seed)
    label, group = cases[rows], np.unique(strata[rows], return_inverse=True)[1]
    there = (has[rows] > 0).astype(np.float64).tocsc()
    features = (
        np.flatnonzero(np.asarray(there[label].sum(0)).ravel() >= max(FEWEST, SHARED * label.sum())) if len(rows) else np.zeros(0, int)
    )
    if not len(features):
        empty = np.zeros(0)
        return Parted(features, empty, empty, int(label.sum()), int((~label).sum()))
    there = there[:, features].tocsr()
    mean, deviation = _chance(there, label, group)
    z = (_hits(there, label[:, None])[:, 0] - mean) / deviation
    rng = np.random.default_rng(seed)
    top = []
    for _ in range(DRAWS // TOGETHER):
        top.append((((_hits(there, _shuffled(label, group, TOGETHER, rng))) - mean[:, None]) / deviation[:, None]).max(0))
    highest = np.sort(np.concatenate(top))
    above = len(highest) - np.searchsorted(highest, z - 1e-9)
    return Parted(features, z, (1 + above) / (len(highest) + 1), int(label.sum()), int((~label).sum()))


def holm(p: Sequence[float]) -> list[float]:
    """Corrected for how many there are (Holm, 1979)."""
    order, out, worst = np.argsort(p, kind="stable"), [0.0] * len(p), 0.0
    for n, i in enumerate(order.tolist()):
        worst = max(worst, min(1.0, (len(p) - n) * p[i]))
        out[i] = worst
    return out


def _bounded(cases: Bool[np.ndarray, " n"], controls: Bool[np.ndarray, " n"], seed: int) -> Int[np.ndarray, " r"]:
    """The rows that are looked at, ascending."""
    rng = np.random.default_rng(seed)
    return np.sort(np.concatenate([rng.permutation(np.flatnonzero(of))[:MOST] for of in (cases, controls & ~cases)]))


def _mixed(cases: Bool[np.ndarray, " n"], controls: Bool[np.ndarray, " n"], strata: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Rows of strata that have both."""
    both = np.intersect1d(strata[cases], strata[controls])
    return np.isin(strata, both)


def _chance(
    there: sparse.csr_matrix, label: Bool[np.ndarray, " r"], group: Int[np.ndarray, " r"]
) -> tuple[Float[np.ndarray, " f"], Float[np.ndarray, " f"]]:
    """Mean and standard deviation of a feature's count among cases when labels are permuted: hypergeometric in every stratum."""
    count = group.max() + 1
    inside = sparse.csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))), (count, len(group)))
    n, c = np.bincount(group, minlength=count)[:, None].astype(float), np.bincount(group, label, count)[:, None]
    h = np.asarray((inside @ there).todense())
    variance = c * (n - c) * h * (n - h) / (n * n * np.maximum(n - 1, 1))
    return (c * h / n).sum(0), np.sqrt(np.maximum(variance.sum(0), 1e-9))


def _hits(there: sparse.csr_matrix, labels: Bool[np.ndarray, "r b"]) -> Float[np.ndarray, "f b"]:
    return np.asarray(there.T @ labels.astype(np.float64))


def _shuffled(label: Bool[np.ndarray, " r"], group: Int[np.ndarray, " r"], times: int, rng: np.random.Generator) -> Bool[np.ndarray, "r b"]:
    """Labels permuted within strata, as many times: the first of each stratum in a random order are cases."""
    order = np.lexsort((np.arange(len(group)), group))
    first = np.searchsorted(group[order], group)
    cases = np.bincount(group, label).astype(int)[group]
    noise = rng.random((len(group), times)) + group[:, None]
    place = np.argsort(np.argsort(noise, 0, kind="stable"), 0, kind="stable")
    return np.asarray(place - first[:, None] < cases[:, None])
