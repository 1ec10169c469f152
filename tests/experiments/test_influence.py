"""Latents at one point by ablating those at an earlier one: numbers are those of hooks made by hand, controls are counted as they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from scratchpad.cli import main
from scratchpad.errors import UserError
from scratchpad.records import Analysis, ablation, dumps, loads
from scratchpad.records.influence import Influence
from scratchpad.ui.app import GALLERY, OPENING
from scratchpad.workbench import DEFAULT_SAE, Workbench

QUESTION = "What is the background?"


@pytest.fixture(scope="module")
def middle(bench: Workbench) -> Workbench:
    return Workbench(bench.vlm, DEFAULT_SAE.parent / "emoji-middle")


@pytest.fixture(scope="module")
def asked(middle: Workbench) -> Analysis:
    return middle.analyze(GALLERY / OPENING, QUESTION)


@pytest.fixture(scope="module")
def measured(middle: Workbench, bench: Workbench, asked: Analysis) -> Influence:
    return middle.influence(asked, bench, 4, 5)


@torch.no_grad()
def mass_by_hand(middle: Workbench, bench: Workbench, asked: Analysis, latent: int | None) -> np.ndarray:
    """The later SAE's activation mass, of a pass in which a latent's contribution is taken from the earlier block's output."""
    vlm, seen = bench.vlm, []
    take = torch.zeros(asked.run.states().shape)
    if latent is not None:
        values = torch.from_numpy(np.asarray(asked.codes.of(latent)))
        take = values[:, None] * middle.sae.directions()[latent].cpu()

    def subtract(module: object, args: object, out: object) -> object:
        rest = (out[0] if isinstance(out, tuple) else out).clone()
        rest[0, vlm.leading :] -= take
        return (rest, *out[1:]) if isinstance(out, tuple) else rest

    def keep(module: object, args: object, out: object) -> None:
        seen.append((out[0] if isinstance(out, tuple) else out)[0, vlm.leading :].clone())

    hooks = [vlm.blocks[middle.sae.at.block].register_forward_hook(subtract, prepend=True)]
    hooks.append(vlm.blocks[bench.sae.at.block].register_forward_hook(keep, prepend=True))
    try:
        vlm.model(**bench._prepared(asked.question).inputs)
    finally:
        for hook in hooks:
            hook.remove()
    codes = bench.sae.encode(seen[0].numpy())
    return np.bincount(codes.indices.ravel(), codes.values.ravel().clip(0), codes.d_sae)


def test_effects_are_what_hooks_by_hand_give(middle: Workbench, bench: Workbench, asked: Analysis, measured: Influence) -> None:
    watched = [target.latent.id for target in measured.targets]
    plain = mass_by_hand(middle, bench, asked, None)[watched]
    np.testing.assert_allclose([target.mass for target in measured.targets], plain, rtol=1e-3)
    for source, row in zip(measured.sources, measured.effects, strict=True):
        share = (mass_by_hand(middle, bench, asked, source.latent.id)[watched] - plain) / plain
        np.testing.assert_allclose(row, share, atol=2e-3)
    assert np.abs(measured.effects).max() > 0.1, "nothing moves anything"


def test_controls_are_others_of_like_mass_and_counted(middle: Workbench, bench: Workbench, asked: Analysis, measured: Influence) -> None:
    assert all(len(source.others) == 5 and source.latent.id not in source.others for source in measured.sources)
    assert measured.expected == pytest.approx(16 / 6)
    watched = [target.latent.id for target in measured.targets]
    plain = mass_by_hand(middle, bench, asked, None)[watched]
    source, own, counts = measured.sources[0], np.abs(measured.effects[0]), measured.as_much[0]
    moved = [np.abs(mass_by_hand(middle, bench, asked, other)[watched] - plain) / plain for other in source.others]
    sure = np.abs(np.array(moved) - own).min(0) > 1e-3  # where no rounding decides
    assert sure.any()
    assert (np.array(counts) == (np.array(moved) >= own).sum(0))[sure].all()
    for s, t in measured.alone():
        assert measured.as_much[s][t] == 0
    furthest = np.array(moved).max(1)  # each control's largest effect, on whichever
    apart = np.abs(furthest[:, None] - own).min(0) > 1e-3
    assert (np.array(measured.as_much_anywhere[0]) == (furthest[:, None] >= own).sum(0))[apart].all()
    assert (np.array(measured.as_much_anywhere) >= measured.as_much).all()
    assert set(measured.alone_anywhere()) <= set(measured.alone())
    assert measured.expected_sources == pytest.approx(4 / 6)
    assert loads(Influence, dumps(measured)) == measured


def test_the_answers_change_is_that_of_a_test(middle: Workbench, asked: Analysis, measured: Influence) -> None:
    source = max(measured.sources, key=lambda source: abs(source.effect))
    assert source.effect == pytest.approx(middle.ablate(asked, ablation([source.latent.id])).effect, abs=1e-4)


def test_what_lies_before_is_refused(middle: Workbench, bench: Workbench, asked: Analysis) -> None:
    later = bench.analyze(GALLERY / OPENING, QUESTION)
    for onto in (middle, bench):
        with pytest.raises(UserError, match="isn't behind vision.5"):
            bench.influence(later, onto)
    with pytest.raises(UserError, match="at least 1"):
        middle.influence(asked, bench, 0)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "influence",
        str(GALLERY / OPENING),
        QUESTION,
        "--sae",
        str(DEFAULT_SAE.parent / "emoji-middle"),
        "--top",
        "2",
        "--controls",
        "3",
    ]
    assert main([*command, "--onto", str(DEFAULT_SAE)]) == 0
    said = capsys.readouterr().out
    assert "answer: sand" in said
    assert "of 4 pairs that no other latent of like mass equals (by chance 1.0)" in said
    assert "of 2 ablated latents: no other moves any watched one by as much (by chance 0.5 latents)" in said
    assert main([*command, "--onto", str(DEFAULT_SAE), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert len(value["effects"]) == len(value["sources"]) == 2
    assert main([*command, "--onto", "no-such-folder"]) == 2
