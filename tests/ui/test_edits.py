"""TEST as a visitor meets it: sets found, edited, asked again and taken back, each result with its control."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scratchpad.ui.app import load_examples
from scratchpad.workbench import Workbench
from tests.ui.conftest import answer

pytestmark = pytest.mark.browser


def test_the_smallest_set_changes_the_answer_and_carries_its_control(page: Page) -> None:
    before = answer(page)
    page.locator("[data-do=smallest]").click()
    pair = page.locator("#sp-test .sp-pair .sp-answer")
    expect(pair).to_have_count(2, timeout=60_000)
    assert pair.nth(0).inner_text().strip() == before
    assert pair.nth(1).inner_text().strip() != before
    expect(page.locator("#sp-test .sp-result .sp-verdict")).to_contain_text("The answer changed.")
    expect(page.locator("#sp-test .sp-control")).to_contain_text("random sets")
    expect(page.locator("#sp-test .sp-delta").first).to_be_visible()


def test_the_suggested_set_is_asked_again(page: Page) -> None:
    before = answer(page)
    page.locator("[data-do=suggest]").click()
    page.locator("#sp-test [data-do=go]").click()
    pair = page.locator("#sp-test .sp-pair .sp-answer")
    expect(pair).to_have_count(2, timeout=60_000)
    said = page.locator("#sp-test .sp-result .sp-verdict").inner_text()
    assert ("changed" in said) == (pair.nth(1).inner_text().strip() != before)


def test_a_diagnosis_lists_its_tests(page: Page) -> None:
    page.locator("#sp-test .sp-target input").fill("camel")
    page.locator("[data-do=diagnose]").click()
    expect(page.locator(".sp-findings li").first).to_be_visible(timeout=90_000)
    expect(page.locator(".sp-diagnosis")).to_contain_text("Fits")


def test_a_test_is_cancelled_and_another_sae_chosen(page: Page) -> None:
    page.fill("#sp-ask textarea", "which thing is furthest left")
    page.click("#sp-go")
    page.wait_for_function("Scratchpad.state.data.tokens.some((t) => t.text.includes('furthest'))", timeout=60_000)
    page.click("[data-do=smallest]")
    page.wait_for_selector("#sp-test .sp-going progress")
    page.click("#sp-test .sp-going button")
    page.wait_for_selector("#sp-test .sp-error:has-text('Stopped')", timeout=30_000)
    assert page.is_hidden("#sp-test .sp-going")
    page.click("#sp-choice input")
    page.click("[role=option]:has-text('emoji-middle')")
    page.wait_for_selector("#sp-header dd:has-text('emoji-middle')", timeout=60_000)
    page.wait_for_function("Scratchpad.state.data.sae === 'emoji-middle' && !Scratchpad.state.busy")
    page.locator("#sp-sae summary").click()
    page.wait_for_function("document.querySelectorAll('#sp-sae .sp-scatter').length")
    page.fill("#sp-sae .sp-find", "octopus")
    page.wait_for_selector("#sp-sae .sp-hits .sp-chip")
    page.click("#sp-sae .sp-hits .sp-chip")
    page.wait_for_selector("#sp-sae .sp-latent .sp-verdict")


def test_predictions_are_verified_beside_each_other(page: Page, bench: Workbench) -> None:
    page.click("[data-do=verify]")
    page.wait_for_selector("#sp-test .sp-effects circle", timeout=60_000)
    told = page.evaluate("Scratchpad.state.verified")
    assert page.locator("#sp-test .sp-effects circle").count() == len(told["effects"]) == min(128, told["active"])
    assert f"{told['spearman']:.2f}" in page.inner_text("#sp-test .sp-verified")
    own = bench.verify(bench.analyze(*load_examples()[0]), 128)
    assert {e["id"]: e["actual"] for e in told["effects"]} == pytest.approx(
        dict(zip(own.latents, own.actual.tolist(), strict=True)), abs=1e-4
    )
    page.locator("#sp-test .sp-verified [data-take]").first.click()
    assert page.locator("#sp-test [data-own]").count() == 1


def test_latents_are_set_and_added_to_and_changes_taken_back(page: Page) -> None:
    page.locator("[data-do=suggest]").click()
    picked = page.evaluate("Scratchpad.state.picked")
    page.locator("#sp-test [data-op]").nth(0).select_option("set")
    page.locator("#sp-test [data-op]").nth(1).select_option("add")
    page.locator("#sp-test [data-own]").nth(1).fill("2.5")
    page.locator("#sp-test [data-own]").nth(1).press("Enter")
    page.click("#sp-test .sp-how summary")
    page.locator("[data-how=keepError]").uncheck()
    page.locator("[data-how=temperature]").fill("0.8")
    page.locator("[data-how=seed]").fill("7")
    page.locator("#sp-test [data-do=go]").click()
    page.wait_for_selector("#sp-test .sp-control", timeout=60_000)
    said = page.evaluate("(({ items, keep_error, sampled }) => ({ items, keep_error, sampled }))(Scratchpad.state.comparison)")
    done = [(i["latent"], i["op"], i["value"]) for i in said["items"][:3]]
    assert done == [(picked[0], "set", 0), (picked[1], "add", 2.5), (picked[2], "scale", 0)]
    assert said["keep_error"] is False
    assert (said["sampled"]["temperature"], said["sampled"]["seed"]) == (0.8, 7)
    told = page.inner_text("#sp-test .sp-result")
    for words in ("reconstruction stands in place", "grey picture", "Drawn at temperature 0.8, seed 7"):
        assert words in told
    page.evaluate("Scratchpad.recall(0)")
    assert page.locator("#sp-test [data-op]").nth(1).input_value() == "add"
    assert page.locator("#sp-test [data-own]").nth(1).input_value() == "2.5"
    page.locator("#sp-test [data-drop]").first.click()
    assert page.evaluate("Scratchpad.state.picked.length") == len(picked) - 1
    page.locator("[data-do=undo]").click()
    assert page.evaluate("Scratchpad.state.picked") == picked
    while page.locator("[data-do=undo]").is_enabled():
        page.locator("[data-do=undo]").click()
    assert page.evaluate("Scratchpad.state.picked") == []
    page.locator("[data-how=temperature]").fill("hot")
    page.locator("[data-do=suggest]").click()
    page.locator("#sp-test [data-do=go]").click()
    page.wait_for_selector("#sp-test .sp-error:has-text('expected numbers')", timeout=30_000)


def test_a_latent_has_a_strength_of_its_own(page: Page) -> None:
    page.click("[data-do=suggest]")
    own = page.locator("#sp-test .sp-own, #sp-test [data-own]").first
    own.fill("0.5")
    own.press("Enter")
    page.click("[data-do=go]")
    page.wait_for_selector("#sp-test .sp-pair", timeout=60_000)
    values = page.evaluate("Scratchpad.state.runs[0].comparison.items.map((i) => i.value)")
    assert sorted(values) == [0, 0, 0, 0.5]
    page.evaluate("Scratchpad.set({ picked: [], own: {} }); Scratchpad.recall(0)")
    assert page.locator("#sp-test [data-own]").first.input_value() == "0.5"
