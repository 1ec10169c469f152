"""A latent's name as a claim about one picture: how often a label was there in held-out pictures where the latent fires this strongly.

In: the counts of an index, latents and their activations in a picture. Out: a `Claim` for each. A label is claimed where Wilson's lower
bound (95%) of its share among the counted pictures nearest by activation reaches its floor: 0.8, or more where the label is common anyway.
Otherwise the claim's name is empty and its best label is a guess. Nothing here looks at pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from scratchpad.stats import wilson

MIN_COUNTED, MAX_COUNTED = 25, 100  # counted pictures, nearest by activation, that a claim rests on
PART = 4  # one in PART of those where the latent fires, within these bounds
SURE = 0.8  # what the lower bound of a label's share must reach
BEYOND = 1.25  # an activation so many times the strongest counted, or below the weakest by as much, is unlike all that was counted
CANDIDATES = 8  # labels counted of each latent: one bit each

ANYWHERE = "\n"  # ends a label that was counted as being anywhere in the picture, not where the latent fires

Scope = Literal["picture", "patch"]


@dataclass(frozen=True)
class Claim:
    """What a latent may be called in one picture, and what that rests on."""

    latent: int
    activation: float  # that it was asked at
    name: str  # "" where nothing is claimed
    guess: str  # the likeliest label, claimed or not; "" where none is known
    hits: int  # of `support`, those with the label
    support: int  # held-out pictures where the latent fires about this strongly
    low: float  # lower bound of the share, 95%; 0 where nothing was counted
    anywhere: bool  # the label was counted as being in the picture, not just where the latent fires
    source: str  # counts; user: a person says so; an encoder's name, or nothing
    also: tuple[str, ...] = ()  # further labels whose counts hold up too, most specific first
    why_not: str = ""  # one sentence where the counts may not be used

    @property
    def precision(self) -> float | None:
        """Share of the counted pictures with the label; None where nothing was counted."""
        return self.hits / self.support if self.support else None

    @property
    def says(self) -> str:
        """The claim or guess in words, with its counts."""
        if self.name and not self.support:
            return f"{self.name}, as a person named it"
        if self.name:
            name = f"{self.name} somewhere in it" if self.anywhere else self.name
            return f"{name}, {self.hits} of {self.support} pictures where it fires this strongly"
        if not self.guess:
            return "unnamed"
        return f"{self.guess}? {self.hits} of {self.support}" if self.support else f"{self.guess}?"


@dataclass(frozen=True)
class Counts:
    """What was counted: for every latent, held-out pictures by its activation, and which of its labels each has.

    l latents, c labels, m CANDIDATES, n counted pictures of all latents one after another.
    """

    labels: tuple[str, ...] = field(repr=False)
    base: Float[np.ndarray, " c"] = field(repr=False)  # share of all patches (or pictures) with the label
    candidates: Int[np.ndarray, "l m"] = field(repr=False)  # into labels, most specific first; -1: none
    starts: Int[np.ndarray, " l1"] = field(repr=False)  # where each latent's pictures begin; l + 1 of them
    activations: Float[np.ndarray, " n"] = field(repr=False)  # ascending within a latent
    bits: UInt8[np.ndarray, " n"] = field(repr=False)  # bit i: the latent's candidate i is there

    def near(self, latent: int, activation: float) -> tuple[Int[np.ndarray, " m"], int]:
        """(hits of every candidate, pictures counted) among those nearest by the logarithm of activation; (zeros, 0) where too few are."""
        none = np.zeros(CANDIDATES, int), 0
        if not 0 <= latent < len(self.candidates) or not activation > 0:
            return none
        begin, end = int(self.starts[latent]), int(self.starts[latent + 1])
        if end - begin < MIN_COUNTED or not self.activations[begin] / BEYOND <= activation <= self.activations[end - 1] * BEYOND:
            return none
        count = min(max((end - begin) // PART, MIN_COUNTED), MAX_COUNTED)
        at = begin + int(np.searchsorted(self.activations[begin:end], activation))
        first = max(begin, at - count)
        window = self.activations[first : min(end, at + count)]
        nearest = np.argsort(np.abs(np.log(window / activation)), kind="stable")[:count]
        bits = self.bits[first + nearest]
        return np.unpackbits(bits[:, None], axis=1, bitorder="little").sum(0, dtype=int), count

    def claims(self, latents: Sequence[int], activations: Sequence[float], fallbacks: Sequence[str]) -> list[Claim]:
        """What each latent may be called. `fallbacks`: the guesses where nothing was counted."""
        counted = [self.near(latent, activation) for latent, activation in zip(latents, activations, strict=True)]
        hits = np.stack([row for row, _ in counted]) if counted else np.zeros((0, CANDIDATES), int)
        support = np.array([n for _, n in counted], int)
        inside = [0 <= latent < len(self.candidates) for latent in latents]
        chosen = np.array([self.candidates[i] if ok else np.full(CANDIDATES, -1) for i, ok in zip(latents, inside, strict=True)], int)
        chosen = chosen.reshape(-1, CANDIDATES)
        base = self.base[np.maximum(chosen, 0)] if len(self.base) else np.zeros(chosen.shape)
        low, _ = wilson(hits, support[:, None])
        known = (chosen >= 0) & (support > 0)[:, None]
        holds = known & (low >= np.maximum(SURE, (1 + base) / 2))
        # of labels that don't hold up, the guess is the one that the latent makes likeliest beyond its share anywhere
        lift = np.where(known, (hits / np.maximum(support, 1)[:, None] - base) / np.maximum(1 - base, 1e-9), -np.inf)
        best = np.where(holds.any(1), holds.argmax(1), lift.argmax(1))
        out = []
        for row, (latent, activation) in enumerate(zip(latents, activations, strict=True)):
            if not known[row].any():
                out.append(Claim(latent, activation, "", fallbacks[row], 0, 0, 0.0, False, ""))
                continue
            i = int(best[row])
            label, anywhere = self._called(int(chosen[row, i]))
            further = dict.fromkeys(self._called(c)[0] for c in chosen[row, holds[row]].tolist())
            name, also = (label if holds[row, i] else ""), tuple(other for other in further if other != label)
            k, n, bound = int(hits[row, i]), int(support[row]), float(low[row, i])
            out.append(Claim(latent, activation, name, label, k, n, bound, anywhere, "counts", also))
        return out

    def _called(self, number: int) -> tuple[str, bool]:
        """A label as it is shown, and whether it was counted as being anywhere."""
        label = self.labels[number]
        return label.removesuffix(ANYWHERE), label.endswith(ANYWHERE)


def pack(present: Bool[np.ndarray, "n m"]) -> UInt8[np.ndarray, " n"]:
    """A byte for every counted picture: bit i for candidate i, at most 8."""
    packed: np.ndarray = np.packbits(present, axis=1, bitorder="little")
    return packed[:, 0] if packed.shape[1] else np.zeros(len(present), np.uint8)


def as_guesses(claims: Sequence[Claim], why: str) -> list[Claim]:
    """The same without any claim from counts, and why; what people named stays."""
    return [
        claim if claim.source == "user" else Claim(claim.latent, claim.activation, "", claim.guess, 0, 0, 0.0, False, claim.source, (), why)
        for claim in claims
    ]
