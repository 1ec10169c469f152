"""The recipe's parts on small cases; nothing is trained here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.demo.batches import LABELS, Batch, collate
from scratchpad.demo.hints import LAST, NAMED, SIDES, THINGS, UNASKED, hints
from scratchpad.demo.model import build_model, build_processor
from scratchpad.demo.questions import all_questions
from scratchpad.demo.symbols import directions, features, symbols
from scratchpad.demo.trainer import Trainer
from scratchpad.demo.world import sample_scene

SCENES = [sample_scene(seed) for seed in range(60)]


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    processor = build_processor()
    return Trainer(build_model(processor), processor).eval()


@pytest.fixture(scope="module")
def batch() -> Batch:
    return collate(SCENES[:4], [all_questions(scene) for scene in SCENES[:4]], build_processor().tokenizer)


def test_where_a_hint_stands_does_not_tell_whether_its_thing_is_there() -> None:
    rng = np.random.default_rng(0)
    there = np.array([[hint.there for hint in hints(scene, rng)[:NAMED]] for scene in SCENES * 5])
    assert np.ptp(there.mean(0)) < 0.15, there.mean(0)


def test_hints_tell_the_truth() -> None:
    rng = np.random.default_rng(0)
    for scene in SCENES:
        by_word = {hint.word: hint for hint in hints(scene, rng)}
        names = [thing.name for thing in scene.things]
        assert {word for word, hint in by_word.items() if hint.there} == {*names, *SIDES}
        assert THINGS[by_word["leftmost"].what] == names[0]
        for i, name in enumerate(names):
            after = by_word[name].after
            assert (names[i + 1] if i + 1 < len(names) else "") == ("" if after == LAST else THINGS[after])
            assert by_word[name].what == UNASKED or THINGS[by_word[name].what] in set(names) - {name}


def test_symbols_can_be_read_back(trainer: Trainer, batch: Batch) -> None:
    meant = symbols(batch.labels, batch.place, batch.thing, trainer.names)
    said = (meant @ trainer.names.T).argmax(-1)
    right = batch.labels.gather(-1, said[..., None])[..., 0] > 0
    assert right.float().mean() > 0.99, f"{len(LABELS)} labels"
    places = (meant - batch.labels @ trainer.names) @ directions(meant.shape[-1]).T / 0.25
    torch.testing.assert_close(places, features(batch.place, batch.thing), atol=1e-4, rtol=0)


def test_places_start_as_loud_as_patches(trainer: Trainer, batch: Batch) -> None:
    """Otherwise the encoder never learns where anything is (see `model._place_patches`)."""
    tower = trainer.model.model.vision_tower.embeddings
    places, patches = tower.position_embedding.weight[1:], tower.patch_embedding(batch.pixels)
    assert places.std() > patches.std() / 3
    assert (torch.pdist(places) > 0.5).all()


@torch.no_grad()
def test_packed_questions_are_answered_as_if_alone(trainer: Trainer, batch: Batch) -> None:
    seen = symbols(batch.labels, batch.place, batch.thing, trainer.names)
    together = trainer.answer_logits(batch, seen)
    tokenizer = build_processor().tokenizer
    for row, scene in enumerate(SCENES[:4]):
        question = all_questions(scene)[-1]
        alone = collate([scene], [[question]], tokenizer)
        last = int(batch.segment[row].max())
        expected = trainer.answer_logits(alone, seen[row : row + 1])[0]
        torch.testing.assert_close(together[row][batch.segment[row] == last], expected, atol=1e-4, rtol=1e-4)
