"""What ablating latents at one hook point does to latents at a later one: a matrix of measured effects, with its controls."""

from __future__ import annotations

from pydantic import model_validator

from scratchpad.records.codec import Count, Text, record
from scratchpad.records.experiment import Named
from scratchpad.records.question import ModelRef, SaeRef


@record
class Source:
    """A latent that is ablated."""

    latent: Named
    effect: float  # on the answer's log-probability, nats
    others: tuple[Count, ...]  # latents of the same SAE with the nearest activation mass, each ablated in its stead


@record
class Target:
    """A latent that is watched."""

    latent: Named
    mass: float  # the sum of its activations over all rows of its point, unedited


@record
class Influence:
    """Sources x targets, of one answer."""

    model: ModelRef
    sae: SaeRef  # the sources'
    onto: SaeRef  # the targets', of a later point
    answer: Text
    sources: tuple[Source, ...]
    targets: tuple[Target, ...]
    effects: tuple[tuple[float, ...], ...]  # change of the target's mass without the source, as a share of it: -1 silences it
    as_much: tuple[tuple[Count, ...], ...]  # how many of the source's others move the target at least as much, in either direction
    as_much_anywhere: tuple[tuple[Count, ...], ...]  # how many of them move any of the targets at least as much: corrected for their number
    expected: float  # pairs that none of the others would equal by chance alone: the sum of 1 / (1 + others) over all pairs
    expected_sources: float  # sources with a pair that none would equal anywhere, by chance alone: the same sum over sources

    @model_validator(mode="after")
    def _whole(self) -> Influence:
        shape = [len(self.targets)] * len(self.sources)
        for name in ("effects", "as_much", "as_much_anywhere"):
            if [len(row) for row in getattr(self, name)] != shape:
                raise ValueError(f"{name} isn't {len(self.sources)} sources x {len(self.targets)} targets")
        return self

    def alone(self) -> tuple[tuple[int, int], ...]:
        """(source, target) of the pairs that none of the others equals, those of the largest effect first."""
        return self._unequalled(self.as_much)

    def alone_anywhere(self) -> tuple[tuple[int, int], ...]:
        """As `alone`, of the pairs that none of the others equals at any target: that many were looked at is allowed for."""
        return self._unequalled(self.as_much_anywhere)

    def _unequalled(self, counts: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, int], ...]:
        pairs = [(s, t) for s, row in enumerate(counts) for t, count in enumerate(row) if not count and self.sources[s].others]
        return tuple(sorted(pairs, key=lambda pair: -abs(self.effects[pair[0]][pair[1]])))
