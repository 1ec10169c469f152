"""Two analyses share latents where one SAE read both, and claimed names where two did; nothing else matches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scratchpad.analysis.beside import matched
from scratchpad.benches import Benches
from scratchpad.records import Analysis, dumps, loads
from scratchpad.records.beside import SideBySide
from scratchpad.ui.app import load_examples
from scratchpad.workbench import question_of, side_by_side


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
