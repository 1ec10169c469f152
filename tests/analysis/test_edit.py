from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scratchpad.analysis.edit import delta
from scratchpad.errors import UserError
from scratchpad.records import Analysis, Edit, LatentEdit
from scratchpad.records.edit import ablation
from scratchpad.records.reading import checked
from scratchpad.workbench import Workbench


def change(bench: Workbench, analysis: Analysis, edit: Edit) -> np.ndarray:
    out = delta(bench.sae, analysis.codes, edit, analysis.run.places, analysis.run.activations)
    assert out is not None
    return out


def test_ablation_takes_away_the_latent_s_part(bench: Workbench, analysis: Analysis) -> None:
    latent = analysis.latents[0].id
    a = analysis.codes.of(latent)
    expected = -a[:, None] * bench.sae.directions()[latent].numpy()
    np.testing.assert_allclose(change(bench, analysis, ablation([latent])), expected, atol=1e-5)


def test_operations(bench: Workbench, analysis: Analysis) -> None:
    latent = analysis.latents[0].id
    a, row = analysis.codes.of(latent)[:, None], bench.sae.directions()[latent].numpy()
    for op, value, after in (("set", 2.0, np.full_like(a, 2)), ("scale", 0.5, a / 2), ("add", 1.0, a + 1)):
        out = change(bench, analysis, Edit((LatentEdit(latent, op, value),)))
        np.testing.assert_allclose(out, (after - a) * row, atol=1e-4)


def test_a_region_leaves_the_rest_alone(bench: Workbench, analysis: Analysis) -> None:
    latent = analysis.latents[0].id
    h, w = analysis.run.grid.size
    out = change(bench, analysis, Edit((LatentEdit(latent, "add", 1.0, (0, 0, h / 2, w)),)))
    assert np.abs(out[:98]).max() > 0
    assert np.abs(out[98:]).max() == 0


def test_the_same_latent_in_two_regions_is_two_edits(bench: Workbench, analysis: Analysis) -> None:
    h, w = analysis.run.grid.size
    halves = ((0, 0, h / 2, w), (h / 2, 0, h, w))
    both = Edit(tuple(LatentEdit(3, "add", 1.0, box) for box in halves))
    np.testing.assert_allclose(change(bench, analysis, both), change(bench, analysis, Edit((LatentEdit(3, "add", 1.0),))), atol=1e-6)


def test_dropping_the_error_puts_the_reconstruction_in_place(bench: Workbench, analysis: Analysis) -> None:
    out = change(bench, analysis, Edit(keep_error=False))
    np.testing.assert_allclose(analysis.run.activations + out, bench.sae.reconstruct(analysis.codes), atol=1e-4)


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ((LatentEdit(99_999, "set", 0.0),), "has latents 0 to"),
        ((LatentEdit(3, "set", 0.0), LatentEdit(3, "scale", 2.0)), "edited twice"),
        ((LatentEdit(3, "set", 0.0, (0.0, 0.0, 0.5, 0.5)),), "holds no patch"),
    ],
)
def test_bad_edits_are_one_sentence(bench: Workbench, analysis: Analysis, items: tuple[LatentEdit, ...], says: str) -> None:
    with pytest.raises(UserError, match=says):
        bench.ablate(analysis, Edit(items))


@pytest.mark.parametrize(
    "item", [(-1, "set", 0.0), (3, "set", float("nan")), (3, "set", 1e7), (3, "halve", 0.5), (3, "set", 0.0, (1, 2, 3))]
)
def test_what_is_no_edit_is_never_made(item: tuple[Any, ...]) -> None:
    with pytest.raises(UserError, match="The edit can't be used"):
        checked(lambda: LatentEdit(*item), "the edit")


def test_an_inactive_latent_has_no_effect(bench: Workbench, analysis: Analysis) -> None:
    idle = next(i for i in range(bench.sae.d_sae) if i not in set(analysis.codes.active().tolist()))
    compared = bench.ablate(analysis, ablation([idle]))
    assert not compared.changed
    assert set(compared.delta_logprob) == {0.0}
    assert compared.inactive == (idle,)
    assert bench.ablate(analysis, Edit((LatentEdit(idle, "add", 3.0),))).inactive == ()


def test_a_latent_that_is_silent_in_the_region_has_no_effect(bench: Workbench, analysis: Analysis) -> None:
    for latent in analysis.codes.active().tolist():
        silent = np.flatnonzero(analysis.codes.of(latent) == 0)
        if len(silent):
            break
    y0, x0, y1, x1 = analysis.run.grid.patch_boxes()[silent[0]].tolist()
    compared = bench.ablate(analysis, Edit((LatentEdit(latent, "set", 0.0, (y0, x0, y1, x1)),)))
    assert compared.inactive == (latent,)
    assert set(compared.delta_logprob) == {0.0}
