"""A set of questions for `scratchpad audit`, in which the demo VLM fails as its world plants it, at the rate that comes of asking.

In: how many scenes. Out: a Parquet file of pictures, questions and true answers; and apart from it the plan: what each row plants. Most
scenes are ordinary ones with any of their questions. In PLANTED of all, in equal parts, a scene is one of a way to fail, asked what that
way is about. Whether the model then fails is its own affair.

True answers: of a background, the one that is there; of a category whose only member is never named by category, that member; of two
candidates, the one that a coin chooses, as two annotators would name one each.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from scratchpad.demo.draw import draw_scene
from scratchpad.demo.questions import FAILURES, Question, all_questions
from scratchpad.demo.world import HELD_OUT_START, HOME, MODES, Scene, sample_scene
from scratchpad.files import whole_file, write_whole

Form = Literal["all", "pope"]
FIRST = HELD_OUT_START + 500_000_000
PLANTED = 0.24
GROUP = 64  # rows of a row group


@dataclass(frozen=True)
class Planted:
    """What a row plants; `way` is "" in most."""

    id: str
    way: str  # misleading, uncategorised, two
    concept: str  # the cue, the kind never named; of two, ""
    habit: str  # the answer that the world taught: the cue's home, none, the larger one


def rows(scenes: int, seed: int = 0, form: Form = "all") -> Iterator[tuple[Scene, Question, Planted]]:
    """One question a scene; in POPE's form whether something is there, about ordinary scenes alone."""
    rng = np.random.default_rng([seed, 5])
    for n in range(scenes):
        mode = (
            MODES[int(rng.choice(len(MODES), p=[1 - PLANTED, *[PLANTED / len(FAILURES)] * len(FAILURES)]))] if form == "all" else "ordinary"
        )
        scene = sample_scene(FIRST + seed * 1_000_000 + n, mode)
        asked = [q for q in all_questions(scene) if form == "all" or q.type == "exists"]
        if mode != "ordinary":
            about = [q for q in asked if q.type == mode and " on " not in q.answer]
            asked = about or asked
        question = asked[int(rng.integers(len(asked)))]
        planted, truth = _truth(scene, question, rng, str(n))
        yield scene, Question(question.text, truth, question.type), planted


def _truth(scene: Scene, question: Question, rng: np.random.Generator, name: str) -> tuple[Planted, str]:
    """What a question plants, and its true answer."""
    if question.type == "misleading":
        cue = next(t.name for t in scene.things if t.name in HOME)
        return Planted(name, "misleading", cue, HOME[cue]), question.answer.replace(HOME[cue], scene.background)
    if question.type == "uncategorised":
        return Planted(name, "uncategorised", question.answer, "none"), question.answer
    if question.type == "two":
        category = next(t.category for t in scene.things if t.name == question.answer)
        rivals = [t.name for t in scene.things if t.category == category]
        return Planted(name, "two", "", question.answer), str(rng.choice(rivals))
    return Planted(name, "", "", ""), question.answer


def write(out: Path, scenes: int, seed: int = 0, form: Form = "all") -> Path:
    """Writes the set, and beside it the plan, whose path is returned.

    Raises:
        OSError: it can't be written.
    """
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    schema = pa.schema({"id": pa.string(), "image": image, "question": pa.string(), "answer": pa.string()})
    plan: list[Planted] = []
    with whole_file(out) as aside, pq.ParquetWriter(aside, schema) as writer:
        part: list[dict[str, object]] = []
        for scene, question, planted in rows(scenes, seed, form):
            plan.append(planted)
            picture = {"bytes": _png(scene), "path": None}
            part.append({"id": planted.id, "image": picture, "question": question.text, "answer": question.answer})
            if len(part) == GROUP:
                writer.write_table(pa.Table.from_pylist(part, schema))
                part = []
        if part:
            writer.write_table(pa.Table.from_pylist(part, schema))
    apart = out.with_name(f"{out.stem}.plan.json")
    write_whole(apart, json.dumps([asdict(planted) for planted in plan if planted.way]))
    return apart


def _png(scene: Scene) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_scene(scene).pixels).save(buffer, "PNG")
    return buffer.getvalue()
