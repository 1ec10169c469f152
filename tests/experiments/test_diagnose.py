"""Each failure mode on scenes that show it, and none where the answer is right."""

from __future__ import annotations

import pytest

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START, Mode
from scratchpad.errors import UserError
from scratchpad.experiments.diagnose import HIDDEN, LIMITED, MISLEADING, NONE
from scratchpad.records import Analysis, Diagnosis
from scratchpad.workbench import Workbench

FIRST = HELD_OUT_START + 80_000_000


def diagnosed(bench: Workbench, mode: Mode, count: int) -> list[Diagnosis]:
    """Diagnoses of the first `count` scenes in which the model fails so."""
    out: list[Diagnosis] = []
    for scene in held_out(40, mode, FIRST):
        asked = [q for q in all_questions(scene) if q.type == mode and " on " not in q.answer]
        if not asked or len(out) == count:
            continue
        analysis = bench.analyze(picture(scene), asked[0].text)
        rivals = [t.name for t in scene.things if t.category in asked[0].text and t.name != analysis.run.answer]
        truth = {"misleading": scene.background, "two": (rivals or [""])[0], "uncategorised": asked[0].answer}[mode]
        if truth and truth != analysis.run.answer:
            out.append(bench.diagnose(analysis, truth))
    return out


@pytest.mark.parametrize("count", [1, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("mode", "verdict"), [("misleading", MISLEADING), ("two", HIDDEN), ("uncategorised", LIMITED)])
def test_the_modes_are_told_apart(bench: Workbench, mode: Mode, verdict: str, count: int) -> None:
    found = diagnosed(bench, mode, count)
    assert len(found) == count
    hits = sum(d.mode == verdict for d in found)
    assert hits > count / 2, [(d.mode, d.why, [(t.holds, t.says) for t in d.tests]) for d in found]
    assert all(d.tests for d in found)


def test_a_right_answer_fits_none(bench: Workbench, analysis: Analysis) -> None:
    diagnosis = bench.diagnose(analysis, analysis.run.answer.split()[1])
    assert diagnosis.mode == NONE
    assert diagnosis.tests == ()


def test_an_explicit_prompt_needs_its_place(bench: Workbench, analysis: Analysis) -> None:
    with pytest.raises(UserError, match="where the name goes"):
        bench.diagnose(analysis, "cat", "is it there")


def test_an_expected_answer_is_short(bench: Workbench, analysis: Analysis) -> None:
    with pytest.raises(UserError, match="at most 400"):
        bench.diagnose(analysis, "x" * 401)
