"""Reference pictures of every latent while pictures pass by: its strongest, and some from every octave of its activation.

In: a picture's active latents and their activations. Out: rows of (latent, interval, activation, image, mask). The rule: pictures are
ordered by the latent's maximum over their patches. With m the greatest of all, `top` are the TOP strongest; the others drawn are `upper`
from 2/3 m, `middle` from 1/3 m, `lower` below. Counter-examples, `silent`, have the label that the latent is named after while the
latent fires nowhere in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from scratchpad.sae.references import INTERVALS, histogram_bins

TOP = 9
DRAWN = 2  # pictures of one latent and octave
POOL = 4000  # pictures, the first, from which those of octaves are drawn
EACH = 4  # of an interval but the top, at most
COUNTER = 3

Mask = tuple[np.ndarray, tuple[int, int]]  # uint8 per cell, its rows and columns


@dataclass(frozen=True)
class Row:
    """A reference picture of a latent: the interval of activation it stands for, its maximum, and where the latent fires in it."""

    latent: int
    interval: str
    activation: float
    image: int
    mask: Mask = field(repr=False)


@dataclass
class Gallery:
    """What is kept of pictures so far, for l latents.

    Args:
        pool: how many pictures, the first, may be drawn; with `only`, the strongest come from them too.
    """

    d_sae: int
    pool: int = POOL
    only: bool = False
    tops: list[list[tuple[float, int, Mask]]] = field(init=False, repr=False)
    floor: Float[np.ndarray, " l"] = field(init=False, repr=False)
    passed: Int[np.ndarray, "l b"] = field(init=False, repr=False)
    drawn: dict[tuple[int, int], list[tuple[float, int, Mask]]] = field(default_factory=dict, repr=False)
    held: list[tuple[int, np.ndarray, frozenset[str], tuple[int, int]]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.tops, self.floor = [[] for _ in range(self.d_sae)], np.zeros(self.d_sae, np.float32)
        self.passed = np.zeros((self.d_sae, len(histogram_bins()) + 1), np.int32)

    def add(
        self,
        at: int,
        active: Int[np.ndarray, " n"],
        dense: Float[np.ndarray, "p n"],
        mask_of: Callable[[np.ndarray], np.ndarray],
        shape: tuple[int, int],
        labels: frozenset[str],
        rng: np.random.Generator,
    ) -> bool:
        """One picture; whether it may be shown."""
        pooled = len(self.held) < self.pool
        if not len(active) or (self.only and not pooled):
            return False
        high = dense.max(0)
        made: dict[int, Mask] = {}

        def mask(place: int) -> Mask:
            if place not in made:
                made[place] = np.round(mask_of(dense[:, place]) / high[place] * 255).astype(np.uint8), shape
            return made[place]

        for place in np.flatnonzero(high > self.floor[active]).tolist():
            latent = int(active[place])
            top = self.tops[latent]
            top.append((float(high[place]), at, mask(place)))
            if len(top) > TOP:
                top.sort(key=lambda row: (-row[0], row[1]))
                top.pop()
                self.floor[latent] = top[-1][0]
        if pooled:
            self.held.append((at, active.astype(np.int32), labels, shape))
            octave = np.searchsorted(histogram_bins(), high)
            self.passed[active, octave] += 1
            seen = self.passed[active, octave]
            for place in np.flatnonzero(rng.random(len(active)) * seen < DRAWN).tolist():
                held = self.drawn.setdefault((int(active[place]), int(octave[place])), [])
                row = float(high[place]), at, mask(place)
                if len(held) < DRAWN:
                    held.append(row)
                else:
                    held[int(rng.integers(DRAWN))] = row
        return True

    def shown(self) -> set[int]:
        """Images that some latent may show."""
        images = {image for top in self.tops for _, image, _ in top} | {image for rows in self.drawn.values() for _, image, _ in rows}
        return images | {at for at, *_ in self.held}

    def rows(self, names: list[str]) -> Iterator[Row]:
        """All of them, by latent, intervals in the order of INTERVALS. `names`: the label that each latent is named after, or ""."""
        octaves: dict[int, list[tuple[float, int, Mask]]] = {}
        for (latent, _), held in self.drawn.items():
            octaves.setdefault(latent, []).extend(held)
        by_label: dict[str, list[int]] = {}
        for i, (_, _, labels, _) in enumerate(self.held):
            for label in labels:
                by_label.setdefault(label, []).append(i)
        for latent, top in enumerate(self.tops):
            if not top:
                continue
            strongest = sorted(top, key=lambda row: (-row[0], row[1]))
            yield from (Row(latent, "top", *row) for row in strongest)
            yield from _between(latent, strongest, octaves.get(latent, []))
            yield from self._silent(latent, by_label.get(names[latent], []))

    def _silent(self, latent: int, having: list[int]) -> Iterator[Row]:
        left = COUNTER
        for i in having:
            at, active, _, shape = self.held[i]
            place = int(np.searchsorted(active, latent))
            if place < len(active) and active[place] == latent:
                continue
            yield Row(latent, "silent", 0.0, at, (np.zeros(shape, np.uint8), shape))
            left -= 1
            if not left:
                return


def _between(latent: int, top: list[tuple[float, int, Mask]], drawn: list[tuple[float, int, Mask]]) -> Iterator[Row]:
    """Those drawn that are not among the strongest, EACH an interval, spread evenly over it."""
    most, known = top[0][0], {image for _, image, _ in top}
    rest = sorted((row for row in drawn if row[1] not in known), key=lambda row: (-row[0], row[1]))
    for name, low, high in (("upper", 2 / 3, np.inf), ("middle", 1 / 3, 2 / 3), ("lower", 0.0, 1 / 3)):
        assert name in INTERVALS
        rows = [row for row in rest if low * most <= row[0] < high * most]
        picked = rows if len(rows) <= EACH else [rows[i] for i in np.linspace(0, len(rows) - 1, EACH).round().astype(int)]
        yield from (Row(latent, name, *row) for row in picked)
