"""COMPARE: what is on show stays, another answer stands beside it, and a concept is lit on both sides; the server matches them."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from scratchpad.benches import Benches
from scratchpad.records import Analysis, dump
from scratchpad.ui.app import GALLERY, OPENING, load_examples
from scratchpad.workbench import question_of, side_by_side
from tests.ui.conftest import answer, settled

pytestmark = pytest.mark.browser
OTHER = 3  # of the examples
LIT = "(side) => [...document.querySelectorAll(`[data-side=${side}] li.sp-lit`)].map((row) => +row.dataset.id)"
URL = "(side) => document.querySelector(`[data-side=${side}] figure canvas`).toDataURL()"


def compare(page: Page, *, picture: str = "shown", prompt: str | None = None, sae: str | None = None) -> None:
    """Fills in the form, and waits for what comes of it."""
    page.locator("#sp-tab-compare").click()
    page.locator(f"[data-picture='{picture}']").click()
    if prompt is not None:
        page.locator("[data-other=prompt]").fill(prompt)
    if sae is not None:
        page.locator("[data-other=choice]").select_option(sae)
    page.locator("[data-compare-go]").click()
    settled(page, "compare")


def opening(benches: Benches, sae: str = "0") -> Analysis:
    """What the page opens on."""
    return benches.of(sae).ask(question_of([GALLERY / OPENING], "What is the background?"))


def test_another_picture_and_question_stand_beside_what_is_on_show(page: Page, benches: Benches) -> None:
    key, said = page.evaluate("Scratchpad.state.page.key"), answer(page)
    compare(page, picture=str(OTHER), prompt="What animal is there?")
    right = benches.first.ask(question_of([load_examples()[OTHER][0]], "What animal is there?"))
    pair = side_by_side(opening(benches), right)
    assert page.evaluate("Scratchpad.state.other.matched") == dump(pair.matched)
    assert (page.evaluate("Scratchpad.state.page.key"), answer(page)) == (key, said)
    expect(page.locator("[data-side=right] .sp-answer")).to_contain_text(right.run.answer)
    expect(page.locator("[data-side=left] .sp-answer")).to_contain_text(said)
    expect(page.locator("[data-matched=latent]")).to_contain_text(f"Firing on both: {len(pair.matched.concepts)} latents")
    both = next(i for row in pair.matched.concepts for i in row.left if page.locator(f"[data-side=left] li[data-id='{i}']").count())
    painted = [page.evaluate(URL, side) for side in ("left", "right")]
    page.locator(f"[data-side=left] li[data-id='{both}']").hover()
    expect(page.locator("[data-side=right] figcaption")).to_contain_text(f"#{both} fires")
    assert both in page.evaluate(LIT, "left")
    page.wait_for_function(f"(urls) => ['left', 'right'].every((side, n) => ({URL})(side) !== urls[n])", arg=painted)
    page.mouse.move(2, 2)
    page.locator("[data-go-on]").click()
    settled(page, "ask")
    assert answer(page) == right.run.answer
    assert page.evaluate("Scratchpad.state.other") is None


@pytest.mark.slow
def test_two_saes_are_matched_by_claimed_names_alone_and_what_has_none_says_so(page: Page, benches: Benches) -> None:
    compare(page, sae="1")
    left, right = opening(benches), opening(benches, "1")
    pair = side_by_side(left, right)
    assert page.evaluate("Scratchpad.state.other.matched") == dump(pair.matched)
    camel = next(row for row in pair.matched.concepts if row.name == "camel")
    names = page.locator("[data-side=left] .sp-name")
    names.first.focus()
    page.keyboard.press("Tab")  # by keys: what has the focus is lit
    page.keyboard.press("Shift+Tab")
    expect(names.first).to_contain_text("camel")
    assert set(page.evaluate(LIT, "left")) == {camel.left[0]}
    assert set(page.evaluate(LIT, "right")) <= set(camel.right)
    expect(page.locator("[data-side=right] figcaption")).to_contain_text("camel")
    unnamed = next(row for row in page.locator("[data-side=right] li").all() if "unmatched" in row.inner_text())
    unnamed.locator(".sp-name").click()
    page.mouse.move(2, 2)
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("[data-side=left] figcaption")).to_contain_text("Nothing here is matched")
    assert page.evaluate(LIT, "left") == []
    assert Axe().run(page, context={"include": [["#sp-compare"]]}).violations_count == 0


@pytest.mark.parametrize("width", [390, pytest.param(900, marks=pytest.mark.slow)])
def test_both_sides_fit_and_bad_input_is_a_sentence(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    compare(page)
    expect(page.locator("#sp-compare [role=alert]")).to_contain_text("This is what is on show")
    compare(page, prompt="")
    expect(page.locator("#sp-compare [role=alert]")).to_contain_text("No prompt was given")
    compare(page, prompt="What animal is there?")
    expect(page.locator("#sp-compare [role=alert]")).to_have_count(0)
    boxes = [page.locator(f"[data-side={side}]").bounding_box() for side in ("left", "right")]
    assert all(boxes)
    assert boxes[0]["y"] == boxes[1]["y"], "they don't stand side by side"  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
