"""Activations harvested without a question are those of a run, for every family, alone and with others of like shape."""

from __future__ import annotations

import numpy as np
import pytest

from scratchpad.needle.datasets import cells_of
from scratchpad.sae.harvest import harvest_with_grids
from scratchpad.saliency.look import look
from scratchpad.saliency.methods import METHODS
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import run
from tests.vlm.tiny import NAMES, noise, vlm_of


@pytest.mark.parametrize("name", NAMES)
def test_harvested_activations_are_those_of_a_run(name: str) -> None:
    vlm = vlm_of(name)
    images = [noise((60, 150), 1), noise((60, 150), 2), noise((90, 60), 3)]
    for image, (rows, grid) in zip(images, harvest_with_grids(vlm, images, [vlm.read_point]), strict=True):
        prepared = prepare(vlm, image, "hi")
        seen = run(vlm, prepared, vlm.read_point, 1).activations
        assert grid.patches == len(seen)
        np.testing.assert_allclose(rows[vlm.read_point].numpy(), seen, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_every_saliency_method_runs_on_every_family(name: str) -> None:
    vlm = vlm_of(name)
    image = noise((60, 150), 1)
    cells = tuple((y, x, y + 30, x + 50) for y in (0, 30) for x in (0, 50, 100))
    grid = prepare(vlm, image, "hi").grid
    request = SaliencyRequest(image, "where is it", "it", cells, np.zeros(grid.image_tokens, int), max_new_tokens=2)
    seen = look(vlm, request, vlm.read_point)
    for method in METHODS:
        if method != "sae-attention":
            found = METHODS[method](seen)
            assert found.shape == (grid.image_tokens,), method
            assert np.isfinite(found).all(), method


@pytest.mark.parametrize("name", NAMES)
def test_tokens_have_boxes_inside_the_image(name: str) -> None:
    grid = prepare(vlm_of(name), noise((60, 150)), "hi").grid
    boxes = grid.token_boxes()
    shown = ~np.isnan(boxes[:, 0])
    assert (boxes[shown, :2] < boxes[shown, 2:]).all()
    assert cells_of(grid, (1, 1)) is None or (cells_of(grid, (1, 1))[shown] == 0).all()  # type: ignore[index]
