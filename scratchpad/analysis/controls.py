"""What a claim is held against: the same operations on other active latents, noise as strong, the bare reconstruction.

In: codes and an edit. Out: edits and changes to be run, and a `Control` of what they did. Runs nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from scratchpad.records import Codes, Control, Edit

SETS = 32
NEAR = 8  # how many latents of nearest activation mass stand in for one


def masses(codes: Codes, where: Bool[np.ndarray, " p"] | None = None) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Activation mass of every latent that is active on any of the patches (ids ascending): the sum over them; all by default."""
    on = codes.values > 0
    if where is not None:
        on &= where[:, None]
    active = np.unique(codes.indices[on])
    return active, np.bincount(np.searchsorted(active, codes.indices[on]), codes.values[on], len(active))


def matched_sets(
    codes: Codes, latents: tuple[int, ...], count: int, seed: int = 0, where: Bool[np.ndarray, " p"] | None = None
) -> Int[np.ndarray, "c n"]:
    """Random sets of other active latents, each standing in for one of `latents` whose activation mass is like its own.

    Masses are taken `where` the edit acts: a latent that is silent there is no control. Empty when too few others are active.
    """
    active, mass = masses(codes, where)
    pool = np.flatnonzero(~np.isin(active, latents))
    if not latents or len(pool) < len(latents):
        return np.zeros((0, len(latents)), int)
    rng = np.random.default_rng(seed)
    logs = np.log(mass)
    own = dict(zip(active.tolist(), logs.tolist(), strict=True))
    floor = float(logs.min())
    out = np.zeros((count, len(latents)), int)
    for row in out:
        free = pool
        for i in rng.permutation(len(latents)):
            near = free[np.argsort(abs(logs[free] - own.get(latents[i], floor)), kind="stable")[:NEAR]]
            chosen = rng.choice(near)
            row[i] = active[chosen]
            free = free[free != chosen]
    return out


def standing_in(edit: Edit, latents: Int[np.ndarray, " n"]) -> Edit:
    """The same operations on other latents, in the order in which the edit first names its own."""
    of = dict(zip(edited(edit), latents.tolist(), strict=True))
    return replace(edit, items=tuple(replace(item, latent=of[item.latent]) for item in edit.items))


def edited(edit: Edit) -> tuple[int, ...]:
    return tuple(dict.fromkeys(item.latent for item in edit.items))


def noise_like(change: Float[np.ndarray, "p d"], rng: np.random.Generator) -> Float[np.ndarray, "p d"]:
    """A random direction on every patch, as long as the change there."""
    noise = rng.standard_normal(change.shape).astype(np.float32)
    length = np.linalg.norm(noise, axis=1, keepdims=True)
    return noise * (np.linalg.norm(change, axis=1, keepdims=True) / np.maximum(length, 1e-12))


OFTEN = 0.1  # share of controls from which on a change says nothing about what was changed


def no_evidence(control: Control, effect: float) -> str:
    """Why an edit's effect says nothing about the latents edited; empty where its controls stand behind it."""
    n = len(control.effects)
    if effect == 0:
        return "the answer's tokens stay exactly as likely"
    if n and (np.sum(control.effects <= effect if effect < 0 else control.effects >= effect) > OFTEN * n):
        return "random sets of like activation mass do as much"
    if len(control.noise) and (np.sum(control.noise <= effect if effect < 0 else control.noise >= effect) > OFTEN * len(control.noise)):
        return "noise of the same length does as much"
    return "" if n else "too few other latents are active to compare with"
