from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from scratchpad.cases.bundle import pack, unpack
from scratchpad.cases.record import record, replay
from scratchpad.errors import UserError
from scratchpad.reader import CLEAN
from scratchpad.records import Analysis, Edit, LatentEdit, Sampling
from scratchpad.records.edit import ablation
from scratchpad.workbench import DEFAULT_SAE, Workbench


def test_a_case_replays_to_the_same_tokens_and_edits(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...]) -> None:
    regional = Edit((LatentEdit(likeliest[0], "scale", 0.5, (0.0, 0.0, 112.0, 224.0)),))
    tests = [bench.test(analysis, ablation(likeliest)), bench.test(analysis, regional, "yes", Sampling(1.0, 3))]
    kept = unpack(pack(record(bench, analysis, tests, "A title", "notes")))
    assert kept.case.tests == tuple(tests)  # an edit, its controls, its verdict and the drawn answers are what was kept
    assert kept.case.analysis.blank == bench.blank(analysis)
    assert kept.case.analysis.attention_trust == analysis.attention_trust
    again = replay(kept, bench)
    assert again.same_model
    assert again.same_sae
    assert again.agrees
    assert again.logprob_difference == pytest.approx(0, abs=1e-5)


def test_recording_twice_gives_the_same_id(bench: Workbench, analysis: Analysis) -> None:
    first = record(bench, analysis, [bench.test(analysis, ablation([analysis.latents[0].id]))])
    other = Workbench(bench.vlm)  # nothing is remembered
    anew = other.analyze(analysis.question.pictures(), analysis.question.prompt)
    for shade in range(CLEAN):  # what the run left for edited ones is forgotten
        other.analyze(Image.new("RGB", (224, 224), (shade, 0, 0)), "What is in the picture?", max_new_tokens=1)
    second = record(other, anew, [other.test(anew, ablation([analysis.latents[0].id]))])
    assert first.id == second.id
    assert first.text == second.text


def test_a_short_answer_replays_as_short(bench: Workbench, scene_image) -> None:  # type: ignore[no-untyped-def]
    short = bench.analyze(scene_image, "What is in the picture?", max_new_tokens=2)
    assert len(short.run.answer_ids) == 2
    kept = unpack(pack(record(bench, short, [bench.test(short, ablation([short.latents[0].id]))])))
    assert replay(kept, bench).agrees


def test_another_sae_is_noticed(bench: Workbench, analysis: Analysis) -> None:
    kept = record(bench, analysis)
    other = Workbench(bench.vlm, DEFAULT_SAE.parent / "emoji-middle")
    assert other.sae.identity != bench.sae.identity
    assert not replay(kept, other).same_sae
    with pytest.raises(UserError, match="ask the question again here"):
        other.ablate(analysis, ablation([1]))


def test_caps_are_said(bench: Workbench, analysis: Analysis) -> None:
    with pytest.raises(UserError, match="holds a title of 200"):
        record(bench, analysis, title="x" * 201)


def test_nothing_of_the_process_travels(bench: Workbench, analysis: Analysis) -> None:
    kept = unpack(pack(record(bench, analysis))).case.analysis
    assert kept.run.activations is None
    assert kept.run.attention is None
    same = replace(kept, blank=None)
    assert (same.codes.values == analysis.codes.values).all()
    assert same.question.key == analysis.question.key
