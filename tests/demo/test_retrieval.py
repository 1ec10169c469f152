"""The demo retrieval model: its recipe's queries are true of their scenes, a step learns, the card says what is so."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from scratchpad.demo.colpali import build_model, build_processor, spread_of, start_from
from scratchpad.demo.evaluate import held_out
from scratchpad.demo.retrieval import PARTIAL, Retriever, content, description, pairs, partial
from scratchpad.demo.retrieval_card import evaluate
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.vlm.load import load_vlm
from scratchpad.vlm.retrieval import load_retriever, page_of, query_of, similarity
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_RETRIEVER


def test_queries_are_true_of_the_scenes_marked_right() -> None:
    scenes = list(held_out(40, first=HELD_OUT_START + 71_000_000))
    batch = pairs(scenes, np.random.default_rng(0))
    assert batch.right.shape == ((1 + PARTIAL) * 40, 40)
    for n, scene in enumerate(scenes):
        assert batch.queries[n] == description(scene)
        assert bool(batch.right[n, n])
        text, named = partial(scene, np.random.default_rng(n))
        assert named <= content(scene)
        assert all(name in text for name in named)


def test_a_step_goes_downhill_from_the_demos_encoder() -> None:
    processor = build_processor()
    model = build_model(processor)
    assert sum(p.numel() for p in model.parameters()) <= 10_000_000
    batch = pairs(list(held_out(6, first=HELD_OUT_START + 72_000_000)), np.random.default_rng(0))
    demo = load_vlm(DEFAULT_MODEL).model
    start_from(model, demo, spread_of(demo, batch.pixels))  # type: ignore[arg-type]
    trainer = Retriever(model, processor)
    optimizer = torch.optim.AdamW(trainer.parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        loss, _ = trainer.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_it_finds_scenes_as_often_as_the_card_says() -> None:
    said = json.loads((DEFAULT_RETRIEVER / "evaluation.json").read_text())
    found = evaluate(DEFAULT_RETRIEVER, rounds=1)
    assert found["right"][0] == said["right"][0]
    assert found["right"][0] >= 80


def test_its_map_of_a_thing_is_highest_on_the_thing() -> None:
    retriever = load_retriever(DEFAULT_RETRIEVER)
    hits = asked = 0
    from scratchpad.demo.evaluate import picture

    for scene in held_out(10, first=HELD_OUT_START + 73_000_000):
        page = page_of(retriever, picture(scene))
        for thing in scene.things:
            query = query_of(retriever, thing.name)
            best = int(similarity(query, page)[query.own].mean(0).argmax())
            y0, x0, y1, x1 = page.grid.patch_boxes()[best]
            box = thing.box
            hits += y1 > box[0] and y0 < box[2] and x1 > box[1] and x0 < box[3]
            asked += 1
    assert hits > 0.8 * asked, (hits, asked)
