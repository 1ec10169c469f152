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

from scratchpad.sae.claims import ANYWHERE, CANDIDATES, SURE, Counts, pack

PICTURES = 4000  # of which at most something is remembered, drawn evenly among all (reservoir)
EVENTS = 400  # pictures remembered of one latent
BANDS, BAND = 4, 15  # parts of a latent's range of activation in which labels are chosen, and the fewest pictures of a part
PROMISING = 0.85  # share of a band's pictures with a label, for it to be counted


@dataclass(frozen=True)
class Where:
    """What is in a picture, and where: labels of the whole picture, and those of every patch."""

    of_patch: Int[np.ndarray, " p"]  # into sets
    sets: tuple[tuple[str, ...], ...]
    whole: tuple[str, ...] = ()

    @property
    def labels(self) -> frozenset[str]:
        """Everything that is in the picture."""
        return frozenset(self.whole).union(*(self.sets[i] for i in np.unique(self.of_patch)))


def everywhere(labels: Iterable[str], patches: int) -> Where:
    """What is in a picture, without where."""
    return Where(np.zeros(patches, int), ((),), tuple(sorted(labels)))


@dataclass(frozen=True)
class Row:
    """What is remembered of one picture. Labels by their numbers."""

    latents: Int[np.ndarray, " n"]
    activations: Float[np.ndarray, " n"]
    of: Int[np.ndarray, " n"]  # into sets: what is where each latent is counted
    sets: list[list[int]]
    whole: list[int]


@dataclass(frozen=True)
class Events:
    """All pictures of all latents, one latent after another, activations ascending within each; n of them, c labels."""

    starts: Int[np.ndarray, " l1"]
    activations: Float[np.ndarray, " n"]
    held: sparse.csr_matrix = field(repr=False)  # n x c: which labels are there

    def of(self, latent: int) -> slice:
        """Where a latent's pictures stand among all."""
        return slice(int(self.starts[latent]), int(self.starts[latent + 1]))


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
        whole = [label + ANYWHERE for label in where.whole]
        for labels, share in zip((*where.sets, whole), (*filled.tolist(), 1.0), strict=True):
            for label in labels:
                self.area[label] = self.area.get(label, 0.0) + share
        place = len(self.rows) if len(self.rows) < PICTURES else int(rng.integers(self.seen))
        if place >= PICTURES:
            return
        used, of = np.unique(where.of_patch[patches], return_inverse=True)
        sets = [[self.numbers.setdefault(label, len(self.numbers)) for label in where.sets[i]] for i in used]
        numbers = [self.numbers.setdefault(label, len(self.numbers)) for label in whole]
        row = Row(latents.astype(np.int32), activations.astype(np.float32), of.astype(np.int32), sets, numbers)
        if place == len(self.rows):
            self.rows.append(row)
        else:
            self.rows[place] = row

    def base(self, labels: Sequence[str]) -> Float[np.ndarray, " c"]:
        """Share of all patches with each label."""
        return np.array([self.area.get(label, 0.0) / max(1, self.seen) for label in labels])

    def events(self, d_sae: int, labels: Sequence[str]) -> Events:
        """What was remembered, by latent; with the labels that are asked for."""
        if not self.rows:
            return Events(np.zeros(d_sae + 1, np.int64), np.zeros(0, np.float32), sparse.csr_matrix((0, len(labels)), dtype=np.int8))
        latents = np.concatenate([row.latents for row in self.rows])
        values = np.concatenate([row.activations for row in self.rows])
        first = np.cumsum([0, *(len(row.sets) for row in self.rows[:-1])])
        sets = np.concatenate([row.of + offset for row, offset in zip(self.rows, first, strict=True)])
        picture = np.repeat(np.arange(len(self.rows)), [len(row.latents) for row in self.rows])
        order = np.lexsort((values, latents))
        column = {self.numbers[label]: i for i, label in enumerate(labels) if label in self.numbers}
        there = _matrix([numbers for row in self.rows for numbers in row.sets], column, len(labels))
        whole = _matrix([row.whole for row in self.rows], column, len(labels))
        held = (there[sets[order]] + whole[picture[order]]).tocsr()  # a label is of a patch or of the whole, never both
        return Events(np.searchsorted(latents[order], np.arange(d_sae + 1)), values[order], held)


