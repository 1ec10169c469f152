"""The smallest set of latents whose ablation does it: an exact search over what one backward pass proposes.

In: candidates, best first, and a way to try many sets at once. Out: the fewest latents found that work, none of which can
be left out. The heatmap's clusters and the predicted effects propose; only real ablations decide.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Set = tuple[int, ...]
Tried = tuple[list[bool], Float[np.ndarray, " n"]]  # whether each set works, and how strongly (lower is stronger)
Try = Callable[[Sequence[Set]], Tried]

SINGLES = 48  # candidates tried alone
PAIRED = 16  # of them, how many are tried in pairs


@dataclass(frozen=True)
class Found:
    latents: Set  # empty if nothing works
    minimal: bool  # each left out in turn undoes it
    tried: int  # sets ablated


def smallest(candidates: Sequence[int], clusters: Sequence[Set], attempt: Try, most: int) -> Found:
    """The smallest set of at most `most` latents that works.

    One latent alone; two of the strongest; then the strongest n together, for growing n, and every cluster, each pruned
    until no latent can be left out. The smallest wins.
    """
    tries = 0

    def counted(sets: Sequence[Set]) -> Tried:
        nonlocal tries
        tries += len(sets)
        return attempt(sets)

    alone = [(latent,) for latent in candidates[:SINGLES]]
    if not alone or most < 1:
        return Found((), False, tries)
    works, strength = counted(alone)
    order = np.argsort(strength, kind="stable")
    one = next((alone[i] for i in order if works[i]), None)
    if one:
        return Found(one, True, tries)
    ranked = [alone[i][0] for i in order] + list(candidates[SINGLES:])
    if most >= 2:
        pairs = list(itertools.combinations(ranked[:PAIRED], 2))
        works, strength = counted(pairs)
        pair = next((pairs[i] for i in np.argsort(strength, kind="stable") if works[i]), None)
        if pair:
            return Found(pair, True, tries)
    starts = [start for start in _growing(ranked, counted) + _working(clusters, counted)[:2] if start]
    pruned = sorted((prune(start, counted) for start in starts), key=len)
    best = next((found for found in pruned if len(found) <= most), ())
    return Found(best, bool(best), tries)


def _growing(ranked: Sequence[int], attempt: Try) -> list[Set]:
    """The shortest head of the ranking that works; sizes double until one does, then every size between is tried."""
    size, before = 4, 2
    while before < len(ranked):
        heads = [tuple(ranked[:n]) for n in range(before + 1, min(size, len(ranked)) + 1)]
        if size > 32:
            heads = heads[-1:]
        works, _ = attempt(heads)
        hit = next((head for head, good in zip(heads, works, strict=True) if good), None)
        if hit:
            return [hit]
        before, size = min(size, len(ranked)), size * 2
    return []


def _working(clusters: Sequence[Set], attempt: Try) -> list[Set]:
    if not clusters:
        return []
    works, _ = attempt(clusters)
    return sorted((c for c, good in zip(clusters, works, strict=True) if good), key=len)


def prune(start: Set, attempt: Try) -> Set:
    """Leaves latents out, the least needed first, until leaving out any one undoes it."""
    left = start
    while len(left) > 1:
        without = [tuple(latent for latent in left if latent != out) for out in left]
        works, strength = attempt(without)
        good = [i for i, fine in enumerate(works) if fine]
        if not good:
            break
        left = without[min(good, key=lambda i: float(strength[i]))]
    return left
