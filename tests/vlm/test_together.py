"""Prompts answered together are answered as alone."""

from __future__ import annotations

import numpy as np
import pytest

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.records.hookpoint import PROJECTOR, HookPoint, language, vision
from scratchpad.vlm import run as alone
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.together import batches, run_together
from scratchpad.workbench import Workbench

ASKED = ("describe the picture", "what is the background", "which animal do you see", "what is the background", "describe the picture")


@pytest.mark.parametrize(("size", "at"), [(2, vision(5)), (8, vision(5)), (3, PROJECTOR), (3, language(2))], ids=str)
def test_together_is_as_alone(bench: Workbench, size: int, at: HookPoint) -> None:
    pictures = [picture(scene) for scene in held_out(len(ASKED), first=HELD_OUT_START + 61_000)]
    prepared = [prepare(bench.vlm, image, asked) for image, asked in zip(pictures, ASKED, strict=True)]
    groups = batches(prepared, size)
    assert sorted(n for group in groups for n in group) == list(range(len(ASKED)))
    assert max(map(len, groups)) > 1
    for group in groups:
        runs = run_together(bench.vlm, [prepared[n] for n in group], at, 16)
        for n, run in zip(group, runs, strict=True):
            expected = alone.run(bench.vlm, prepared[n], at, 16)
            assert (run.answer, run.answer_ids) == (expected.answer, expected.answer_ids)
            assert [t.index for t in run.tokens] == [t.index for t in expected.tokens]
            assert np.allclose([t.logprob for t in run.outputs()], [t.logprob for t in expected.outputs()], atol=1e-4)
            assert np.array_equal(run.queries, expected.queries)  # type: ignore[arg-type]
            assert np.allclose(run.rows(), expected.rows(), atol=1e-5)
            assert np.allclose(run.states(), expected.states(), rtol=1e-4, atol=1e-4 if at.place == "vision" else 0.05)  # thousands there
