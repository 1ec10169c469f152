from __future__ import annotations

import numpy as np

from scratchpad.analysis.controls import masses, matched_sets, noise_like, standing_in
from scratchpad.analysis.edit import ablation
from scratchpad.records import Analysis, Codes, Edit, LatentEdit
from scratchpad.workbench import Workbench


def test_sets_are_of_other_active_latents_with_like_mass(found: Analysis) -> None:
    latents, mass = masses(found.codes)
    of = dict(zip(latents.tolist(), mass.tolist(), strict=True))
    chosen = found.suggested
    sets = matched_sets(found.codes, chosen, 200)
    assert sets.shape == (200, len(chosen))
    assert not set(sets.ravel()) & set(chosen)
    assert all(len(set(row)) == len(chosen) for row in sets.tolist())
    spread = abs(np.log([of[i] for i in latents]) - np.log(of[chosen[0]]))
    off = abs(np.log([of[i] for i in sets[:, 0]]) - np.log(of[chosen[0]]))
    assert off.mean() < spread.mean() / 2


def test_a_control_acts_where_the_edit_does() -> None:
    """Of latents that are silent there none stands in, and masses are of there alone."""
    values = np.array([[3, 1], [2, 5], [4, 4]], np.float32)
    codes = Codes("sae", 8, values, np.array([[0, 1], [2, 3], [4, 5]]))
    where = np.array([True, True, False])
    latents, mass = masses(codes, where)
    assert (latents.tolist(), mass.tolist()) == ([0, 1, 2, 3], [3, 1, 2, 5])
    assert set(matched_sets(codes, (0,), 64, where=where).ravel().tolist()) == {1, 2, 3}
    assert set(matched_sets(codes, (0,), 64).ravel().tolist()) == {1, 2, 3, 4, 5}


def test_too_few_others_make_no_set() -> None:
    codes = Codes("sae", 8, np.ones((2, 3), np.float32), np.array([[0, 1, 2], [0, 1, 2]]))
    assert len(matched_sets(codes, (0, 1), 5)) == 0
    assert len(matched_sets(codes, (), 5)) == 0


def test_an_edit_keeps_its_operations_on_other_latents() -> None:
    edit = Edit((LatentEdit(3, "add", 1.0, (0, 0, 1, 1)), LatentEdit(3, "scale", 0.0, (1, 1, 2, 2)), LatentEdit(5, "set", 2.0)))
    other = standing_in(edit, np.array([8, 9]))
    assert [item.latent for item in other.items] == [8, 8, 9]
    assert [(item.op, item.value, item.region) for item in other.items] == [(item.op, item.value, item.region) for item in edit.items]


def test_noise_is_as_long_on_every_patch() -> None:
    change = np.random.default_rng(0).standard_normal((5, 64)).astype(np.float32)
    change[2] = 0
    noise = noise_like(change, np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(noise, axis=1), np.linalg.norm(change, axis=1), rtol=1e-5)
    assert abs(np.sum(noise * change) / np.sum(change**2)) < 0.3


def test_a_control_says_what_the_model_does(bench: Workbench, found: Analysis) -> None:
    """Its bare reconstruction and its first random set, run again on their own."""
    edit = ablation(found.suggested)
    control = bench.control(found, edit, count=8)
    bare = bench.ablate(found, Edit(keep_error=False))
    assert control.reconstruction_flips == bare.changed
    first = matched_sets(found.codes, found.suggested, 8)[0]
    alone = bench.ablate(found, ablation(first.tolist()))
    ends = control.effects[0] - sum(alone.delta_logprob)  # the control counts the end token too
    assert abs(ends) < 0.5
    assert len(control.noise) == 8
