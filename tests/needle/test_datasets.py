from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scratchpad.demo.world import KINDS
from scratchpad.errors import UserError
from scratchpad.needle.datasets import DATASETS, Haystack, aligned, cells_of, check_letters, draw, every_position
from scratchpad.needle.own import own_size
from scratchpad.needle.subject import Answering
from scratchpad.needle.symbols import SYMBOLS, needle_of, others
from scratchpad.workbench import Workbench

BASE = Haystack("patch", (3, 4), (192, 320), None)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_same_seed_gives_the_same_bytes_and_the_needle_changes_its_cell_alone(dataset: str) -> None:
    base = replace(BASE, dataset=dataset, seed=3, needle="dog" if dataset == "symbols" else "Black")
    none = np.asarray(draw(base))
    for stack in every_position(base):
        drawn = np.asarray(draw(stack))
        assert drawn.tobytes() == np.asarray(draw(stack)).tobytes()
        y0, x0, y1, x1 = stack.box(stack.at)  # type: ignore[arg-type]
        changed = np.argwhere((drawn != none).any(-1))
        assert len(changed)
        assert (changed.min(0) >= (y0, x0)).all()
        assert (changed.max(0) < (y1, x1)).all()
    if dataset != "patch":
        assert np.asarray(draw(replace(base, seed=4))).tobytes() != none.tobytes() or dataset == "single-word"


def test_in_running_text_the_needle_is_not_found_by_its_ink() -> None:
    """Whoever looks for the cell with least or most ink finds it hardly more often than by chance."""
    found = {"least": 0, "most": 0}
    for stack in every_position(Haystack("text", (7, 7), (224, 224), None)):
        ink = 255.0 - np.asarray(draw(stack).convert("L")).reshape(7, 32, 7, 32).mean((1, 3))
        assert stack.at is not None
        found["least"] += ink[stack.at] == ink.min()
        found["most"] += ink[stack.at] == ink.max()
    assert max(found.values()) <= 5, found


def test_a_small_needle_is_smaller() -> None:
    ink = lambda s: int((np.asarray(draw(s)) < 128).sum())  # noqa: E731
    for dataset in ("patch", "single-word"):
        whole = replace(BASE, dataset=dataset, at=(1, 1))
        assert ink(replace(whole, small=True)) < 0.6 * ink(whole)


def test_bad_input_is_a_sentence() -> None:
    with pytest.raises(UserError, match="too long for a cell"):
        draw(replace(BASE, dataset="single-word", at=(0, 0), needle="Donaudampfschifffahrtsgesellschaft"))
    with pytest.raises(UserError, match="patch, single-word"):
        draw(replace(BASE, dataset="needles"))
    with pytest.raises(UserError, match="was not found"):
        draw(replace(BASE, dataset="single-word", at=(0, 0), font="nowhere.ttf"))
    with pytest.raises(UserError, match="has no letter"):
        check_letters("黒", None)


def test_cells_lie_on_whole_tokens_of_the_demo(bench: Workbench) -> None:
    size = own_size(Answering(bench.vlm), (7, 7))
    assert size == (224, 224)
    cell_of = aligned(Answering(bench.vlm).grid(size), (7, 7), "demo").reshape(14, 14)
    assert np.array_equal(cell_of, np.arange(49).reshape(7, 7).repeat(2, 0).repeat(2, 1))
    assert cells_of(Answering(bench.vlm).grid(size), (7, 2)) is not None
    with pytest.raises(UserError, match="nearest that fit are 7x7"):
        own_size(Answering(bench.vlm), (6, 6))


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UserError, match="The seed -1 was given"):
        draw(Haystack("patch", (2, 2), (28, 28), None, "Black", "White", seed=-1))


def test_symbols_are_of_the_demos_own_world_and_asked_for_by_name() -> None:
    assert all(KINDS[name][1] == character for name, character in SYMBOLS.items())
    assert needle_of("Key", 0) == "key"
    assert {needle_of("Black", seed) for seed in range(20)} <= set(SYMBOLS)
    assert len({needle_of("Black", seed) for seed in range(20)}) > 5
    placed = others("dog", (7, 7), np.random.default_rng(0))
    assert len(placed) == 3
    assert "dog" not in placed.values()
    with pytest.raises(UserError, match="expected one of dog"):
        draw(replace(BASE, dataset="symbols", at=(0, 0), needle="unicorn"))
