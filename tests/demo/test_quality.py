"""What the cards claim, recomputed on scenes they were not measured on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scratchpad.demo.evaluate import _answers, _failure, held_out, picture
from scratchpad.demo.questions import TYPES
from scratchpad.demo.world import HELD_OUT_START, Mode
from scratchpad.sae.evaluate import reconstruction_metrics
from scratchpad.sae.harvest import harvest
from scratchpad.sae.load import load_sae
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

CARD = json.loads((DEFAULT_MODEL / "evaluation.json").read_text())
FRESH = HELD_OUT_START + 50_000_000


@pytest.mark.parametrize("scenes", [30, pytest.param(240, marks=pytest.mark.slow)])
def test_exact_answers_are_what_the_card_says(bench: Workbench, scenes: int) -> None:
    hits = [hit for q, hit in _answers(bench.vlm, list(held_out(scenes, first=FRESH)), 16) if q.type in TYPES]
    assert np.mean(hits) >= CARD["overall"] - 0.04, f"{np.mean(hits):.3f} of {len(hits)}, the card says {CARD['overall']:.3f}"


@pytest.mark.parametrize("scenes", [16, pytest.param(120, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", ["misleading", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("uncategorised", "two"))])
def test_the_failures_happen_as_often_as_the_card_says(bench: Workbench, mode: Mode, scenes: int) -> None:
    counted, declared = _failure(bench.vlm, mode, scenes, 16), CARD["failures"][mode]
    assert counted["failed"] / counted["asked"] == pytest.approx(declared["failed"] / declared["asked"], abs=0.2)
    assert counted["failed"] >= 0.5 * counted["asked"]


@pytest.mark.parametrize("name", ["emoji-early", "emoji-middle", "emoji-last"])
def test_saes_reconstruct_as_their_cards_say(bench: Workbench, name: str) -> None:
    sae = load_sae(DEFAULT_SAE.parent / name)
    card = json.loads((sae.folder / "metrics.json").read_text())
    pictures = [picture(scene) for scene in held_out(40, first=FRESH)]
    found = reconstruction_metrics(sae, (rows[sae.at].numpy() for rows in harvest(bench.vlm, pictures, [sae.at])))
    assert found["variance_explained"] == pytest.approx(card["variance_explained"], abs=0.02)
    assert found["l0"] == pytest.approx(card["l0"], abs=0.5)
    assert found["l0"] <= 32
    if name == "emoji-last":  # whose reconstruction stands in for what the language model reads
        assert found["variance_explained"] >= 0.90
