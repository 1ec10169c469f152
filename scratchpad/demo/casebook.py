"""The three case studies that ship: one scene for each failure mode that the demo VLM carries, found and diagnosed, not chosen by eye.

In: a workbench. Out: bundles in examples/cases. A scene is the first held-out one on which `diagnose` gives the mode.
"""

from __future__ import annotations

from pathlib import Path

from scratchpad.analysis.edit import ablation
from scratchpad.cases.bundle import Bundle
from scratchpad.cases.record import Experiment, record
from scratchpad.cases.store import Store
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START, Mode, Scene
from scratchpad.diagnose import HIDDEN, LIMITED, MISLEADING, Diagnosis, diagnose
from scratchpad.workbench import Analysis, Workbench

FIRST = HELD_OUT_START + 200_000_000
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
    for scene in held_out(tries, mode, FIRST):
        for question in all_questions(scene):
            if question.type != mode or " on " in question.answer:
                continue
            image = picture(scene)
            found = bench.analyze(image, question.text)
            truth = _truth(scene, mode, question.text, question.answer, found.run.answer)
            if not truth or truth == found.run.answer:
                continue
            told = diagnose(bench, found, image, truth)
            if told.verdict == verdict:
                named = title.format(answer=found.run.answer, expected=truth)
                return record(bench, [image], found, _tests(bench, found, told), named, _notes(scene, told))
    raise RuntimeError(f"none of {tries} scenes of mode {mode} fits {verdict}")


def _truth(scene: Scene, mode: Mode, asked: str, listed: str, answer: str) -> str:
    if mode == "two":
        rivals = [t.name for t in scene.things if t.category in asked]
        return next((name for name in rivals if name != answer), "") if answer in rivals else ""
    return scene.background if mode == "misleading" else listed


def _tests(bench: Workbench, found: Analysis, told: Diagnosis) -> list[Experiment]:
    """What brings the expected out; where nothing does, that the concept's own latents leave the answer as it is."""
    if told.found is not None and told.found.flipped:
        return [Experiment(ablation(told.found.latents), told.found, told.expected)]
    own = [row.id for row in found.ranking if row.name == told.expected]
    return [Experiment(ablation(own), None, told.expected)]


def _notes(scene: Scene, told: Diagnosis) -> str:
    listed = "\n".join(f"- {'holds' if test.holds else 'does not hold'}: {test.says}" for test in told.tests)
    things = ", ".join(thing.name for thing in scene.things)
    truth = f"The truth: {things} on {scene.background} (scene {scene.seed}). The model answers **{told.answer}**, "
    truth += f"right is **{told.expected}**."
    return f"{truth}\n\nWhat `scratchpad diagnose` finds: **{told.verdict}**. {told.why[0].upper()}{told.why[1:]}\n\n{listed}"
