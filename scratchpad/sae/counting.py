"""Counts behind names: which labels are there in pictures where a latent fires, and how strongly it fires in each.

In: of every picture the active latents, their activations, and what is where. Out: candidate labels of every latent, chosen on some
pictures, and `Counts` of them on others. A picture counts once for a latent, at the patch where it fires most (or, for claims about a
patch, at a random patch where it fires), so that what is counted is independent, as Wilson's interval wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from scratchpad.sae.claims import CANDIDATES, SURE, Counts, pack

PICTURES = 4000  # of which at most something is remembered, drawn evenly among all (reservoir)
EVENTS = 400  # pictures remembered of one latent
BANDS, BAND = 4, 15  # parts of a latent's range of activation in which labels are chosen, and the fewest pictures of a part
PROMISING = 0.85  # share of a band's pictures with a label, for it to be counted


@dataclass(frozen=True)
class Where:
    """What is where in a picture: the labels of every patch. A label of the whole picture is in every set."""

    of_patch: Int[np.ndarray, " p"]  # into sets
    sets: tuple[tuple[str, ...], ...]


def everywhere(labels: Iterable[str], patches: int) -> Where:
    """What is in a picture, without where."""
    return Where(np.zeros(patches, int), (tuple(sorted(labels)),))


Row = tuple[np.ndarray, np.ndarray, np.ndarray, list[list[int]]]  # active latents, activations, which set is there, sets of labels


@dataclass
class Tally:
    """What is remembered of pictures, and how much of all of them each label fills."""

    rows: list[Row] = field(default_factory=list, repr=False)
    numbers: dict[str, int] = field(default_factory=dict, repr=False)  # of labels, in the order in which they are met
    area: dict[str, float] = field(default_factory=dict, repr=False)  # patches with each label, a picture's summing to 1
    seen: int = 0

    def add(
        self,
        latents: Int[np.ndarray, " n"],
        activations: Float[np.ndarray, " n"],
        patches: Int[np.ndarray, " n"],
        where: Where,
        rng: np.random.Generator,
    ) -> None:
        """One picture. `patches`: the patch that each latent is counted at."""
        self.seen += 1
        filled = np.bincount(where.of_patch, minlength=len(where.sets)) / len(where.of_patch)
        for labels, share in zip(where.sets, filled.tolist(), strict=True):
            for label in labels:
                self.area[label] = self.area.get(label, 0.0) + share
        place = len(self.rows) if len(self.rows) < PICTURES else int(rng.integers(self.seen))
        if place >= PICTURES:
            return
        used, of = np.unique(where.of_patch[patches], return_inverse=True)
        sets = [[self.numbers.setdefault(label, len(self.numbers)) for label in where.sets[i]] for i in used]
        row = latents.astype(np.int32), activations.astype(np.float32), of.astype(np.int32), sets
        if place == len(self.rows):
            self.rows.append(row)
        else:
            self.rows[place] = row

    def base(self, labels: Sequence[str]) -> Float[np.ndarray, " c"]:
        """Share of all patches with each label."""
        return np.array([self.area.get(label, 0.0) / max(1, self.seen) for label in labels])

    def matrix(self, labels: Sequence[str]) -> sparse.csr_matrix:
        """Which set of `events` holds which label."""
        column = {self.numbers[label]: i for i, label in enumerate(labels) if label in self.numbers}
        every = [[column[n] for n in numbers if n in column] for *_, sets in self.rows for numbers in sets]
        ends = np.concatenate([[0], np.cumsum([len(numbers) for numbers in every], dtype=int)])
        indices = np.array([n for numbers in every for n in numbers], int)
        return sparse.csr_matrix((np.ones(len(indices), np.int8), indices, ends), (len(every), len(labels)))

    def events(self, d_sae: int) -> tuple[Int[np.ndarray, " l1"], Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """(starts, activations, sets) of all latents one after another, activations ascending within each."""
        if not self.rows:
            return np.zeros(d_sae + 1, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int32)
        latents, values = (np.concatenate([row[i] for row in self.rows]) for i in (0, 1))
        first = np.cumsum([0, *(len(row[3]) for row in self.rows[:-1])])
        sets = np.concatenate([row[2] + offset for row, offset in zip(self.rows, first, strict=True)])
        order = np.lexsort((values, latents))
        return np.searchsorted(latents[order], np.arange(d_sae + 1)), values[order], sets[order]


def choose(tally: Tally, d_sae: int, labels: Sequence[str], base: Float[np.ndarray, " c"], given: Sequence[str]) -> Int[np.ndarray, "l m"]:
    """The labels of every latent that are worth counting, most specific first; -1 where there are fewer.

    In each of BANDS of a latent's activations those that PROMISING of its pictures have, the rarest three; beside them the label that it
    is named after, and the likeliest beyond their share anywhere, to guess from.

    Args:
        given: the label that each latent is named after, or "".
    """
    out = np.full((d_sae, CANDIDATES), -1)
    starts, _, sets = tally.events(d_sae)
    matrix, column = tally.matrix(labels), {label: i for i, label in enumerate(labels)}
    floor = np.maximum(SURE, (1 + base) / 2)
    for latent in np.flatnonzero(np.diff(starts)).tolist():
        there = matrix[sets[starts[latent] : starts[latent + 1]]]
        bands = np.array_split(np.arange(there.shape[0]), min(BANDS, max(1, there.shape[0] // BAND)))
        share = np.stack([np.asarray(there[rows].mean(0)).ravel() for rows in bands])
        promising: set[int] = set()
        for row in share if there.shape[0] >= BAND else share[:0]:
            fits = np.flatnonzero((row >= PROMISING) & (row >= floor - 0.02))
            promising |= set(fits[np.argsort(base[fits], kind="stable")][:3].tolist())
        lift = ((share - base) / np.maximum(1 - base, 1e-9)).max(0)
        rest = [int(i) for i in np.argsort(-lift, kind="stable")[:3] if lift[i] > 0]
        if given[latent] in column:
            rest.insert(0, column[given[latent]])
        chosen = sorted(promising, key=lambda i: (base[i], i))[: CANDIDATES - 1]
        chosen += [i for i in dict.fromkeys(rest) if i not in chosen]
        chosen = sorted(chosen[:CANDIDATES], key=lambda i: (base[i], i))
        out[latent, : len(chosen)] = chosen
    return out


def count(tally: Tally, candidates: Int[np.ndarray, "l m"], labels: Sequence[str], base: Float[np.ndarray, " c"]) -> Counts:
    """Counts of chosen labels on pictures that they were not chosen on; EVENTS a latent at most, spread evenly over its activations."""
    starts, values, sets = tally.events(len(candidates))
    matrix = tally.matrix(labels)
    ends, activations, bits = [0], [], []
    for latent, chosen in enumerate(candidates):
        rows = np.arange(starts[latent], starts[latent + 1])
        if len(rows) > EVENTS:
            rows = rows[np.linspace(0, len(rows) - 1, EVENTS).round().astype(int)]
        known = chosen[chosen >= 0]
        present = matrix[sets[rows]][:, known].toarray() > 0
        activations.append(values[rows])
        bits.append(pack(present))
        ends.append(ends[-1] + len(rows))
    return Counts(tuple(labels), base, candidates, np.array(ends), np.concatenate(activations), np.concatenate(bits))
