"""ATTENTION: every head's map beside its share of the picture, a layer range, and the way back; numbers are the workbench's."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from scratchpad.records import Analysis
from scratchpad.ui.app import GALLERY, OPENING
from scratchpad.workbench import Workbench
from tests.ui.conftest import settled

pytestmark = pytest.mark.browser
MAP = ".sp-map canvas"


@pytest.fixture(scope="module")
def opening(bench: Workbench) -> Analysis:
    """What the page opens on."""
    return bench.analyze(GALLERY / OPENING, "What is the background?")


@pytest.fixture
def heads(page: Page) -> Page:
    page.locator("#sp-tab-attention").click()
    expect(page.locator(".sp-cell")).to_have_count(48)
    return page


def test_each_cell_says_its_share_and_shows_its_map(heads: Page, bench: Workbench, opening: Analysis) -> None:
    token = heads.evaluate("Scratchpad.state.token")
    seen = bench.attention_by_head(opening, token)
    np.testing.assert_allclose(heads.evaluate("[...Scratchpad.state.heads.shares]"), seen.shares.ravel(), atol=1e-4)
    maps = set()
    for layer, head in ((4, 2), (4, 4), (2, 7)):
        before = heads.locator(MAP).get_attribute("data-painted")
        heads.locator(f'[data-layer="{layer}"][data-head="{head}"]').click()
        heads.mouse.move(2, 2)
        expect(heads.locator(MAP)).not_to_have_attribute("data-painted", before or "")
        expect(heads.locator(".sp-what")).to_contain_text(f"layer {layer}, head {head}: {seen.shares[layer, head]:.0%}")
        shown = heads.evaluate("[...Scratchpad.heads.headMap(Scratchpad.state.heads, Scratchpad.state.cells).values]")
        exact = bench.head_map(opening, token, [layer], [head]).values
        np.testing.assert_allclose(shown, exact, atol=float(exact.max()) / 100)
        maps.add(heads.locator(MAP).evaluate("c => c.toDataURL()"))
    assert len(maps) == 3


def test_a_layer_range_and_back_to_all(heads: Page, bench: Workbench, opening: Analysis) -> None:
    whole = heads.locator(MAP).evaluate("c => c.toDataURL()")
    heads.locator('[data-heads="first layer"]').select_option("3")
    expect(heads.locator(".sp-what")).to_contain_text("layers 3–5, all heads")
    expect(heads.locator('.sp-cell[aria-pressed="true"]')).to_have_count(24)
    shown = heads.evaluate("[...Scratchpad.heads.headMap(Scratchpad.state.heads, Scratchpad.state.cells).values]")
    exact = bench.head_map(opening, heads.evaluate("Scratchpad.state.token"), range(3, 6)).values
    np.testing.assert_allclose(shown, exact, atol=float(exact.max()) / 100)
    assert heads.locator(MAP).evaluate("c => c.toDataURL()") != whole
    heads.locator(".sp-what [data-all-heads]").click()
    expect(heads.locator(".sp-what [data-all-heads]")).to_have_count(0)
    heads.wait_for_function("(url) => document.querySelector('.sp-map canvas').toDataURL() === url", arg=whole)


@pytest.mark.slow
def test_another_word_has_its_own_heads_and_the_keyboard_reaches_every_cell(heads: Page) -> None:
    before = heads.evaluate("[...Scratchpad.state.heads.shares]")
    heads.locator("#sp-look .sp-token.sp-prompt").last.click()
    heads.wait_for_function("Scratchpad.state.heads && Scratchpad.state.heads.token === Scratchpad.state.token")
    settled(heads, "heads")
    assert heads.evaluate("[...Scratchpad.state.heads.shares]") != before
    heads.locator('.sp-cell[tabindex="0"]').focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        heads.keyboard.press(key)
    expect(heads.locator(".sp-what")).to_contain_text("layer 2, head 1")
    heads.keyboard.press("Enter")
    assert heads.evaluate("Scratchpad.state.cells") == {"layers": [2, 2], "head": 1}
    heads.locator("#sp-tab-concepts").click()
    heads.locator("#sp-concepts .sp-card .sp-name").first.click()
    expect(heads.locator(".sp-what")).to_contain_text("fires")


@pytest.mark.slow
def test_concepts_are_ranked_by_the_heads_on_show(heads: Page, bench: Workbench) -> None:
    heads.locator('[data-layer="4"][data-head="4"]').click()
    heads.locator("[data-rank]").click()
    settled(heads, "ask")
    own = bench.analyze(GALLERY / OPENING, "What is the background?", attention_layers=[4], attention_heads=[4])
    assert heads.evaluate("Scratchpad.state.analysis.ranked.slice(0, 8).map((l) => l.id)") == [row.id for row in own.latents[:8]]
    assert heads.evaluate("Scratchpad.state.analysis.settings") == {"attention_layers": [4], "attention_heads": [4]} | heads.evaluate(
        "Scratchpad.state.analysis.settings"
    )
