"""CLUSTERS and the SAE's scatter: whole groups of latents are chosen and tested with one click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scratchpad.ui.app import GALLERY, OPENING
from scratchpad.workbench import Workbench
from tests.ui.conftest import settled

pytestmark = pytest.mark.browser
EDITED = "[...new Set(Scratchpad.state.runs.at(-1).test.comparison.edit.items.map((item) => item.latent))]"


def test_the_tree_is_the_workbench_s_and_a_cluster_is_tested_with_one_click(page: Page, bench: Workbench) -> None:
    analysis = bench.analyze(GALLERY / OPENING, "What is the background?")
    page.locator("#sp-tab-clusters").click()
    for by, cut in (("tokens", 0.5), ("decoder", 0.7)):
        page.locator(f"[data-likeness={by}]").click()
        page.wait_for_function("(by) => Scratchpad.state.tree && Scratchpad.state.tree.by === by", arg=by)
        settled(page, "tree")
        clusters = [cluster for cluster in bench.tree(analysis, by).clusters(cut) if len(cluster) > 1]
        shown = [
            tuple(map(int, (button.get_attribute("data-group-put") or "").split(","))) for button in page.locator("[data-group-put]").all()
        ]
        assert sorted(map(sorted, shown)) == sorted(map(sorted, clusters))
    runs = page.evaluate("Scratchpad.state.runs.length")
    page.locator("[data-group-test]").first.click()
    settled(page, "test", 90_000)
    assert page.evaluate("Scratchpad.state.runs.length") == runs + 1
    assert sorted(page.evaluate(EDITED)) == sorted(shown[0])
    expect(page.locator("#sp-test .sp-kind")).to_be_visible()


@pytest.mark.slow
def test_the_cut_says_what_is_one_cluster_and_a_branch_goes_into_the_test(page: Page) -> None:
    page.evaluate("Scratchpad.clear()")
    page.locator("#sp-tab-clusters").click()
    leaves = page.locator("[data-leaf]")
    expect(leaves).to_have_count(page.evaluate("Scratchpad.state.analysis.heatmap.latents.length"))
    cut = page.locator("[data-cut]")
    cut.evaluate("e => { e.value = 0; e.dispatchEvent(new Event('input', { bubbles: true })) }")
    expect(page.locator("[data-group-put]")).to_have_count(0)
    cut.evaluate("e => { e.value = e.max; e.dispatchEvent(new Event('input', { bubbles: true })) }")
    expect(page.locator("[data-group-put]")).to_have_count(1)
    branch = page.locator("[data-branch]").first
    ids = [int(latent) for latent in (branch.get_attribute("data-branch") or "").split(",")]
    branch.dispatch_event("click")
    assert page.evaluate("Scratchpad.state.picked") == ids
    leaves.first.click()
    page.mouse.move(2, 2)
    expect(page.locator(".sp-what")).to_contain_text("fires")


def test_a_rectangle_lists_its_latents_and_tests_those_that_fire_here(page: Page) -> None:
    page.locator("#sp-tab-sae").click()
    canvas = page.locator(".sp-scatter")
    canvas.wait_for()
    page.locator("[data-shade]").select_option("here")
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 160, steps=3)
    page.mouse.up()
    bar = page.locator(".sp-hitbar")
    expect(bar).to_contain_text("in the rectangle")
    listed = [int(chip.get_attribute("data-show") or -1) for chip in page.locator(".sp-hits [data-show]").all()]
    active = set(page.evaluate("Scratchpad.state.analysis.active"))
    assert len(listed) > len(set(listed) & active) > 0
    page.locator("[data-hits-put]").click()
    picked = page.evaluate("Scratchpad.state.picked")
    assert set(listed) & active <= set(picked) <= active
    canvas.click(position={"x": box["width"] / 2, "y": 5})  # no point is near, and nothing was dragged
    expect(bar).to_contain_text("in the rectangle")


@pytest.mark.slow
def test_the_rectangle_is_typed_where_none_can_be_drawn(page: Page, bench: Workbench) -> None:
    """By keys alone; what is drawn and what is typed list the same, and how many there are is said aloud."""
    page.locator("#sp-tab-sae").click()
    sides = [page.locator(f"[data-side='{side}']") for side in ("sparsity from", "sparsity to", "mean from", "mean to")]
    for side, value in zip(sides, ("2", "9.5", "0.02", "0.2"), strict=True):
        side.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(value)
    page.keyboard.press("Tab")
    expect(page.locator("[data-list]")).to_be_focused()
    page.keyboard.press("Enter")
    every = bench.overview()
    rows = zip(every.ids, every.sparsity, every.mean, strict=True)
    own = {i for i, sparsity, mean in rows if 0.02 <= sparsity <= 0.095 and 0.02 <= mean <= 0.2}
    assert own
    expect(page.locator(".sp-hitbar [role=status]")).to_contain_text(f"{len(own)} latent")
    shown = {int(chip.get_attribute("data-show") or -1) for chip in page.locator(".sp-hits [data-show]").all()}
    assert shown <= own
    assert len(shown) == min(len(own), 120)
    sides[2].fill("90")
    sides[3].fill("99")
    sides[3].press("Enter")
    expect(page.locator(".sp-hitbar")).to_contain_text("No latent is there")
    box = page.locator(".sp-scatter").bounding_box()
    assert box
    page.locator(".sp-scatter").scroll_into_view_if_needed()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 200, steps=3)
    page.mouse.up()
    status = page.locator(".sp-hitbar [role=status]")
    expect(status).to_contain_text("in the rectangle")
    drawn = status.inner_text()
    sides[0].press("Enter")  # the rectangle's own numbers
    expect(status).to_have_text(drawn)


@pytest.mark.slow
def test_a_decoder_cluster_of_the_whole_sae_offers_what_fires_here(page: Page) -> None:
    page.locator("[data-read]").first.click()
    page.locator("#sp-latent [data-group]").click()
    expect(page.locator(".sp-hitbar")).to_contain_text("in decoder cluster")
    expect(page.locator("[data-hits-test]")).to_be_visible()
