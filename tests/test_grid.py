"""Geometry on cases small enough to check by hand; wide and tall, so that rows and columns can't swap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from scratchpad.grid import Grid, Tile, kept_box, merged, single_tile

WIDE = single_tile((20, 60), (0, 0, 20, 60), rows=2, cols=3)


def test_patch_boxes_are_row_major() -> None:
    assert WIDE.patch_boxes().tolist() == [
        [0, 0, 10, 20],
        [0, 20, 10, 40],
        [0, 40, 10, 60],
        [10, 0, 20, 20],
        [10, 20, 20, 40],
        [10, 40, 20, 60],
    ]


def test_picture_paints_each_patch_on_its_own_pixels() -> None:
    out = WIDE.picture(np.arange(6, dtype=np.float32))
    assert out.shape == (20, 60)
    assert out[0, 0] == 0
    assert out[0, 59] == 2
    assert out[19, 0] == 3
    assert out[19, 25] == 4


def test_patches_in_a_region() -> None:
    assert np.flatnonzero(WIDE.patches_in((0, 20, 20, 40))).tolist() == [1, 4]
    assert not WIDE.patches_in((0, 0, 2, 2)).any()


def test_merged_tokens_share_their_weight() -> None:
    merge = sparse.csr_matrix(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], np.float32))
    grid = Grid(((10, 10),), (Tile((0, 0, 10, 10), 2, 2),), merge)
    assert grid.to_patches(np.array([1.0, 3.0])).tolist() == [0.5, 0.5, 1.5, 1.5]


def test_tiles_split_in_order() -> None:
    grid = Grid(((10, 20),), (Tile((0, 0, 10, 10), 1, 1), Tile((0, 10, 10, 20), 1, 2)), sparse.identity(3, format="csr"))
    assert [part.tolist() for part in grid.split(np.array([7.0, 8.0, 9.0]))] == [[[7.0]], [[8.0, 9.0]]]


@pytest.mark.parametrize(
    ("size", "resized", "crop", "box"),
    [
        ((100, 200), (224, 448), (224, 224), (0, 50, 100, 150)),  # wide: the sides go
        ((200, 100), (448, 224), (224, 224), (50, 0, 150, 100)),  # tall: top and bottom go
        ((100, 200), (224, 224), None, (0, 0, 100, 200)),
    ],
)
def test_centre_crop_in_original_pixels(size, resized, crop, box) -> None:
    assert kept_box(size, resized, crop) == pytest.approx(box)


def test_a_matrix_that_does_not_sum_to_one_is_refused() -> None:
    with pytest.raises(AssertionError, match="sum"):
        Grid(((10, 10),), (Tile((0, 0, 10, 10), 1, 2),), sparse.csr_matrix(np.array([[0.5, 0.7]])))


MERGED = Grid(((20, 40),), (Tile((0, 0, 20, 40), 2, 4),), merged(2, 4, 2))  # two tokens of 2 x 2 patches
# one patch is part of two tokens, the last of none; the third token is made of nothing
BLURRED = Grid(
    ((10, 40),),
    (Tile((0, 0, 10, 40), 1, 4),),
    sparse.csr_matrix(np.array([[0.5, 0.5, 0, 0], [0, 0.25, 0.75, 0], [0, 0, 0, 0]], np.float32)),
)


def test_a_patch_has_the_value_of_its_token() -> None:
    assert MERGED.token_values_to_patches(np.array([2.0, 5.0])).tolist() == [2, 2, 5, 5] * 2
    assert MERGED.to_patches(np.array([2.0, 5.0])).tolist() == [0.5, 0.5, 1.25, 1.25] * 2  # shared out, in place of had


def test_a_patch_of_several_tokens_has_their_weighted_mean_and_one_of_none_has_nothing() -> None:
    rows = BLURRED.token_values_to_patches(np.array([[3.0, 6.0, 9.0], [1.0, 1.0, 1.0]]))
    np.testing.assert_allclose(rows, [[3, (0.5 * 3 + 0.25 * 6) / 0.75, 6, 0], [1, 1, 1, 0]])


def test_a_token_has_the_mean_of_its_patches() -> None:
    np.testing.assert_allclose(BLURRED.patch_values_to_tokens(np.array([1.0, 3.0, 7.0, 100.0])), [2, 6, 0])


def test_token_boxes_hold_their_patches() -> None:
    assert MERGED.token_boxes().tolist() == [[0, 0, 20, 20], [0, 20, 20, 40]]
    boxes = BLURRED.token_boxes()
    assert boxes[:2].tolist() == [[0, 0, 10, 20], [0, 10, 10, 30]]
    assert np.isnan(boxes[2]).all()
