"""A repair stands in every answer of the model that it was made for, and in no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from scratchpad.benches import Benches
from scratchpad.cli import main
from scratchpad.errors import UserError
from scratchpad.records import Analysis, ablation
from scratchpad.records.audit import Repair
from scratchpad.records.codec import dumps
from scratchpad.repairing import read_repair
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, HOME, Workbench


@pytest.fixture(scope="module")
def repair(bench: Workbench, likeliest: tuple[int, ...]) -> Repair:
    return Repair(1, "less of it", bench.model_ref, bench.sae_ref, ablation(likeliest))


def test_every_answer_is_under_it(bench: Workbench, analysis: Analysis, repair: Repair, scene_image: Image.Image) -> None:
    expected = bench.ablate(analysis, repair.edit).after
    assert expected.text != analysis.run.answer
    pairs = [(DEFAULT_MODEL, DEFAULT_SAE), (DEFAULT_MODEL, DEFAULT_SAE.parent / "emoji-middle")]
    benches = Benches(pairs, repair=repair)
    repaired = benches.first
    now = repaired.analyze(scene_image, analysis.question.prompt)
    assert now.run.answer_ids == expected.ids
    assert repaired.answer(scene_image, analysis.question.prompt) == expected.text
    assert now.model.name == f"{bench.vlm.name}, repaired: less of it"
    assert now.model.identity != bench.vlm.identity
    other = benches.of("1")
    assert other.answer(scene_image, analysis.question.prompt) == expected.text
    assert other.vlm.identity == now.model.identity
    again = repaired.test(now, ablation([now.latents[0].id]))  # reuse of the unedited run stands on the repaired one
    assert again.comparison.before.ids == expected.ids


def test_the_shipped_repair_is_of_the_shipped_model(bench: Workbench) -> None:
    scene, asked = HOME / "examples" / "scenes" / "camel-on-grass.png", "what is the background"
    repair = read_repair(HOME / "examples" / "audit" / "repairs" / "camel.repair.json")
    assert (bench.answer(scene, asked), Workbench(repair=repair).answer(scene, asked)) == ("sand", "grass")


def test_another_model_or_sae_is_refused(bench: Workbench, repair: Repair) -> None:
    with pytest.raises(UserError, match="is for the SAE emoji-last"):
        Workbench(bench.vlm, DEFAULT_SAE.parent / "emoji-middle", repair=repair)
    other = replace(repair, model=replace(repair.model, identity="0" * 16))
    with pytest.raises(UserError, match="is for the model emoji-llava"):
        Workbench(bench.vlm, DEFAULT_SAE, repair=other)
    assert "repaired" not in bench.vlm.name


def test_a_file_comes_back(tmp_path: Path, repair: Repair) -> None:
    (tmp_path / "a.repair.json").write_text(dumps(repair))
    assert read_repair(tmp_path / "a.repair.json") == repair


@pytest.mark.parametrize("text", [None, "{}", "not JSON", '{"format": 2}'])
def test_bad_files_are_one_sentence(tmp_path: Path, scene_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.json"
    if text is not None:
        path.write_text(text)
    assert main(["analyze", str(scene_path), "hi", "--repair", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "that `scratchpad audit` wrote" in said
