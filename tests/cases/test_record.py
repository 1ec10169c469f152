from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from scratchpad.analysis.edit import ablation
from scratchpad.cases.bundle import pack, unpack
from scratchpad.cases.record import Experiment, edit_of, record, replay
from scratchpad.errors import UserError
from scratchpad.records import Edit, LatentEdit
from scratchpad.workbench import DEFAULT_SAE, Workbench


def test_a_case_replays_to_the_same_tokens_and_edits(bench: Workbench, found: Analysis, scene_image: Image.Image) -> None:
    regional = Edit((LatentEdit(found.suggested[0], "scale", 0.5, (0.0, 0.0, 112.0, 224.0)),))
    tests = [Experiment(ablation(found.suggested)), Experiment(regional, target="yes")]
    made = unpack(pack(record(bench, [scene_image], found, tests, "A title", "notes")))
    assert edit_of(made.case.runs[1]) == regional
    assert made.case.runs[1].target is not None
    again = replay(made, bench)
    assert again.same_model
    assert again.same_sae
    assert again.agrees
    assert again.logprob_difference == pytest.approx(0, abs=1e-5)


def test_another_sae_is_noticed(bench: Workbench, found: Analysis, scene_image: Image.Image) -> None:
    made = record(bench, [scene_image], found)
    other = Workbench(sae=DEFAULT_SAE.parent / "emoji-middle")
    assert other.sae.identity != bench.sae.identity
    assert not replay(made, other).same_sae


def test_caps_are_said(bench: Workbench, found: Analysis, scene_image: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds a title of 200"):
        record(bench, [scene_image], found, title="x" * 201)
