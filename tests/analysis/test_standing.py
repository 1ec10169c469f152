"""A standing edit is the edit of every run: the same answers and activations, nothing left behind, the empty place untouched."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.analysis.standing import change_of
from scratchpad.errors import UserError
from scratchpad.records import Analysis, Edit, LatentEdit
from scratchpad.vlm.run import generate, run
from scratchpad.vlm.standing import standing
from scratchpad.workbench import Workbench

OPS = (("set", 0.0), ("scale", -1.0), ("add", 2.0), ("set", 3.0))


@pytest.mark.parametrize(("op", "value"), OPS)
def test_as_an_edit_of_one_run(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...], op: str, value: float) -> None:
    edit = Edit(tuple(LatentEdit(latent, op, value) for latent in likeliest))  # type: ignore[arg-type]
    trial = bench.trial(analysis)
    change = trial.change(edit)
    assert change is not None
    with standing(bench.vlm, bench.sae.at, change_of(bench.sae, edit)):
        now = run(bench.vlm, trial.prepared, bench.sae.at, 16)
    assert now.answer == generate(bench.vlm, trial.prepared, 16, bench.sae.at, torch.from_numpy(change.rows)[None]).text
    assert np.allclose(now.states(), analysis.run.states() + change.rows, atol=1e-3)
    assert generate(bench.vlm, trial.prepared, 64).ids == analysis.run.answer_ids


def test_latents_that_are_silent_change_nothing(bench: Workbench, analysis: Analysis) -> None:
    silent = next(i for i in range(bench.sae.d_sae) if i not in set(analysis.codes.active().tolist()))
    with standing(bench.vlm, bench.sae.at, change_of(bench.sae, Edit((LatentEdit(silent, "scale", -1.0),)))):
        now = run(bench.vlm, bench.trial(analysis).prepared, bench.sae.at, 64)
    assert np.array_equal(now.states(), analysis.run.states())
    assert [token.logprob for token in now.outputs()] == [token.logprob for token in analysis.run.outputs()]


@pytest.mark.parametrize(
    "edit",
    [
        Edit(),
        Edit((LatentEdit(1, "set", 0.0),), keep_error=False),
        Edit((LatentEdit(1, "set", 0.0, (0.0, 0.0, 9.0, 9.0)),)),
        Edit((LatentEdit(1, "set", 0.0), LatentEdit(1, "scale", 2.0))),
        Edit((LatentEdit(10**6, "set", 0.0),)),
    ],
)
def test_what_can_not_stand_is_refused(bench: Workbench, edit: Edit) -> None:
    with pytest.raises(UserError):
        change_of(bench.sae, edit)
