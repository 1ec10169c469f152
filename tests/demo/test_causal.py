"""Concepts are causal: what the suggested latents do to an answer, beside random ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.analysis.edit import delta
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START, KINDS
from scratchpad.records.edit import ablation
from scratchpad.vlm.run import force
from scratchpad.workbench import Workbench


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_concepts_are_causal(bench: Workbench, count: int) -> None:
    """Over held-out questions whose answer names an object: the four likeliest latents change the name in at least 80%,
    as many random active latents in at most 10%."""
    rng = np.random.default_rng(0)
    changed = random_changed = asked = 0
    for scene in held_out(600, first=HELD_OUT_START + 60_000_000):
        questions = [q for q in all_questions(scene) if q.type in ("position", "category", "next") and q.answer in KINDS]
        if not questions:
            continue
        found = bench.analyze(picture(scene), questions[scene.seed % len(questions)].text)
        if found.run.answer not in KINDS:
            continue
        likeliest = sorted(found.by_effect, key=lambda latent, effects=found.by_effect: effects[latent])[:4]  # type: ignore[misc]
        pool = [latent for latent in found.codes.active() if latent not in likeliest]
        sets = [likeliest, rng.choice(pool, len(likeliest), replace=False)]
        changes = [delta(bench.sae, found.codes, ablation([int(i) for i in s]), found.run.grid, found.run.states()) for s in sets]
        forced = force(bench.vlm, bench.trial(found).prepared, found.run.answer_ids, bench.sae.layer, torch.from_numpy(np.stack(changes)))
        name_kept = forced.choices[:, 0] == found.run.answer_ids[0]
        asked, changed, random_changed = asked + 1, changed + (not name_kept[0]), random_changed + (not name_kept[1])
        if asked == count:
            break
    assert asked == count
    assert changed >= 0.8 * count, f"the likeliest latents changed {changed} of {count} names"
    assert random_changed <= 0.1 * count, f"random sets changed {random_changed} of {count} names"
