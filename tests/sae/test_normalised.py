"""An SAE that normalises each patch by itself: edits and predictions are at the activations' own scale."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scratchpad.analysis.edit import delta
from scratchpad.analysis.suggest import predicted_effects
from scratchpad.records import Analysis, Codes, Edit
from scratchpad.records.edit import ablation
from scratchpad.sae.load import Sae
from scratchpad.workbench import DEFAULT_SAE, Workbench

HOWS = ["layer_norm", "constant_norm_rescale"]


@pytest.fixture(params=HOWS)
def sae(request: pytest.FixtureRequest, bench: Workbench) -> Sae:
    return replace(bench.sae, normalise=request.param)


def without(codes: Codes, latent: int) -> Codes:
    return replace(codes, values=np.where(codes.indices == latent, 0, codes.values).astype(np.float32))


def test_an_ablation_is_what_the_reconstruction_loses(sae: Sae, analysis: Analysis) -> None:
    x, places = analysis.run.states(), analysis.run.places
    codes = sae.encode(x)
    latent = int(codes.active()[0])
    lost = sae.reconstruct(without(codes, latent), x) - sae.reconstruct(codes, x)
    change = delta(sae, codes, ablation([latent]), places, x)
    assert change is not None
    np.testing.assert_allclose(change, lost, atol=1e-4)
    assert np.ptp(sae.scales(x)) > 0.1  # patches differ
    whole = delta(sae, codes, Edit(keep_error=False), places, x)
    assert whole is not None
    np.testing.assert_allclose(x + whole, sae.reconstruct(codes, x), atol=1e-4)


def test_a_predicted_effect_is_the_slope_along_the_ablation(sae: Sae, analysis: Analysis) -> None:
    x = analysis.run.states()
    codes, slope = sae.encode(x), np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
    latents, effects = predicted_effects(sae, codes, slope, x)
    for latent, effect in list(zip(latents.tolist(), effects.tolist(), strict=True))[:8]:
        change = delta(sae, codes, ablation([latent]), analysis.run.places, x)
        assert change is not None
        assert effect == pytest.approx(float((slope * change).sum()), rel=1e-3, abs=1e-3)


def test_through_a_whole_analysis(bench: Workbench, analysis: Analysis, tmp_path: Path) -> None:
    folder = tmp_path / "sae"
    folder.mkdir()
    for name in ("cfg.json", "sae_weights.safetensors"):
        shutil.copy(DEFAULT_SAE / name, folder / name)
    config = json.loads((folder / "cfg.json").read_text())
    (folder / "cfg.json").write_text(json.dumps(config | {"normalize_activations": "layer_norm"}))
    other = Workbench(bench.vlm, folder)
    assert other.sae.identity != bench.sae.identity
    asked = other.ask(analysis.question)
    assert asked.run.answer == analysis.run.answer
    same = other.ablate(asked, Edit())
    assert same.after == same.before
    assert other.ablate(asked, ablation([asked.latents[0].id])).effect != 0
