"""Small things that several tests need."""

from __future__ import annotations

import re

import numpy as np

from scratchpad.analysis.beaten import baseline, sentence, spread, spreads
from scratchpad.records import Codes
from scratchpad.records.certificate import COMPARED, Budget, Certificate


def sentences(err: str) -> list[str]:
    """What a command said on standard error, without its signs of life, of which a slow machine has more."""
    return [line for line in err.splitlines() if not re.fullmatch(r"scratchpad: .*\d s in all(, about .* left of this)?", line)]


def random_codes(patches: int, d_sae: int, k: int, seed: int = 0) -> Codes:
    """Codes with distinct latents per patch, some of them inactive."""
    rng = np.random.default_rng(seed)
    indices = np.stack([rng.choice(d_sae, k, replace=False) for _ in range(patches)]).astype(np.int32)
    values = np.maximum(rng.normal(0.5, 1, (patches, k)), 0).astype(np.float32)
    return Codes("random", d_sae, values, indices)


def a_certificate(identity: str) -> Certificate:
    """Of an SAE of some weights: one baseline is beaten throughout, one in some measures, and one lacks measures. Values are made up."""
    own = [dict.fromkeys(COMPARED, value) for value in (0.9, 0.91, 0.92)]
    mixed = [dict.fromkeys(COMPARED, value) | {"auroc": 0.95, "causal": -0.1} for value in (0.5, 0.52)]
    given, trained = dict.fromkeys(COMPARED, 0.93), spreads(own)
    baselines = (
        baseline("low", "all of it lower", 8, [dict.fromkeys(COMPARED, value) for value in (0.1, 0.12)], given, trained),
        baseline("mixed", "some of it higher", 8, mixed, given, trained),
        baseline("empty", "only this", 8, [{"explained": 0.2}], given, trained, "nothing else can be had"),
    )
    return Certificate(
        sae="an-sae",
        identity=identity,
        model="a-model",
        encoder="0123456789abcdef",
        budget=Budget("topk", 16, 4, 30, 256, 1568, 2400),
        seeds=(1, 2, 3),
        pictures=24,
        labels=3,
        asked=5,
        edited=1,
        sets=8,
        given=given,
        trained=trained,
        shared=spread([0.4, 0.5, 0.45]),
        given_shared=0.5,
        baselines=baselines,
        sentence=sentence(baselines),
    )
