"""What a claim is held against: the same operations on other active latents, noise as strong.

In: codes and an edit. Out: distinct sets of latents and changes, to be run. Runs nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from scratchpad.records import Codes, Edit

SETS = 32  # control sets at most
NEAR = 16  # how many latents of nearest activation mass may stand in for one of several; for one alone it's SETS
MAX_COUNTED = 1_000_000  # distinct sets are counted up to here
TRIES = 50  # draws for each set before it's given up


def masses(codes: Codes, where: Bool[np.ndarray, " p"] | None = None) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Activation mass of every latent that is active on any of the patches (ids ascending): the sum over them; all by default."""
    on = codes.values > 0
    if where is not None:
        on &= where[:, None]
    active = np.unique(codes.indices[on])
    return active, np.bincount(np.searchsorted(active, codes.indices[on]), codes.values[on], len(active)).astype(np.float64)


def matched_sets(
    codes: Codes, latents: tuple[int, ...], count: int = SETS, seed: int = 0, where: Bool[np.ndarray, " p"] | None = None
) -> tuple[tuple[tuple[int, ...], ...], int]:
    """Distinct sets of other active latents, each member standing in for one of `latents` whose activation mass is like its own.

    Masses are taken `where` the edit acts: a latent that is silent there is no control. For one latent the `count` nearest
    are taken, one by one; for several, sets are drawn at random, no set twice.

    Returns:
        at most `count` sets, members in the order of `latents`; and a lower bound of how many distinct ones there are, counted
        up to MAX_COUNTED. None when too few others are active.
    """
    active, mass = masses(codes, where)
    pool = np.flatnonzero(~np.isin(active, latents))
    if not latents or len(pool) < len(latents):
        return (), 0
    logs = np.log(mass)
    own = dict(zip(active.tolist(), logs.tolist(), strict=True))
    floor = float(logs.min())

    def nearest(latent: int, most: int) -> list[int]:
        order = np.argsort(abs(logs[pool] - own.get(latent, floor)), kind="stable")[:most]
        return [int(active[i]) for i in pool[order]]

    if len(latents) == 1:
        alike = nearest(latents[0], count)
        return tuple((latent,) for latent in alike), len(alike)
    candidates = [nearest(latent, max(NEAR, len(latents))) for latent in latents]
    drawn = _drawn(candidates, count, np.random.default_rng(seed))
    return drawn, max(len(drawn), _possible(candidates))


def _drawn(candidates: list[list[int]], count: int, rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """Sets with one of each list, none twice in a set, no set twice."""
    sets: dict[frozenset[int], tuple[int, ...]] = {}
    for _ in range(count * TRIES):
        if len(sets) == count:
            break
        chosen: dict[int, int] = {}
        for place in rng.permutation(len(candidates)).tolist():
            free = [latent for latent in candidates[place] if latent not in chosen.values()]
            if free:
                chosen[place] = int(rng.choice(free))
        if len(chosen) == len(candidates):
            sets.setdefault(frozenset(chosen.values()), tuple(chosen[place] for place in range(len(candidates))))
    return tuple(sets.values())


def _possible(candidates: list[list[int]]) -> int:
    """A lower bound of how many distinct sets of one of each there are: combinations of the shortest list."""
    fewest = min(len(each) for each in candidates)
    return min(MAX_COUNTED, math.comb(fewest, len(candidates)))


def standing_in(edit: Edit, latents: tuple[int, ...]) -> Edit:
    """The same operations on other latents, in the order in which the edit first names its own."""
    of = dict(zip(edit.latents(), latents, strict=True))
    return replace(edit, items=tuple(replace(item, latent=of[item.latent]) for item in edit.items))


def noise_like(change: Float[np.ndarray, "p d"], rng: np.random.Generator) -> Float[np.ndarray, "p d"]:
    """A random direction on every patch, as long as the change there."""
    noise = rng.standard_normal(change.shape).astype(np.float32)
    length = np.linalg.norm(noise, axis=1, keepdims=True)
    scaled: np.ndarray = noise * (np.linalg.norm(change, axis=1, keepdims=True) / np.maximum(length, 1e-12))
    return scaled
