"""Tile boxes are measured, so what is measured is checked against boxes worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.grid import kept_box
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.ramps import ramp, tile_of
from tests.vlm import tiny


def tile(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()


def test_a_whole_picture() -> None:
    assert tile_of(tile(ramp((90, 160))), [(90, 160)]) == ((0, 0, 90, 160), 0)


def test_a_crop_of_a_resized_picture() -> None:
    picture = ramp((300, 500)).resize((250, 150), Image.Resampling.BICUBIC).crop((100, 20, 200, 120))
    found = tile_of(tile(picture), [(300, 500)])
    assert found is not None
    np.testing.assert_allclose(found[0], (40, 200, 240, 400), atol=0.5)


def test_padding_reaches_beyond_the_image() -> None:
    picture = Image.new("RGB", (160, 160), (0, 0, 0))
    picture.paste(ramp((80, 160)), (0, 40))
    found = tile_of(tile(picture), [(80, 160)])
    assert found is not None
    np.testing.assert_allclose(found[0], (-40, 0, 120, 160), atol=0.5)


def test_each_tile_knows_its_image_and_padding_has_none() -> None:
    sizes = [(64, 64)] * 10
    for i in range(10):
        found = tile_of(tile(ramp((64, 64), i)), sizes)
        assert found is not None
        assert found[1] == i
    for grey in (0, 124, 127):
        assert tile_of(torch.full((3, 28, 28), float(grey)), sizes) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (7, 300)])
@pytest.mark.parametrize("name", ["llava_next", "idefics3", "gemma3", "internvl"])
def test_slivers_keep_their_boxes_inside(name: str, size: tuple[int, int]) -> None:
    picture = Image.new("RGB", (size[1], size[0]), (200, 30, 90))
    grid = prepare(tiny.FAMILIES[name](), picture, "?").grid
    y0, x0, y1, x1 = grid.tiles[-1 if name in ("idefics3", "internvl") else 0].box
    np.testing.assert_allclose((y0, x0, y1, x1), (0, 0, *size), atol=0.5)


def test_llavas_centre_crop_is_the_formula() -> None:
    size = (211, 480)
    grid = prepare(tiny.llava(), Image.new("RGB", (size[1], size[0])), "?").grid
    resized = (28, int(28 * size[1] / size[0]))
    np.testing.assert_allclose(grid.tiles[0].box, kept_box(size, resized, (28, 28)), atol=0.01 * max(size))
