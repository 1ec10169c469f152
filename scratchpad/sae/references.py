"""Reference pictures of a latent: what they are, and which of them to show for which activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from scratchpad.sae.reading import Row

INTERVALS = ("top", "upper", "middle", "lower", "silent")  # of reference pictures, by the latent's activation
AROUND = "around"  # those nearest to an activation that is asked for


@dataclass(frozen=True)
class Reference:
    """One of the images that show when a latent is active."""

    image: int
    activation: float  # maximum over its patches; 0 of a counter-example
    labels: str
    mask: Float[np.ndarray, "rows cols"]  # activation per patch, 0 .. 1 of the image's maximum
    thumbnail: bytes  # WebP
    interval: str = "top"  # one of INTERVALS, or AROUND


def histogram_bins() -> Float[np.ndarray, " b"]:
    """Edges of the histograms of activations: powers of 2 from 2^-6 to 2^9; the first and last bins are open."""
    return 2.0 ** np.arange(-6, 10)


def by_interval(rows: list[Row], around: float | None, count: int) -> list[tuple[Row, str]]:
    """(row, interval): those around an activation, then `count` of each interval, none twice."""
    firing = [row for row in rows if row["activation"] > 0]
    near = sorted(firing, key=lambda row: abs(np.log(row["activation"] / around))) if around is not None and around > 0 else []
    out = [(row, AROUND) for row in near[:count]]
    taken = {row["image"] for row, _ in out}
    for name in INTERVALS:
        of = [row for row in rows if row.get("interval", "top") == name and row["image"] not in taken]
        out += [(row, name) for row in of[:count]]
    return out
