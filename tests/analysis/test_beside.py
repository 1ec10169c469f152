"""Two analyses share latents where one SAE read both, and claimed names where two did; nothing else matches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoProcessor, LlavaForConditionalGeneration

from scratchpad.analysis.beside import matched
from scratchpad.benches import Benches
from scratchpad.records import Analysis, dumps, loads
from scratchpad.records.beside import SideBySide
from scratchpad.ui.app import load_examples
from scratchpad.vlm.checkpoint import Placement
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench, question_of, side_by_side


@pytest.fixture(scope="module")
def answers(benches: Benches) -> dict[str, Analysis]:
    """One scene by the SAE of each layer."""
    path, prompt = next(row for row in load_examples() if "octopus" in row[0])
    return {offer.id: benches.of(offer.id).ask(question_of([path], prompt)) for offer in benches.offers[:2]}


def test_of_one_sae_every_latent_that_fires_on_both_is_shared(analysis: Analysis, answers: dict[str, Analysis]) -> None:
    one = answers["0"]
    both = matched(analysis, one)
    assert both.by == "latent"
    expected = [row.id for row in analysis.latents if one.latent(row.id)]
    assert [(row.left, row.right) for row in both.concepts] == [((i,), (i,)) for i in expected]
    assert 0 < len(expected) < len(analysis.latents)
    for row in both.concepts:
        names = {each.name for side in (analysis, one) if (each := side.latent(row.left[0]))}
        assert row.name == (names.pop() if len(names) == 1 else "")


def test_one_sae_on_an_adapted_model_is_matched_by_latent_and_its_names_are_guesses_there(
    bench: Workbench, analysis: Analysis, tmp_path: Path
) -> None:
    """The encoder before and after it was adapted (PatchSAE): names were counted on the one before."""
    other = LlavaForConditionalGeneration.from_pretrained(DEFAULT_MODEL)
    with torch.no_grad():
        other.model.vision_tower.encoder.layers[0].mlp.fc1.weight.mul_(1.001)
    other.save_pretrained(tmp_path / "adapted")
    AutoProcessor.from_pretrained(DEFAULT_MODEL).save_pretrained(tmp_path / "adapted")
    right = Workbench(tmp_path / "adapted", DEFAULT_SAE).ask(analysis.question)
    pair = side_by_side(analysis, right)
    assert pair.matched.by == "latent"
    assert len(pair.matched.concepts) > 10
    assert any(latent.name for latent in analysis.latents)
    assert not any(latent.name for latent in right.latents)
    assert "another vision encoder" in right.all_guesses
    assert analysis.all_guesses == ""
    half = Workbench(bench.vlm, DEFAULT_SAE, Placement(dtype="float16"))  # weights that were rounded: not known to be others
    assert half.index is not None
    assert half.index.why_no_claims == ""


def test_of_two_saes_only_names_that_both_claim_are_shared(answers: dict[str, Analysis]) -> None:
    left, right = answers["0"], answers["1"]
    both = matched(left, right)
    assert both.by == "name"
    claims = [{row.name for row in side.latents if row.name} for side in (left, right)]
    assert {row.name for row in both.concepts} == claims[0] & claims[1]
    assert both.concepts, "the two claim nothing together"
    for row in both.concepts:
        for side, ids in ((left, row.left), (right, row.right)):
            assert ids == tuple(each.id for each in side.latents if each.name == row.name)
    guessed = replace(right, latents=tuple(replace(row, guess=row.guess or row.name, name="") for row in right.latents))
    assert matched(left, guessed).concepts == ()


def test_the_pair_travels(answers: dict[str, Analysis]) -> None:
    pair = side_by_side(answers["0"], answers["1"])
    assert loads(SideBySide, dumps(pair)).matched == pair.matched
