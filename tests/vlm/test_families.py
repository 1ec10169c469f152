"""Every family on a tiny random model of its true classes: geometry, capture, edits (invariants 1, 2 and 3)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import scratchpad.vlm.loaded
from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.records.hookpoint import vision
from scratchpad.vlm.adapter import Adapter, Layout, Shown
from scratchpad.vlm.attention import instead
from scratchpad.vlm.check import check, embeddings
from scratchpad.vlm.forcing import force
from scratchpad.vlm.hooks import adding
from scratchpad.vlm.jacobian import pattern
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.points import recording_at, rows_of
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.retrieval import page_inputs
from scratchpad.vlm.run import generate, run
from tests.vlm import tiny
from tests.vlm.tiny import NAMES, noise, prepared_of, vlm_of

PLAIN = {"paligemma2": "eager"}  # whose capped scores SDPA can't do
SIZES = [(60, 150), (150, 60), (97, 101)]  # wide, tall, nearly square


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_declared_geometry_is_the_jacobian(name: str, size: tuple[int, int]) -> None:
    vlm = vlm_of(name)
    found = check(vlm, prepared_of(vlm, size), most=10_000)
    assert found.tokens == found.of
    assert found.holds, f"image tokens {found.wrong[:10]} are made of other patches than declared"


@pytest.mark.parametrize("size", SIZES[:2])
@pytest.mark.parametrize("name", NAMES)
def test_a_planted_square_moves_the_declared_patches(name: str, size: tuple[int, int]) -> None:
    """Rows and columns, tiles and windows can't be swapped: the patch that moves most lies on the square."""
    vlm, (h, w) = vlm_of(name), size
    y, x = int(0.7 * h), int(0.2 * w)
    plain = Image.new("RGB", (w, h), (90, 90, 90))
    planted = plain.copy()
    planted.paste((255, 255, 255), (x, y, x + w // 10, y + h // 10))
    with torch.no_grad():
        a, b = (_after_block(vlm, prepare(vlm, image, "?"), 0) for image in (plain, planted))
    moved = (a - b).norm(dim=1).numpy()
    grid = prepare(vlm, plain, "?").grid
    y0, x0, y1, x1 = grid.patch_boxes()[int(moved.argmax())]
    assert y0 - 1 <= y + h // 10, (y0, y)
    assert y1 + 1 >= y, (y1, y)
    assert x0 - 1 <= x + w // 10, (x0, x)
    assert x1 + 1 >= x, (x1, x)


def _after_block(vlm: Vlm, prepared: Prepared, layer: int, change: torch.Tensor | None = None) -> torch.Tensor:
    """What the reader of a block sees: recording is placed first and so runs after the change."""
    at = vision(layer)
    with recording_at(vlm, at, prepared.image_positions) as seen, adding(vlm.block(at), vlm.leading, change, prepared.order):
        embeddings(vlm, prepared)
    return rows_of(seen, at, prepared, 1).float()


@pytest.mark.parametrize("name", NAMES)
def test_attention_equals_eager(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    found = run(vlm, prepared, vision(0), max_new_tokens=6)
    with instead(vlm.model, "eager"), torch.no_grad():
        how = {"do_sample": False, "output_attentions": True, "return_dict_in_generate": True}
        out = vlm.model.generate(**prepared.inputs, max_new_tokens=6, **how)
    columns = prepared.image_positions
    for step, layers in enumerate(out.attentions):
        start = 0 if step == 0 else prepared.length + step - 1
        for y, layer in enumerate(layers):
            rows = layer[0].mean(0).numpy()  # q s
            first = prepared.length + step - rows.shape[1]  # of the keys a sliding window still has
            for i, position in enumerate(found.queries):
                if start <= position < start + len(rows):
                    expected = [rows[position - start, c - first] if c >= first else 0 for c in columns]
                    np.testing.assert_allclose(found.attention[i, y], expected, atol=1e-5)
    assert found.attention.max() > 1e-3
    assert len(out.attentions) == 6


@pytest.mark.parametrize("name", NAMES)
def test_captured_run_says_what_plain_generate_says(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    captured = run(vlm, prepared, vision(0), max_new_tokens=8)
    with instead(vlm.model, PLAIN.get(name, "sdpa")):
        plain = vlm.model.generate(**prepared.inputs, max_new_tokens=8, do_sample=False)
    assert tuple(plain[0, prepared.length :].tolist()) == captured.answer_ids


@pytest.mark.parametrize("name", NAMES)
def test_edits_reach_the_language_model_at_every_layer_it_reads_through(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    with torch.no_grad():
        plain = embeddings(vlm, prepared)
        for layer in range(vlm.read_layer + 1):
            delta = torch.zeros(1, prepared.grid.patches, vlm.width)
            delta[0, 5] = 3.0
            with adding(vlm.block(vision(layer)), vlm.leading, delta, prepared.order):
                assert not torch.equal(embeddings(vlm, prepared), plain), f"an edit at layer {layer} does nothing"
        assert torch.equal(embeddings(vlm, prepared), plain)
    for layer in range(vlm.read_layer + 1, len(vlm.blocks)):
        with pytest.raises(UserError, match=f"reads layer {vlm.read_layer}"):
            vlm.block(vision(layer))


@pytest.mark.parametrize("name", NAMES)
def test_activations_and_edits_share_the_grids_order(name: str) -> None:
    """Adding a change and reading the same block gives the change back, patch by patch."""
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    change = torch.randn(1, prepared.grid.patches, vlm.width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = _after_block(vlm, prepared, vlm.read_layer)
        torch.testing.assert_close(_after_block(vlm, prepared, vlm.read_layer, change) - plain, change[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_counterfactuals_in_a_batch_equal_single_ones(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    ids = generate(vlm, prepared, 4).ids
    deltas = torch.randn(3, prepared.grid.patches, vlm.width, generator=torch.Generator().manual_seed(0))
    together = force(vlm, prepared, ids, vlm.read_point, deltas)
    alone = [force(vlm, prepared, ids, vlm.read_point, delta[None]).logprobs[0] for delta in deltas]
    np.testing.assert_allclose(together.logprobs, alone, atol=1e-4)
    assert np.ptp(together.logprobs, 0).max() > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_several_images_among_text_have_each_their_own_grid(name: str) -> None:
    vlm = vlm_of(name)
    images = [noise((60, 150), 1), noise((120, 70), 2)]
    prompt = "Before <image> between <image> after"
    if name == "paligemma":  # its text begins after the last image
        prompt = "<image><image> after"
    prepared = prepare(vlm, images, prompt)
    assert {tile.image for tile in prepared.grid.tiles} == {0, 1}
    assert check(vlm, prepared, most=10_000).holds
    said = "".join(token.text for token in prepared.tokens if token.role == "prompt")
    assert said == prompt.replace(" <image> ", "").replace("<image>", "").strip()
    alone = prepare(vlm, images[1], "?")
    second = [tile for tile in prepared.grid.tiles if tile.image == 1]
    if name != "llava_onevision":  # which gives up tiling when there are several
        assert [t.box for t in second] == [t.box for t in alone.grid.tiles]
    generate(vlm, prepared, 2)


def test_deepstack_reads_earlier_blocks_too() -> None:
    vlm = vlm_of("qwen3_vl")
    assert vlm.adapter.read_layers == (0, 2, 3)
    prepared = prepared_of(vlm)
    rows = pattern(vlm.adapter, prepared.inputs, prepared.image_positions, [4], prepared.grid.patches, 2, prepared.order)
    declared = prepared.grid.token_patches[4].toarray()[0] != 0
    assert rows[0][declared].all()


def test_large_mosaics_of_onevision_are_shrunk_in_the_map_too() -> None:
    vlm = vlm_of("llava_onevision")
    grid = prepared_of(vlm).grid
    weights = grid.token_patches.toarray()
    assert ((weights > 0).sum(1) > 1).any(), "no image token was made of several patches"
    assert np.allclose(weights.sum(1)[weights.any(1)], 1, atol=1e-5)


def test_gemma_crops_have_their_own_boxes() -> None:
    vlm = tiny.gemma3(crops=True)
    grid = prepare(vlm, noise((60, 150)), "?").grid
    thirds = [(0, 0, 60, 50), (0, 50, 60, 100), (0, 100, 60, 150)]
    np.testing.assert_allclose([t.box for t in grid.tiles], [(0, 0, 60, 150), *thirds], atol=0.6)


@pytest.mark.parametrize("name", ["llava", "colpali"])
def test_geometry_is_measured_once_a_size_and_remembered_within_bounds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of both kinds of model: the sizes used last are those that stay."""
    loaded = tiny.FAMILIES[name]() if name in tiny.FAMILIES else tiny.RETRIEVERS[name]()
    measured: list[tuple[int, int]] = []
    measure = type(loaded.adapter).layout

    def counted(adapter: Adapter, shown: Shown) -> Layout:
        measured.extend(shown.sizes)
        return measure(adapter, shown)

    def see(h: int, w: int) -> Grid:
        return prepare(loaded, noise((h, w)), "?").grid if isinstance(loaded, Vlm) else page_inputs(loaded, noise((h, w)))[1]

    monkeypatch.setattr(type(loaded.adapter), "layout", counted)
    monkeypatch.setattr(scratchpad.vlm.loaded, "MAX_LAYOUTS", 2)
    first = see(30, 40)
    assert see(30, 40) is first
    see(40, 30)
    see(30, 40)
    see(50, 50)  # one too many: (40, 30) was used longest ago
    assert len(loaded.layouts) == 2
    see(30, 40)
    assert measured == [(30, 40), (40, 30), (50, 50)]
    see(40, 30)
    assert measured[3:] == [(40, 30)]
