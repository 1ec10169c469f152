"""The smallest set of latents that does it: an exact search over what one backward pass proposes.

In: candidates, best first, and a way to try many sets at once. Out: the fewest latents found that work, none of which can
be left out. The heatmap's clusters and the predicted effects propose; only real runs decide. Knows nothing of models.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Set = tuple[int, ...]
Tried = tuple[list[bool], Float[np.ndarray, " n"]]  # whether each set works, and how strongly (lower is stronger)
Try = Callable[[Sequence[Set]], Tried]
Minimality = Literal["none", "local", "smallest"]

SINGLES = 48  # candidates tried alone
PAIRED = 16  # of them, how many are tried in pairs
EXHAUSTED = 20_000  # sets of one less that are tried at most to show that none does it
TOGETHER = 256  # sets tried at once


@dataclass(frozen=True)
class Search:
    """What a search found."""

    latents: Set  # empty if nothing works
    minimality: Minimality
    tried: int  # sets run
    spent: bool = False  # whether a budget ended it


class Counted:
    """A way to try sets that counts them."""

    def __init__(self, attempt: Try):
        self.attempt, self.tried = attempt, 0

    def __call__(self, sets: Sequence[Set]) -> Tried:
        self.tried += len(sets)
        return self.attempt(sets)


class Spent(Exception):
    """The budget of sets is spent."""


class Budget(Counted):
    """As `Counted`, with a number of sets that may be run, and the best of those that worked.

    Raises:
        Spent: when called, after the last set that the budget holds.
    """

    def __init__(self, attempt: Try, sets: int | None):
        super().__init__(attempt)
        self.left = sets
        self.best: Set = ()

    def __call__(self, sets: Sequence[Set]) -> Tried:
        allowed = sets if self.left is None else sets[: self.left]
        works, strength = super().__call__(allowed) if allowed else ([], np.zeros(0, np.float32))
        good = [latents for latents, fine in zip(allowed, works, strict=True) if fine]
        self.best = min([*([self.best] if self.best else []), *good], key=len, default=())
        if self.left is not None:
            self.left -= len(allowed)
        if len(allowed) < len(sets):
            raise Spent
        return works, strength

    def search(self, most: int) -> Search:
        """What the sets run so far show."""
        best = self.best if len(self.best) <= most else ()
        return Search(best, "smallest" if len(best) == 1 else "none", self.tried, spent=True)


def smallest(candidates: Sequence[int], clusters: Sequence[Set], attempt: Try, most: int) -> Search:
    """The smallest set of at most `most` latents that works.

    One latent alone; two of the strongest; then the strongest n together, for growing n, and every cluster, each pruned
    until no latent can be left out. The smallest wins.
    """
    counted = Counted(attempt)
    alone = [(latent,) for latent in candidates[:SINGLES]]
    if not alone or most < 1:
        return Search((), "none", counted.tried)
    works, strength = counted(alone)
    order = np.argsort(strength, kind="stable")
    single = next((alone[i] for i in order if works[i]), None)
    if single:
        return Search(single, "smallest", counted.tried)  # of no latent at all the answer stays
    ranked = [alone[i][0] for i in order] + list(candidates[SINGLES:])
    if most >= 2:
        pairs = list(itertools.combinations(ranked[:PAIRED], 2))
        works, strength = counted(pairs)
        pair = next((pairs[i] for i in np.argsort(strength, kind="stable") if works[i]), None)
        if pair:
            return Search(pair, "local", counted.tried)
    starts = [start for start in _growing(ranked, counted) + _working(clusters, counted)[:2] if start]
    pruned = sorted((prune(start, counted) for start in starts), key=len)
    best = next((latents for latents in pruned if len(latents) <= most), ())
    return Search(best, "local" if best else "none", counted.tried)


def grown(candidates: Sequence[int], attempt: Try, most: int, wide: int = 16) -> Set:
    """A set of at most `most` latents that works, grown from the first candidate by that of the first `wide` which does most; or none."""
    chosen: Set = tuple(candidates[:1])
    while 0 < len(chosen) < most:
        sets = [(*chosen, latent) for latent in candidates[:wide] if latent not in chosen]
        if not sets:
            break
        works, strength = attempt(sets)
        order = np.argsort(strength, kind="stable")
        hit: Set | None = next((sets[i] for i in order if works[i]), None)
        if hit:
            return hit
        chosen = sets[order[0]]
    return ()


def keeping(candidates: Sequence[int], attempt: Try, most: int) -> Search:
    """The fewest of at most `most` latents that work where more always help: the shortest head of the ranking that does, pruned."""
    counted = Counted(attempt)
    hit = next(iter(_growing(candidates[:most], counted, 1)), ())
    return Search(prune(hit, counted), "local", counted.tried) if hit else Search((), "none", counted.tried)


def shown_smallest(search: Search, candidates: Sequence[int], attempt: Try) -> Search:
    """As found, with whether no set of one latent less does it: all are tried, where they are at most EXHAUSTED.

    Args:
        candidates: every active latent.
    """
    size = len(search.latents) - 1
    if search.minimality != "local" or size < 1 or math.comb(len(candidates), size) > EXHAUSTED:
        return search
    counted = Counted(attempt)
    for sets in _batches(itertools.combinations(candidates, size)):
        works, _ = counted(sets)
        if any(works):
            less = sets[works.index(True)]
            return Search(less, "smallest" if size == 1 else "local", search.tried + counted.tried)
    return Search(search.latents, "smallest", search.tried + counted.tried)


def _batches(sets: Iterator[Set]) -> Iterator[list[Set]]:
    while batch := list(itertools.islice(sets, TOGETHER)):
        yield batch


def _growing(ranked: Sequence[int], attempt: Try, begin: int = 3) -> list[Set]:
    """The shortest head of the ranking that works; sizes double until one does, then every size between is tried."""
    size, before = max(4, begin), begin - 1
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
    """Leaves latents out until leaving out any one undoes it: as many at once as can go, the least needed first."""
    left = start
    while len(left) > 1:
        works, strength = attempt([tuple(latent for latent in left if latent != out) for out in left])
        order = np.argsort(strength, kind="stable")
        spare = [left[i] for i in order if works[i]]
        if not spare:
            break
        sizes = sorted({max(1, len(spare) // 2**n) for n in range(len(spare).bit_length())}, reverse=True)
        sizes = [size for size in sizes if 1 < size < len(left)]
        fewer = [tuple(latent for latent in left if latent not in spare[:size]) for size in sizes]
        works, _ = attempt(fewer) if fewer else ([], strength)
        alone = tuple(latent for latent in left if latent != spare[0])  # known to work
        left = next((latents for latents, good in zip(fewer, works, strict=True) if good), alone)
    return left
