"""A map over its picture: colour lies where the patch is, at every size, in wide and tall pictures and among several."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from scratchpad.draw.colours import sequential
from scratchpad.draw.over import alone, overlay, resized, ruled
from scratchpad.grid import Grid, Tile, one_to_one, single_tile

WIDE = single_tile((20, 60), (0, 0, 20, 60), rows=2, cols=3)
TWO = Grid(((20, 60), (40, 20)), (Tile((0, 0, 20, 60), 1, 3, 0), Tile((0, 0, 40, 20), 2, 1, 1)), one_to_one(5))
BLACK = Image.new("RGB", (60, 20))
LOW = np.array([50, 50, 50])  # of a black picture, where the map is 0


def bright(value: float) -> np.ndarray:
    """What a pixel of a black picture becomes where the map is so strong."""
    share = np.clip(value, 0, 1) * 0.85
    return (LOW * (1 - share) + sequential(np.array(value)) * share).astype(np.uint8)


@pytest.mark.parametrize("side", [None, 30, 12])
def test_colour_lies_on_the_patch(side: int | None) -> None:
    values = np.array([0, 0, 0, 0, 0, 2.0], np.float32)  # second row, third column
    drawn = np.asarray(overlay(BLACK, WIDE, values, side=side))
    h, w = drawn.shape[:2]
    assert (h, w) == ((20, 60) if side is None else (side // 3, side))
    assert (drawn[h // 2 :, 2 * w // 3 :] == bright(1)).all()
    assert (drawn[: h // 2] == LOW).all()
    assert (drawn[:, : 2 * w // 3] == LOW).all()


def test_strength_is_of_the_top_that_is_given_or_of_the_largest_of_all_images() -> None:
    values = np.array([1.0, 0, 0, 0, 4.0], np.float32)
    first, second = BLACK, Image.new("RGB", (20, 40))
    assert (np.asarray(overlay(first, TWO, values))[0, 0] == bright(0.25)).all()
    assert (np.asarray(overlay(second, TWO, values, 1))[39, 0] == bright(1)).all()
    assert (np.asarray(overlay(second, TWO, values, 1))[0, 0] == LOW).all()
    assert (np.asarray(overlay(first, TWO, values, top=1.0))[0, 0] == bright(1)).all()


def test_a_map_of_nothing_is_the_grey_picture() -> None:
    assert (np.asarray(overlay(BLACK, WIDE, np.zeros(6, np.float32))) == LOW).all()


def test_values_of_another_grid_are_refused() -> None:
    with pytest.raises(AssertionError, match="5"):
        overlay(BLACK, WIDE, np.zeros(5, np.float32))


def test_alone_is_the_map_in_colours() -> None:
    drawn = np.asarray(alone(TWO, np.array([0, 0.5, 1, 0, 0], np.float32), 0, 30))
    assert drawn.shape == (10, 30, 3)
    for col, value in ((0, 0.0), (15, 0.5), (29, 1.0)):
        assert (drawn[5, col] == sequential(np.array(value)).round().astype(np.uint8)).all()


def test_borders_are_those_of_the_patches_of_that_image() -> None:
    drawn = np.asarray(ruled(BLACK, TWO, 0, 60)).sum(-1)
    assert (drawn[10, [20, 40]] > 0).all()
    assert (drawn[10, [5, 30, 50]] == 0).all()
    assert np.asarray(ruled(Image.new("RGB", (20, 40)), TWO, 1, 40)).sum(-1)[20, 10] > 0


def test_resized_goes_both_ways() -> None:
    assert resized(BLACK, 30).size == (30, 10)
    assert resized(BLACK, 120).size == (120, 40)
