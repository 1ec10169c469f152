"""What the model card and the SAE cards claim, recomputed on fresh scenes small enough for a test."""

from __future__ import annotations

import json

import numpy as np
import torch

from scratchpad.analysis.edit import ablation, delta
from scratchpad.demo.evaluate import _answers, _failure, held_out, picture
from scratchpad.demo.questions import TYPES, all_questions
from scratchpad.demo.world import HELD_OUT_START, KINDS
from scratchpad.vlm.run import force
from scratchpad.workbench import DEFAULT_SAE, Workbench


def test_exact_answers_on_held_out_scenes(bench: Workbench) -> None:
    hits = [hit for q, hit in _answers(bench.vlm, list(held_out(120, first=HELD_OUT_START + 50_000_000)), 16) if q.type in TYPES]
    assert np.mean(hits) >= 0.94, f"{np.mean(hits):.3f} of {len(hits)}"


def test_the_three_failures_happen(bench: Workbench) -> None:
    for mode in ("misleading", "uncategorised", "two"):
        counted = _failure(bench.vlm, mode, 48, 16)
        assert counted["failed"] >= 0.5 * counted["asked"], (mode, counted)


def test_concepts_are_causal(bench: Workbench) -> None:
    """Over 200 held-out questions whose answer names an object: the suggested set changes the name in at least 80%,
    as many random active latents in at most 10%."""
    rng = np.random.default_rng(0)
    changed = random_changed = asked = 0
    for scene in held_out(400, first=HELD_OUT_START + 60_000_000):
        questions = [q for q in all_questions(scene) if q.type in ("position", "category", "next") and q.answer in KINDS]
        if not questions or asked == 200:
            continue
        question = questions[scene.seed % len(questions)]
        found = bench.analyze(picture(scene), question.text)
        if found.run.answer not in KINDS:
            continue
        asked += 1
        pool = [latent for latent in found.codes.active() if latent not in found.suggested]
        sets = [found.suggested, rng.choice(pool, len(found.suggested), replace=False)]
        changes = [delta(bench.sae, found.codes, ablation(list(s)), found.run.grid, found.run.activations) for s in sets]
        forced = force(bench.vlm, found.prepared, found.run.answer_ids, bench.sae.layer, torch.from_numpy(np.stack(changes)))
        name_kept = forced.choices[:, 0] == found.run.answer_ids[0]
        changed += not name_kept[0]
        random_changed += not name_kept[1]
    assert asked == 200
    assert changed >= 160, f"the suggested set changed {changed} of 200 names"
    assert random_changed <= 20, f"random sets changed {random_changed} of 200 names"


def test_the_last_sae_keeps_its_promises() -> None:
    metrics = json.loads((DEFAULT_SAE / "metrics.json").read_text())
    assert metrics["l0"] <= 32
    assert metrics["variance_explained"] >= 0.90
    assert metrics["dead_share"] <= 0.10
    assert metrics["answers_unchanged"]["share"] >= 0.95
    assert metrics["kinds_at_0.95"] >= 0.95
