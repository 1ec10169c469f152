"""Whether a picture is like those that an index was made of. On one that isn't, counts say nothing, and every name is a guess.

In: a picture's activations and codes. Out: one sentence, or none. Two measures, each held against the worst of the indexed pictures:
variance explained by the SAE (1 - sum (x - x_hat)^2 / sum (x - mean x)^2 over the picture's patches), and the distance of the picture's
mean activation from theirs, as the root mean square over dimensions of its z-score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from jaxtyping import Float

from scratchpad.records import Codes
from scratchpad.sae.load import Sae


class Stored(TypedDict):
    """A `Likeness` as plain values; d wide."""

    pictures: int
    explained: float
    distance: float
    mean: list[float]
    spread: list[float]


@dataclass(frozen=True)
class Likeness:
    """What the indexed pictures are like; d wide."""

    pictures: int
    explained: float  # the least of any picture
    distance: float  # the greatest of any picture
    mean: Float[np.ndarray, " d"] = field(repr=False)
    spread: Float[np.ndarray, " d"] = field(repr=False)

    def unlike(self, sae: Sae, activations: Float[np.ndarray, "p d"], codes: Codes) -> str:
        """Why counts say nothing about a picture, in one sentence; "" where it is like those indexed."""
        explained, mean = summary(sae, activations, codes)
        if explained < self.explained:
            return (
                f"The SAE explains {explained:.2f} of this picture's variance, less than of any of the {self.pictures} indexed pictures "
                f"({self.explained:.2f} or more): it is unlike them, so every name here is a guess."
            )
        away = float(self._distance(mean[None])[0])
        if away > self.distance:
            return (
                f"This picture's activations lie further from the mean of the {self.pictures} indexed pictures ({away:.2f} standard "
                f"deviations) than those of any of them ({self.distance:.2f}): it is unlike them, so every name here is a guess."
            )
        return ""

    def _distance(self, means: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return distance(means, self.mean, self.spread)

    def as_json(self) -> Stored:
        """Plain values."""
        return {
            "pictures": self.pictures,
            "explained": self.explained,
            "distance": self.distance,
            "mean": [round(float(v), 6) for v in self.mean],
            "spread": [round(float(v), 6) for v in self.spread],
        }


def from_json(value: Stored) -> Likeness:
    """What `as_json` wrote."""
    return Likeness(
        int(value["pictures"]), float(value["explained"]), float(value["distance"]), np.array(value["mean"]), np.array(value["spread"])
    )


def summary(sae: Sae, activations: Float[np.ndarray, "p d"], codes: Codes) -> tuple[float, Float[np.ndarray, " d"]]:
    """(variance explained, mean activation) of one picture."""
    wrong = float(((activations - sae.reconstruct(codes, activations)) ** 2).sum(dtype=np.float64))
    spread = float(((activations - activations.mean(0)) ** 2).sum(dtype=np.float64))
    return 1 - wrong / max(spread, 1e-12), activations.mean(0)


def likeness(explained: Float[np.ndarray, " n"], means: Float[np.ndarray, "n d"]) -> Likeness:
    """Of some pictures, at least one."""
    # rounded as it is kept, so that the furthest picture is as far as is kept
    mean, spread = np.round(means.mean(0).astype(np.float64), 6), np.round(np.maximum(means.std(0).astype(np.float64), 1e-6), 6)
    return Likeness(len(means), float(explained.min()), float(distance(means, mean, spread).max()), mean, spread)


def distance(means: Float[np.ndarray, "n d"], mean: Float[np.ndarray, " d"], spread: Float[np.ndarray, " d"]) -> Float[np.ndarray, " n"]:
    """Root mean square over dimensions of each picture's z-score."""
    away: np.ndarray = np.sqrt((((means - mean) / spread) ** 2).mean(1))
    return away
