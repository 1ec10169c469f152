"""How good the demo VLM is, on scenes it never saw: `scratchpad demo evaluate`.

Exact answers per question type over ordinary held-out scenes, and apart from them how often each of the three failures
happens. Answers are teacher-forced: greedy decoding gives the answer exactly if and only if every token of it, and the
end, is the argmax given those before; `generated_agree` checks that on real `generate` calls.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import torch
from PIL import Image

from scratchpad.demo.batches import collate
from scratchpad.demo.draw import draw_scene
from scratchpad.demo.questions import TYPES, Question, all_questions
from scratchpad.demo.trainer import Trainer, exact
from scratchpad.demo.world import HELD_OUT_START, Mode, Scene, sample_scene
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import generate


def held_out(count: int, mode: Mode = "ordinary", first: int = HELD_OUT_START) -> Iterator[Scene]:
    """Held-out scenes in the order of their seeds."""
    for seed in range(first, first + count):
        yield sample_scene(seed, mode)


def picture(scene: Scene) -> Image.Image:
    """A scene drawn."""
    return Image.fromarray(draw_scene(scene).pixels)


class Evaluation(TypedDict):
    """The model card's numbers."""

    scenes: int
    seeds: list[int]  # first and last
    overall: float  # share of all questions that are answered right
    types: dict[str, dict[str, int]]  # of questions: {right, asked}
    failures: dict[str, dict[str, int]]  # by mode: {asked, failed}
    generated_agree: dict[str, int]  # {agree, of}
    seconds: int


def evaluate(folder: Path, scenes: int = 2000, size: int = 16) -> Evaluation:
    """The model card's table: {type: {right, asked}} for TYPES, failures, agreement of `generate`, seconds."""
    begun = time.monotonic()
    vlm = load_vlm(folder)
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for question, hit in _answers(vlm, list(held_out(scenes)), size):
        asked[question.type] += 1
        right[question.type] += hit
    failures = {mode: _failure(vlm, mode, max(1, scenes // 10), size) for mode in ("misleading", "uncategorised", "two")}
    main = {t: {"right": right[t], "asked": asked[t]} for t in TYPES}
    return {
        "scenes": scenes,
        "seeds": [HELD_OUT_START, HELD_OUT_START + scenes - 1],
        "overall": sum(right[t] for t in TYPES) / sum(asked[t] for t in TYPES),
        "types": main,
        "failures": failures,
        "generated_agree": generated_agreement(vlm, 60),
        "seconds": round(time.monotonic() - begun),
    }


@torch.no_grad()
def _answers(vlm: Vlm, scenes: list[Scene], size: int) -> Iterator[tuple[Question, bool]]:
    trainer = Trainer(vlm.model, vlm.processor)  # type: ignore[arg-type]
    for start in range(0, len(scenes), size):
        part = scenes[start : start + size]
        questions = [all_questions(scene) for scene in part]
        batch = collate(part, questions, trainer.tokens)
        hits = exact(trainer.answer_logits(batch, trainer.image_tokens(batch.pixels)), batch)
        for row, row_hits in zip(questions, hits, strict=True):
            yield from zip(row, row_hits, strict=True)


def _failure(vlm: Vlm, mode: Mode, scenes: int, size: int) -> dict[str, int]:
    """Of `asked` questions whose habitual answer is the failure, how many get it.

    misleading: the background is answered by the cue's home; two: the larger candidate alone is named; uncategorised: a
    category question misses the kind that is there (the question's listed answer is the truth, so a miss is a failure).
    """
    asked = failed = 0
    for question, hit in _answers(vlm, list(held_out(scenes, mode)), size):
        if question.type == mode and not (mode == "misleading" and " on " in question.answer):
            asked += 1
            failed += (not hit) if mode == "uncategorised" else hit
    return {"asked": asked, "failed": failed}


def generated_agreement(vlm: Vlm, count: int) -> dict[str, int]:
    """Teacher-forced verdicts against real generation through processor and chat template."""
    agree = total = 0
    for scene in held_out(count, first=HELD_OUT_START + 5_000):
        questions = all_questions(scene)
        question = questions[scene.seed % len(questions)]
        forced = list(_answers_of(vlm, scene))[scene.seed % len(questions)]
        said = generate(vlm, prepare(vlm, picture(scene), question.text)).text
        agree += (said == question.answer) == forced
        total += 1
    return {"agree": agree, "of": total}


def _answers_of(vlm: Vlm, scene: Scene) -> Iterator[bool]:
    for _, hit in _answers(vlm, [scene], 1):
        yield hit
