"""The three case studies that ship: one scene for each failure mode that the demo VLM carries, found and diagnosed, not chosen by eye.

In: a workbench. Out: bundles in examples/cases. A scene is the first held-out one on which `diagnose` gives the mode; the page's
opening scene comes before them, so that the page opens on a case whose tests are recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from scratchpad.cases.bundle import Bundle
from scratchpad.cases.record import record
from scratchpad.cases.store import Store
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START, Mode, Scene, sample_scene
from scratchpad.experiments.diagnose import HIDDEN, LIMITED, MISLEADING
from scratchpad.records import Analysis, Diagnosis, Test
from scratchpad.records.edit import ablation
from scratchpad.workbench import Workbench

FIRST = HELD_OUT_START + 200_000_000
OPENING = HELD_OUT_START + 30_000_002, "What is the background?"  # camel-on-grass.png among the examples
MODES: tuple[tuple[Mode, str, str], ...] = (
    ("misleading", MISLEADING, "Misleading cue: {answer} for {expected}, because of one thing in the picture"),
    ("uncategorised", LIMITED, "Limited alignment: the encoder shows {expected}, the answer is {answer}"),
    ("two", HIDDEN, "Unused hidden cue: {expected} is there too, and unsaid"),
)


def publish_cases(bench: Workbench, folder: Path, tries: int = 60) -> list[str]:
    """Makes the three cases anew, listed; their ids."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.case"), *folder.glob("*.json")):
        old.unlink()
    store = Store(folder)
    # the gallery shows the last written first
    return [store.put(_case(bench, *mode, tries), listed=True)[0] for mode in reversed(MODES)]


def _case(bench: Workbench, mode: Mode, verdict: str, title: str, tries: int) -> Bundle:
    for scene, asked, listed in _questions(mode, tries):
        analysis = bench.analyze(picture(scene), asked)
        truth = _truth(scene, mode, asked, listed, analysis.run.answer)
        if not truth or truth == analysis.run.answer:
            continue
        diagnosis = bench.diagnose(analysis, truth)
        tests = _tests(bench, analysis, diagnosis) if diagnosis.mode == verdict else []
        if tests and all(test.verdict.kind == _wanted(verdict) for test in tests):
            named = title.format(answer=analysis.run.answer, expected=truth)
            return record(bench, analysis, tests, named, _notes(scene, diagnosis), diagnosis=diagnosis)
    raise RuntimeError(f"none of {tries} scenes of mode {mode} fits {verdict}")


def _questions(mode: Mode, tries: int) -> Iterator[tuple[Scene, str, str]]:
    """Scenes of a mode, each with a question of it and the answer that the world has."""
    if mode == "misleading":
        seed, text = OPENING
        scene = sample_scene(seed, mode)
        yield scene, text, scene.background
    for scene in held_out(tries, mode, FIRST):
        for question in all_questions(scene):
            if question.type == mode and " on " not in question.answer:
                yield scene, question.text, question.answer


def _truth(scene: Scene, mode: Mode, asked: str, listed: str, answer: str) -> str:
    if mode == "two":
        rivals = [t.name for t in scene.things if t.category in asked]
        return next((name for name in rivals if name != answer), "") if answer in rivals else ""
    return scene.background if mode == "misleading" else listed


def _wanted(mode: str) -> str:
    """The verdict that a case's test must have: of limited alignment the claim is that no edit does it."""
    return "not supported" if mode == LIMITED else "supported"


def _tests(bench: Workbench, analysis: Analysis, diagnosis: Diagnosis) -> list[Test]:
    """What brings the expected out; where nothing does, that the concept's own latents leave the answer as it is."""
    least = diagnosis.sufficient
    if least is not None and least.flipped:
        return [replace(bench.test(analysis, ablation(least.ids), diagnosis.expected), sufficient=least)]
    own = [latent.id for latent in analysis.latents if bench.name(latent.id) == diagnosis.expected]
    return [bench.test(analysis, ablation(own), diagnosis.expected)] if own else []


def _notes(scene: Scene, diagnosis: Diagnosis) -> str:
    listed = "\n".join(f"- {'holds' if test.holds else 'does not hold'}: {test.says}" for test in diagnosis.tests)
    things = ", ".join(thing.name for thing in scene.things)
    truth = f"The truth: {things} on {scene.background} (scene {scene.seed}). The model answers **{diagnosis.answer}**, "
    truth += f"right is **{diagnosis.expected}**."
    return f"{truth}\n\nWhat `scratchpad diagnose` finds: **{diagnosis.mode}**. {diagnosis.why[0].upper()}{diagnosis.why[1:]}\n\n{listed}"
