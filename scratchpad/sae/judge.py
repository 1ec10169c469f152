"""Whether an SAE does to a model's answers what it claims to do to its activations; and whether it's the SAE it says it is.

In: a model, an SAE, pictures and prompts, or one run's activations. Out: shares, and a `Fidelity`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from scratchpad.records import Codes, Fidelity
from scratchpad.sae.evaluate import Sums, metrics_of, sums_of
from scratchpad.sae.load import Sae
from scratchpad.sae.normalise import AVERAGE, UNSCALED
from scratchpad.vlm.forcing import force
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import run_and_keep

WORSE = 0.25  # variance explained may fall short of the declared by so much on a picture of another kind
MIN_EXPLAINED = 0.5  # variance explained below which an SAE says little of a picture, whatever it declares
TIMES = 2.0  # L0 may differ by so many times


def declared(sae: Sae) -> dict[str, float] | None:
    """What the SAE's metrics.json says of itself; None where it says nothing."""
    path = sae.folder / "metrics.json"
    try:
        metrics = json.loads(path.read_text())
        return {name: float(metrics[name]) for name in ("variance_explained", "l0")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fidelity(sae: Sae, activations: Float[np.ndarray, "p d"], codes: Codes) -> Fidelity:
    """What the SAE explains of one picture's activations, beside what it declares: variance explained (1 - residual / variance
    around the mean patch) and L0 (active latents per patch)."""
    wrong = ((activations - sae.reconstruct(codes, activations)) ** 2).sum(dtype=np.float64)
    spread = max(float(((activations - activations.mean(0)) ** 2).sum(dtype=np.float64)), 1e-12)
    return beside_declared(sae, float(1 - wrong / spread), float((codes.values > 0).sum(1).mean()))


def beside_declared(sae: Sae, explained: float, l0: float) -> Fidelity:
    """Variance explained and L0 as measured somewhere, beside what the SAE declares."""
    said = declared(sae) or {}
    sentence = UNSCALED if sae.normalise == AVERAGE else _said(explained, l0, said)
    return Fidelity(explained, l0, said.get("variance_explained"), said.get("l0"), not sentence, sentence)


def _said(explained: float, l0: float, said: dict[str, float]) -> str:
    """What is wrong, with both numbers; empty where nothing is."""
    why = "It may be for another layer or model, or scaled otherwise; or this picture is unlike those it was trained on."
    if said:
        low, high = said["l0"] / TIMES - 1, said["l0"] * TIMES + 1
        if said["variance_explained"] - explained > WORSE or not low <= l0 <= high:
            return (
                f"The SAE declares variance explained {said['variance_explained']:.2f} and L0 {said['l0']:.1f}; "
                f"here they are {explained:.2f} and {l0:.1f}. {why}"
            )
    if explained < MIN_EXPLAINED:
        return (
            f"The SAE explains {max(explained, 0):.0%} of the variance of this picture's activations: its concepts say little of it. {why}"
        )
    return ""


@dataclass(frozen=True)
class Judged:
    """One picture and prompt, with the reconstruction in place."""

    sums: Sums
    unchanged: bool  # whether the answer stays
    moved: float  # change of its log-probability


def judge(vlm: Vlm, sae: Sae, picture: Image.Image, prompt: str, max_new_tokens: int = 32) -> Judged:
    """Whether the answer stays when the SAE's reconstruction stands in, and by how much it's less likely."""
    prepared = prepare(vlm, picture, prompt)
    unedited, clean = run_and_keep(vlm, prepared, sae.at, max_new_tokens)
    states = unedited.states()
    change = torch.from_numpy(sae.reconstruct(sae.encode(states), states) - states)[None]
    plain = force(vlm, prepared, unedited.answer_ids, clean=clean)
    under = force(vlm, prepared, unedited.answer_ids, sae.at, change, clean)
    moved = float(under.logprobs.sum() - plain.logprobs.sum())
    return Judged(sums_of(sae, unedited.states()), bool(under.unchanged[0]), moved)


def verdict(judged: Iterable[Judged]) -> dict[str, Any]:
    """Reconstruction over all pictures, the share of answers that stay, the mean change of log-probability."""
    rows = list(judged)
    answers = {
        "share": round(float(np.mean([row.unchanged for row in rows])), 4),
        "of": len(rows),
        "mean_change_of_logprob": round(float(np.mean([row.moved for row in rows])), 4),
    }
    return {name: round(value, 4) for name, value in metrics_of(row.sums for row in rows).items()} | {"answers_unchanged": answers}