def _matrix(rows: Sequence[Sequence[int]], column: dict[int, int], width: int) -> sparse.csr_matrix:
    """A row for every list of labels' numbers."""
    every = [[column[n] for n in numbers if n in column] for numbers in rows]
    ends = np.concatenate([[0], np.cumsum([len(numbers) for numbers in every], dtype=int)])
    indices = np.array([n for numbers in every for n in numbers], int)
    return sparse.csr_matrix((np.ones(len(indices), np.int8), indices, ends), (len(every), width))


def choose(tally: Tally, d_sae: int, labels: Sequence[str], base: Float[np.ndarray, " c"], given: Sequence[str]) -> Int[np.ndarray, "l m"]:
    """The labels of every latent that are worth counting, most specific first; -1 where there are fewer.

    In each of BANDS of a latent's activations those that PROMISING of its pictures have, the rarest three; beside them the label that it
    is named after, and the likeliest beyond their share anywhere, to guess from.

    Args:
        given: the label that each latent is named after, or "".
    """
    out = np.full((d_sae, CANDIDATES), -1)
    events, column = tally.events(d_sae, labels), {label: i for i, label in enumerate(labels)}
    floor = np.maximum(SURE, (1 + base) / 2)
    for latent in np.flatnonzero(np.diff(events.starts)).tolist():
        there = events.held[events.of(latent)]
        bands = np.array_split(np.arange(there.shape[0]), min(BANDS, max(1, there.shape[0] // BAND)))
        share = np.stack([np.asarray(there[rows].mean(0)).ravel() for rows in bands])
        promising: set[int] = set()
        for row in share if there.shape[0] >= BAND else share[:0]:
            fits = np.flatnonzero((row >= PROMISING) & (row >= floor - 0.02))
            here = {labels[i] for i in fits.tolist()}  # what is where a latent fires is in the picture too: that needn't be counted as well
            fits = np.array([i for i in fits.tolist() if labels[i].removesuffix(ANYWHERE) == labels[i] or labels[i][:-1] not in here], int)
            promising |= set(fits[np.argsort(base[fits], kind="stable")][:3].tolist())
        lift = ((share - base) / np.maximum(1 - base, 1e-9)).max(0)
        rest = [int(i) for i in np.argsort(-lift, kind="stable")[:3] if lift[i] > 0]
        rest = [column[name] for name in (given[latent], given[latent] + ANYWHERE) if name in column] + rest
        chosen = sorted(promising, key=lambda i: (base[i], i))[: CANDIDATES - 1]
        chosen += [i for i in dict.fromkeys(rest) if i not in chosen]
        chosen = sorted(chosen[:CANDIDATES], key=lambda i: (base[i], i))
        out[latent, : len(chosen)] = chosen
    return out


def count(tally: Tally, candidates: Int[np.ndarray, "l m"], labels: Sequence[str], base: Float[np.ndarray, " c"]) -> Counts:
    """Counts of chosen labels on pictures that they were not chosen on; EVENTS a latent at most, spread evenly over its activations."""
    events = tally.events(len(candidates), labels)
    ends, activations, bits = [0], [], []
    for latent, chosen in enumerate(candidates):
        rows = np.arange(events.starts[latent], events.starts[latent + 1])
        if len(rows) > EVENTS:
            rows = rows[np.linspace(0, len(rows) - 1, EVENTS).round().astype(int)]
        known = chosen[chosen >= 0]
        present = events.held[rows][:, known].toarray() > 0
        activations.append(events.activations[rows])
        bits.append(pack(present))
        ends.append(ends[-1] + len(rows))
    return Counts(tuple(labels), base, candidates, np.array(ends), np.concatenate(activations), np.concatenate(bits))
