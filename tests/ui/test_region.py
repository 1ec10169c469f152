"""A region of the picture: dragged or typed in patches, and which concepts fire in it; numbers are the workbench's."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from scratchpad.ui.app import GALLERY, OPENING
from scratchpad.workbench import Workbench
from tests.ui.conftest import settled

pytestmark = pytest.mark.browser
CARDS = "[...document.querySelectorAll('#sp-concepts .sp-card')].map((card) => +card.dataset.id)"


def typed(page: Page, *numbers: int) -> None:
    """Types rows and columns, first and last, by keys alone."""
    page.locator("[data-mark]").focus()
    page.keyboard.press("Enter")
    for number in numbers:
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type(str(number))
    page.keyboard.press("Tab")


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.slow)])
def test_concepts_of_a_typed_region_are_the_workbench_s(page: Page, bench: Workbench, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    typed(page, 9, 14, 6, 11)  # where the camel stands
    region = page.evaluate("Scratchpad.state.region")
    assert region == [128, 80, 224, 176]  # patches of 16 px, both ends in
    page.locator("[data-here]").focus()
    page.keyboard.press("Enter")
    settled(page, "place")
    own = bench.in_region(bench.analyze(GALLERY / OPENING, "What is the background?"), tuple(region)).latents
    rows = page.evaluate("Scratchpad.state.place.latents.map((l) => [l.id, l.inside, l.outside])")
    assert [row[0] for row in rows] == [row.id for row in own]
    assert [row[1] for row in rows] == pytest.approx([row.inside for row in own], abs=1e-4)
    shown = page.evaluate(CARDS)
    assert shown == [i for i in (row.id for row in own) if i in shown]
    first = page.locator("#sp-concepts .sp-card").first
    expect(first.locator(".sp-name")).to_contain_text("camel")
    expect(first.locator(".sp-says")).to_contain_text("inside")
    expect(first.locator(".sp-says")).to_contain_text("outside")
    expect(page.locator("[data-scope=region]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-there]")).to_contain_text("rows 9–14, columns 6–11")
    expect(page.locator("[data-there]")).to_contain_text("camel")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page, context={"include": [["#sp-app"]]}).violations_count == 0
    page.locator("[data-mark]").click()  # clears the region; the list is of where it was
    expect(page.locator("[data-here]")).to_have_count(0)
    page.locator("[data-scope=token]").click()
    expect(page.locator("[data-there]")).to_have_count(0)


@pytest.mark.slow
def test_what_is_typed_stays_inside_the_picture_and_a_drag_is_seen_in_the_numbers(page: Page) -> None:
    typed(page, 12, 3, 99, 0)
    assert page.evaluate("Scratchpad.state.region") == [32, 0, 48, 16]
    page.locator("[data-mark]").click()
    page.locator("[data-mark]").click()
    box = page.locator(".sp-map canvas").bounding_box()
    assert box
    side = box["width"] / 14
    page.mouse.move(box["x"] + 2.5 * side, box["y"] + 1.5 * side)
    page.mouse.down()
    page.mouse.move(box["x"] + 4.5 * side, box["y"] + 3.5 * side, steps=3)
    page.mouse.up()
    ends = ("top", "bottom", "left", "right")
    assert [page.locator(f"[data-range={end}]").input_value() for end in ends] == ["2", "4", "3", "5"]
