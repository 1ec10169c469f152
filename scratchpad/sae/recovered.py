"""What of a picture's labels an SAE's latents tell, each latent chosen on some pictures and judged on others.

In: the maximum of every latent over every picture (or as little as another SAE's), and which labels each picture has. Out: shares. The
first half of the pictures chooses, the second judges.

- AUROC: for each label the latent that tells it best on the first half, judged on the second; the mean over labels.
- Each latent is known by the label that it tells best on the first half. On a picture of the second, five latents are taken whose
  maxima stand out most from their own on the first half (in standard deviations). Precision at 5: the share of them whose label is
  there. Recall at 5: the labels that they name and that are there, as a share of those that are there, or of five where there are more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

from scratchpad.errors import UserError

LEAST = 5  # pictures of each half with a label, and without it, for it to count
FIRST = 5


class Recovered(NamedTuple):
    """Shares, 0 to 1."""

    auroc: float
    precision: float
    recall: float


def countable(labels: Sequence[frozenset[str]]) -> tuple[tuple[str, ...], Bool[np.ndarray, "n c"]]:
    """Labels that are on at least LEAST pictures of each half and missing from as many; and which pictures have them.

    Raises:
        UserError: there is none.
    """
    names = sorted(frozenset().union(*labels))
    there = np.array([[name in row for name in names] for row in labels], bool).reshape(len(labels), len(names))
    half = len(labels) // 2
    counts = np.stack([there[:half].sum(0), (~there[:half]).sum(0), there[half:].sum(0), (~there[half:]).sum(0)])
    enough = (counts >= LEAST).all(0)
    if not enough.any():
        raise UserError(
            f"None of {len(names)} labels is on {LEAST} of each half of {len(labels)} held-out images and missing from {LEAST}: "
            "give labels with --labels, or more images."
        )
    return tuple(names[i] for i in np.flatnonzero(enough)), there[:, enough]


def aurocs(scores: Float[np.ndarray, "n l"], labels: Bool[np.ndarray, "n c"]) -> Float[np.ndarray, "c l"]:
    """Area under the ROC curve of every column for every label, ties counted half (Mann-Whitney U); no label is on all or none."""
    ranks = rankdata(scores, axis=0)
    n1 = labels.sum(0)[:, None]
    return np.asarray((labels.T.astype(np.float64) @ ranks - n1 * (n1 + 1) / 2) / (n1 * (len(labels) - n1)))


def recovered(peaks: Float[np.ndarray, "n l"], labels: Bool[np.ndarray, "n c"]) -> Recovered:
    """The three numbers above, of pictures in their order."""
    half = len(peaks) // 2
    before, after, there = peaks[:half].astype(np.float32), peaks[half:].astype(np.float32), labels[half:]
    tells = aurocs(before, labels[:half])
    chosen = tells.argmax(1)
    judged = aurocs(after[:, chosen], there)
    names = _names(before, after, tells.argmax(0))
    hits = np.array([[there[n, name] for name in row] for n, row in enumerate(names)])
    held = np.array([len({name for name in row if there[n, name]}) for n, row in enumerate(names)])
    count = there.sum(1)
    some = count > 0
    return Recovered(
        auroc=float(np.diagonal(judged).mean()),
        precision=float(hits.mean()) if hits.size else 0.0,
        recall=float((held[some] / np.minimum(count[some], FIRST)).mean()),
    )


def _names(before: Float[np.ndarray, "m l"], after: Float[np.ndarray, "n l"], known: Int[np.ndarray, " l"]) -> Int[np.ndarray, "n five"]:
    """The labels by which the latents that stand out most on each picture are known."""
    deviation = before.std(0)
    alive = np.flatnonzero(deviation > 0)
    above = (after[:, alive] - before[:, alive].mean(0)) / deviation[alive]
    order = np.argsort(-above, axis=1, kind="stable")[:, :FIRST]
    return np.asarray(known[alive][order])
