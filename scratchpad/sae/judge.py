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

from scratchpad.records import Codes
from scratchpad.sae.evaluate import Sums, metrics_of, sums_of
from scratchpad.sae.load import Sae
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import force, run

WORSE = 0.25  # variance explained may fall short of the declared by so much on a picture of another kind
TIMES = 2.0  # L0 may differ by so many times


@dataclass(frozen=True)
class Fidelity:
    """Declared numbers beside those measured on the pictures at hand."""

    declared: dict[str, float]
    here: dict[str, float]

    @property
    def fits(self) -> bool:
        short = self.declared["variance_explained"] - self.here["variance_explained"] > WORSE
        low, high = self.declared["l0"] / TIMES - 1, self.declared["l0"] * TIMES + 1
        return not short and low <= self.here["l0"] <= high

    @property
    def says(self) -> str:
        """One sentence, both numbers; empty where they agree."""
        if self.fits:
            return ""
        return (
            f"The SAE declares variance explained {self.declared['variance_explained']:.2f} and L0 {self.declared['l0']:.1f}; "
            f"here they are {self.here['variance_explained']:.2f} and {self.here['l0']:.1f}. "
            "It may be for another layer or model, or scaled otherwise; or this picture is unlike those it was trained on."
        )


def declared(sae: Sae) -> dict[str, float] | None:
    """What the SAE's metrics.json says of itself; None where it says nothing."""
    path = sae.folder / "metrics.json"
    try:
        told = json.loads(path.read_text())
        return {name: float(told[name]) for name in ("variance_explained", "l0")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fidelity(sae: Sae, activations: Float[np.ndarray, "p d"], codes: Codes) -> Fidelity | None:
    """What the SAE declares beside one picture's numbers; None where it declares nothing."""
    told = declared(sae)
    if told is None:
        return None
    wrong = ((activations - sae.reconstruct(codes)) ** 2).sum(dtype=np.float64)
    spread = max(float(((activations - activations.mean(0)) ** 2).sum(dtype=np.float64)), 1e-12)
    return Fidelity(told, {"variance_explained": float(1 - wrong / spread), "l0": float((codes.values > 0).sum(1).mean())})


@dataclass(frozen=True)
class Judged:
    """One picture and prompt, with the reconstruction in place."""

    sums: Sums
    kept: bool  # whether the answer stays
    moved: float  # change of its log-probability


def judge(vlm: Vlm, sae: Sae, picture: Image.Image, prompt: str, max_new_tokens: int = 32) -> Judged:
    """Whether the answer stays when the SAE's reconstruction stands in, and by how much it's less likely."""
    prepared = prepare(vlm, picture, prompt)
    found = run(vlm, prepared, sae.layer, max_new_tokens)
    change = torch.from_numpy(sae.reconstruct(sae.encode(found.activations)) - found.activations)[None]
    plain = force(vlm, prepared, found.answer_ids)
    under = force(vlm, prepared, found.answer_ids, sae.layer, change)
    moved = float(under.logprobs.sum() - plain.logprobs.sum())
    return Judged(sums_of(sae, found.activations), bool(under.unchanged[0]), moved)


def verdict(judged: Iterable[Judged]) -> dict[str, Any]:
    """Reconstruction over all pictures, the share of answers that stay, the mean change of log-probability."""
    rows = list(judged)
    out: dict[str, Any] = {name: round(value, 4) for name, value in metrics_of(row.sums for row in rows).items()}
    out["answers_unchanged"] = {
        "share": round(float(np.mean([row.kept for row in rows])), 4),
        "of": len(rows),
        "mean_change_of_logprob": round(float(np.mean([row.moved for row in rows])), 4),
    }
    return out
