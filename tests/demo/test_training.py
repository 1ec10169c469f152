"""The recipe's parts on small cases; nothing is trained here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.demo import looks
from scratchpad.demo.batches import LABELS, Batch, collate, drill
from scratchpad.demo.hints import COUNT, HINTS, LAST, MEANT, NAMED, READ, SIDES, THINGS, UNASKED, hints
from scratchpad.demo.model import build_model, build_processor
from scratchpad.demo.questions import NUMBERS, all_questions
from scratchpad.demo.symbols import directions, features, symbols
from scratchpad.demo.trainer import Trainer
from scratchpad.demo.world import SIGN, sample_scene

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
        assert len(by_word) == HINTS
        read = READ if SIGN in names else ()
        assert {word for word, hint in by_word.items() if hint.there} == {*names, *SIDES, *read}
        assert {MEANT[by_word[word].what] for word in read} <= {thing.word for thing in scene.things}
        assert {MEANT[by_word[word].what] for word in COUNT} == {NUMBERS[len(names)]}
        assert THINGS[by_word["leftmost"].what] == names[0]
        for i, name in enumerate(names):
            after = by_word[name].after
            assert (names[i + 1] if i + 1 < len(names) else "") == ("" if after == LAST else THINGS[after])
            assert by_word[name].what == UNASKED or THINGS[by_word[name].what] in set(names) - {name}


def test_shares_of_centres_sum_to_the_number_of_things(batch: Batch) -> None:
    counts = [len(scene.things) for scene in SCENES[:4]]
    assert len(set(counts)) > 1
    torch.testing.assert_close(batch.place[..., 5].sum(1), torch.tensor(counts, dtype=torch.float32))


def test_a_drill_shows_every_thing_it_asks_about(trainer: Trainer) -> None:
    drills = drill(0, 20, build_processor().tokenizer)
    for b in range(20):
        shown = {LABELS[i] for i in drills.labels[b].argmax(-1).tolist()}
        asked = [THINGS[i] for i in drills.hint_own[b].tolist() if i >= 0]
        assert len(asked) >= 2
        assert set(asked) <= shown | {SIGN}
        said = build_processor().tokenizer.decode(drills.targets[b][drills.targets[b] >= 0])
        assert all(name in said for name in asked if name != SIGN), f"{asked} are there, described is {said}"
    (where,) = {tuple(row.diff().sign().unique().tolist()) for row in drills.where}
    assert where == (1,), "patches are named once each, in order"


@torch.no_grad()
def test_what_a_head_is_told_to_look_at_is_measured_on_the_model_itself(trainer: Trainer, batch: Batch) -> None:
    """The attention that the losses ask for is that of the language model's own block."""
    seen = symbols(batch.labels, batch.place, batch.thing, trainer.names)
    layer, head = 1, 3
    attention: list[torch.Tensor] = []
    text = trainer.model.model.language_model
    text.set_attn_implementation("eager")
    handle = text.layers[layer].self_attn.register_forward_hook(lambda _m, _a, out: attention.append(out[1]))
    try:
        states, position = trainer.read(batch, seen)
    finally:
        handle.remove()
        text.set_attn_implementation("sdpa")
    prefix = states[0].shape[1] - batch.hint_ids.shape[1] - batch.ids.shape[1]
    ours = looks.attention(text, states[layer], position, batch, layer, head, slice(0, NAMED)).exp()
    own = attention[0][:, head, prefix : prefix + NAMED, :prefix]
    torch.testing.assert_close(ours, own / own.sum(-1, keepdim=True), atol=1e-4, rtol=1e-3)


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
