"""What fires in a region and not elsewhere: by hand on a small grid, and where the scene's own thing stands."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from scratchpad.analysis.place import at_place
from scratchpad.errors import UserError
from scratchpad.grid import Grid, Tile, one_to_one
from scratchpad.records import Analysis, Codes
from scratchpad.workbench import Workbench
from tests.conftest import scene


def test_by_hand_on_two_pictures() -> None:
    """2 x 2 patches each; latent 7 fires in the first's top left, 8 all over it, 9 in the second alone."""
    tiles = tuple(Tile((0, 0, 20, 20), 2, 2, image) for image in (0, 1))
    grid = Grid(((20, 20), (20, 20)), tiles, one_to_one(8))
    values = np.array([[4, 1], [0, 1], [0, 1], [0, 1], [2, 0], [0, 0], [0, 0], [0, 0]], np.float32)
    indices = np.array([[7, 8]] * 4 + [[9, 7]] * 4, np.int32)
    codes = Codes("sae", 16, values, indices)
    assert at_place(codes, grid.places(), (0, 0, 10, 10)) == [(7, 4.0, 0.0), (8, 1.0, 1.0)]
    assert at_place(codes, grid.places(), (0, 0, 20, 10)) == [(7, 2.0, 0.0), (8, 1.0, 1.0)]
    assert at_place(codes, grid.places(), None, 1) == [(9, 0.5, 0.0)]
    assert at_place(codes, grid.places(), (10, 10, 20, 20), most=0) == []
    with pytest.raises(UserError, match="holds no patch"):
        at_place(codes, grid.places(), (30, 30, 40, 40))
    with pytest.raises(UserError, match="Image 2 was given"):
        at_place(codes, grid.places(), None, 2)


def test_a_question_s_picture_and_the_picture_alone_say_the_same(bench: Workbench, analysis: Analysis, scene_image: Image.Image) -> None:
    region = (0, 0, 112, 112)
    asked, alone = bench.in_region(analysis, region).latents, bench.at_place(scene_image, region).latents
    assert [row.id for row in asked] == [row.id for row in alone]
    np.testing.assert_allclose([row.inside for row in asked], [row.inside for row in alone], atol=1e-4)


def test_the_thing_that_stands_there_comes_first(bench: Workbench, analysis: Analysis) -> None:
    thing = max(scene().things, key=lambda each: each.extent)
    y0, x0, y1, x1 = thing.box
    first = bench.in_region(analysis, (y0, x0, y1, x1)).latents[:3]
    assert thing.name in {row.name for row in first}
