"""Each failure mode on scenes that show it, and none where the answer is right."""

from __future__ import annotations

import pytest
from scratchpad.diagnose import HIDDEN, LIMITED, MISLEADING, NONE, Diagnosis, as_json, diagnose

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START, Mode
from scratchpad.errors import UserError
from scratchpad.records import Analysis
from scratchpad.workbench import Workbench

FIRST = HELD_OUT_START + 80_000_000


def diagnosed(bench: Workbench, mode: Mode, count: int) -> list[Diagnosis]:
    """Diagnoses of the first `count` scenes in which the model fails so."""
    out: list[Diagnosis] = []
    for scene in held_out(40, mode, FIRST):
        asked = [q for q in all_questions(scene) if q.type == mode and " on " not in q.answer]
        if not asked or len(out) == count:
            continue
        found = bench.analyze(picture(scene), asked[0].text)
        rivals = [t.name for t in scene.things if t.category in asked[0].text and t.name != found.run.answer]
        truth = {"misleading": scene.background, "two": (rivals or [""])[0], "uncategorised": asked[0].answer}[mode]
        if truth and truth != found.run.answer:
            out.append(diagnose(bench, found, picture(scene), truth))
    return out


@pytest.mark.parametrize(("mode", "verdict"), [("misleading", MISLEADING), ("two", HIDDEN), ("uncategorised", LIMITED)])
def test_the_modes_are_told_apart(bench: Workbench, mode: Mode, verdict: str) -> None:
    found = diagnosed(bench, mode, 2)
    hits = sum(d.verdict == verdict for d in found)
    others = [d.verdict for d in found if d.verdict not in (verdict, NONE)]
    assert hits >= 1, [(d.verdict, d.why, [(t.holds, t.says) for t in d.tests]) for d in found]
    assert hits >= len(others), others
    assert all(d.tests for d in found)


def test_a_right_answer_fits_none(bench: Workbench, found: Analysis, scene_image) -> None:  # type: ignore[no-untyped-def]
    told = as_json(bench, diagnose(bench, found, scene_image, found.run.answer.split()[1]))
    assert told["verdict"] == NONE
    assert set(told) == {"verdict", "why", "answer", "expected", "latents", "after", "controls", "tests"}


def test_an_explicit_prompt_needs_its_place(bench: Workbench, found: Analysis, scene_image) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match="where the name goes"):
        diagnose(bench, found, scene_image, "cat", "is it there")
