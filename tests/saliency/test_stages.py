"""The stages a picture goes through, for every family: what is shown is what the model was given."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from scratchpad.records.hookpoint import vision
from scratchpad.saliency.stages import of_answer, of_page
from scratchpad.vlm.pixels import shown
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.retrieval import page_inputs, page_of
from scratchpad.vlm.run import run
from tests.vlm.tiny import NAMES, RETRIEVERS, noise, retriever_of, vlm_of


@pytest.mark.parametrize("name", NAMES)
def test_stages_of_every_family(name: str) -> None:
    vlm, picture = vlm_of(name), noise((60, 150))
    prepared = prepare(vlm, picture, "?")
    stages = of_answer(vlm, [picture], prepared, run(vlm, prepared, vision(0), 2))
    assert [stage.title for stage in stages][:3] == ["The file", "As the encoder sees it", "Cut into patches"]
    assert len(stages) == 6
    assert "60 x 150 px" in stages[0].says
    assert f"{prepared.grid.patches} x {vlm.width}" in stages[3].says
    assert f"{prepared.grid.image_tokens} x " in stages[4].says
    for stage in stages[3:]:
        assert len(np.unique(np.asarray(stage.picture).reshape(-1, 3), axis=0)) > 3, stage.title


@pytest.mark.parametrize("name", NAMES)
def test_what_the_encoder_sees_is_the_picture(name: str) -> None:
    """Left is dark and right is bright, top is red and bottom is not, in the tile or tiles that show the whole."""
    h, w = 60, 150
    ramp = np.zeros((h, w, 3), np.uint8)
    ramp[..., 2] = np.linspace(20, 235, w)[None]
    ramp[..., 0] = np.linspace(235, 20, h)[:, None]
    vlm = vlm_of(name)
    prepared = prepare(vlm, Image.fromarray(ramp), "?")
    processor = vlm.processor.image_processor
    tiles = shown(prepared.inputs["pixel_values"], processor, prepared.grid.tiles, most=20)
    for picture, tile in zip(tiles, prepared.grid.tiles, strict=False):
        seen, (y0, x0, y1, x1) = np.asarray(picture, float), tile.box
        ys, xs = (a + (np.arange(n) + 0.5) / n * (b - a) for a, b, n in ((y0, y1, seen.shape[0]), (x0, x1, seen.shape[1])))
        inside = seen[(ys > 1) & (ys < h - 1)][:, (xs > 1) & (xs < w - 1)]  # where the processor pads there's nothing of the picture
        blue, red = inside[..., 2].mean(0), inside[..., 0].mean(1)
        assert np.corrcoef(blue, np.arange(len(blue)))[0, 1] > 0.9
        assert np.corrcoef(red, np.arange(len(red)))[0, 1] < -0.9


@pytest.mark.parametrize("name", NAMES)
def test_several_pictures_are_all_seen(name: str) -> None:
    """Each as bright as it is, in its own tiles."""
    vlm = vlm_of(name)
    pictures = [Image.new("RGB", size, (level,) * 3) for size, level in (((60, 60), 40), ((150, 60), 130), ((60, 90), 220))]
    prepared = prepare(vlm, pictures, "?")
    processor = vlm.processor.image_processor
    tiles = prepared.grid.tiles
    seen = shown(prepared.inputs["pixel_values"], processor, tiles, most=3 * len(tiles))
    assert len(seen) == len(tiles)
    for picture, tile in zip(seen, tiles, strict=True):
        level = (40, 130, 220)[tile.image]
        assert (abs(np.asarray(picture, float) - level) < 8).mean() > 0.2, (tile, np.asarray(picture).mean())
    assert len(shown(prepared.inputs["pixel_values"], processor, tiles, most=3)) == 3
    stages = of_answer(vlm, pictures, prepared, run(vlm, prepared, vision(0), 2))
    assert (stages[0].title, stages[0].says) == ("The files", "60 x 60, 60 x 150, 90 x 60 px")


@pytest.mark.parametrize("name", RETRIEVERS)
def test_stages_of_a_retrieval_model(name: str) -> None:
    retriever, picture = retriever_of(name), noise((60, 150))
    stages = of_page(retriever, picture, page_of(retriever, picture))
    _, grid = page_inputs(retriever, picture)
    assert [stage.title for stage in stages][3:] == ["Image tokens, going in", "Image tokens, coming out"]
    assert f"{grid.image_tokens} x 12" in stages[4].says
