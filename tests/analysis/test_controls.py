from __future__ import annotations

import itertools

import numpy as np
import pytest

from scratchpad.analysis.controls import masses, matched_sets, noise_like, standing_in
from scratchpad.records import Analysis, Codes, Edit, LatentEdit
from scratchpad.records.edit import ablation
from scratchpad.workbench import Workbench


def test_sets_are_of_other_active_latents_with_like_mass(analysis: Analysis, likeliest: tuple[int, ...]) -> None:
    latents, mass = masses(analysis.codes)
    of = dict(zip(latents.tolist(), mass.tolist(), strict=True))
    chosen = likeliest
    sets, possible = matched_sets(analysis.codes, chosen, 200)
    assert len(sets) == 200 <= possible
    assert len({frozenset(row) for row in sets}) == 200, "a set was counted twice"
    assert not {latent for row in sets for latent in row} & set(chosen)
    assert all(len(set(row)) == len(chosen) for row in sets)
    spread = abs(np.log([of[i] for i in latents]) - np.log(of[chosen[0]]))
    off = abs(np.log([of[i] for i in (row[0] for row in sets)]) - np.log(of[chosen[0]]))
    assert off.mean() < spread.mean() / 2


def test_a_control_acts_where_the_edit_does() -> None:
    """Of latents that are silent there none stands in, and masses are of there alone."""
    values = np.array([[3, 1], [2, 5], [4, 4]], np.float32)
    codes = Codes("sae", 8, values, np.array([[0, 1], [2, 3], [4, 5]]))
    where = np.array([True, True, False])
    latents, mass = masses(codes, where)
    assert (latents.tolist(), mass.tolist()) == ([0, 1, 2, 3], [3, 1, 2, 5])
    assert {latent for (latent,) in matched_sets(codes, (0,), 64, where=where)[0]} == {1, 2, 3}
    assert {latent for (latent,) in matched_sets(codes, (0,), 64)[0]} == {1, 2, 3, 4, 5}


def test_too_few_others_make_no_set() -> None:
    codes = Codes("sae", 8, np.ones((2, 3), np.float32), np.array([[0, 1, 2], [0, 1, 2]]))
    assert matched_sets(codes, (0, 1), 5) == ((), 0)
    assert matched_sets(codes, (), 5) == ((), 0)


def test_few_alike_are_all_of_them_and_said() -> None:
    """Four others make six pairs; none is drawn twice."""
    codes = Codes("sae", 8, np.ones((1, 6), np.float32), np.arange(6)[None])
    sets, possible = matched_sets(codes, (0, 1), 32)
    assert {frozenset(row) for row in sets} == {frozenset(pair) for pair in itertools.combinations((2, 3, 4, 5), 2)}
    assert possible == len(sets) == 6
    assert matched_sets(codes, (0,), 32) == (tuple((i,) for i in (1, 2, 3, 4, 5)), 5)


def test_an_edit_keeps_its_operations_on_other_latents() -> None:
    edit = Edit(
        (LatentEdit(3, "add", 1.0, (0.0, 0.0, 1.0, 1.0)), LatentEdit(3, "scale", 0.0, (1.0, 1.0, 2.0, 2.0)), LatentEdit(5, "set", 2.0))
    )
    other = standing_in(edit, (8, 9))
    assert [item.latent for item in other.items] == [8, 8, 9]
    assert [(item.op, item.value, item.region) for item in other.items] == [(item.op, item.value, item.region) for item in edit.items]


def test_noise_is_as_long_on_every_patch() -> None:
    change = np.random.default_rng(0).standard_normal((5, 64)).astype(np.float32)
    change[2] = 0
    noise = noise_like(change, np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(noise, axis=1), np.linalg.norm(change, axis=1), rtol=1e-5)
    assert abs(np.sum(noise * change) / np.sum(change**2)) < 0.3


def test_a_control_says_what_the_model_does(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...]) -> None:
    """Its bare reconstruction and its first set, run again on their own."""
    edit = ablation(likeliest)
    control = bench.control(analysis, edit, count=8)
    bare = bench.ablate(analysis, Edit(keep_error=False))
    assert control.edit == edit
    assert control.reconstruction_flips == bare.changed
    assert control.reconstruction == pytest.approx(bare.effect, abs=1e-3)
    alone = bench.ablate(analysis, ablation(control.sets[0]))
    assert control.effects[0] == pytest.approx(alone.effect, abs=1e-3)
    assert control.flips[0] == alone.changed
    assert len(control.noise) == len(control.noise_flips) == 8
