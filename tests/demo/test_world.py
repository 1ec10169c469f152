from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from scratchpad.demo.draw import draw_scene
from scratchpad.demo.questions import FAILURES, TYPES, all_questions
from scratchpad.demo.world import BACKGROUNDS, HELD_OUT_START, HOME, KINDS, MIN_GAP, MODES, TRAINING_SEEDS, WORDS, sample_scene

SEEDS = range(HELD_OUT_START, HELD_OUT_START + 150)


def test_the_world_is_as_large_as_promised() -> None:
    assert len(KINDS) >= 60
    assert len(BACKGROUNDS) >= 8
    assert len(WORDS) >= 12
    assert {"black", "white"} <= set(WORDS)
    assert TRAINING_SEEDS.stop <= 10**8 <= HELD_OUT_START
    assert len(TYPES) >= 8


@pytest.mark.parametrize("mode", MODES)
def test_ground_truth_holds(mode) -> None:
    for seed in SEEDS:
        scene = sample_scene(seed, mode)
        assert 1 <= len(scene.things) <= 4
        assert len({t.name for t in scene.things}) == len(scene.things)
        xs = [t.centre[1] for t in scene.things]
        assert xs == sorted(xs)
        assert all(b - a >= MIN_GAP for a, b in pairwise(xs))
        for t in scene.things:
            assert 40 <= t.extent <= 80
            assert min(t.box) >= 0
            assert max(t.box) <= 224
        away = [t.name for t in scene.things if t.name in HOME and HOME[t.name] != scene.background]
        assert bool(away) == (mode == "misleading")


def test_the_same_seed_gives_the_same_picture() -> None:
    a, b = (draw_scene(sample_scene(HELD_OUT_START)) for _ in range(2))
    np.testing.assert_array_equal(a.pixels, b.pixels)
    assert not np.array_equal(a.pixels, draw_scene(sample_scene(HELD_OUT_START + 1)).pixels)


def test_patch_labels_lie_in_the_boxes() -> None:
    for seed in SEEDS[:30]:
        scene = sample_scene(seed)
        drawn = draw_scene(scene)
        for i, (y0, x0, y1, x1) in enumerate(drawn.boxes):
            rows, cols = np.nonzero(drawn.labels == i)
            assert len(rows) > 0
            assert (rows * 16 + 16 > y0).all()
            assert (rows * 16 < y1).all()
            assert (cols * 16 + 16 > x0).all()
            assert (cols * 16 < x1).all()


def test_questions_are_consistent_with_the_scene() -> None:
    kinds = set()
    for seed in SEEDS:
        scene = sample_scene(seed)
        for q in all_questions(scene):
            kinds.add(q.type)
            if q.type == "exists":
                name = q.text.replace(" in the picture", "").split()[-1]
                assert (q.answer == "yes") == (name in scene), q
            if q.type == "sign":
                assert q.answer in {t.word for t in scene.things}
    assert set(TYPES) <= kinds <= {*TYPES, *FAILURES}


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        sample_scene(-1)


def test_a_missing_font_is_one_clear_sentence(monkeypatch) -> None:
    from scratchpad.draw import emoji

    monkeypatch.setenv("SCRATCHPAD_EMOJI_FONT", "/nowhere.ttf")
    emoji.font_path.cache_clear()
    with pytest.raises(emoji.FontMissingError, match="Noto Color Emoji"):
        emoji.font_path()
    emoji.font_path.cache_clear()
