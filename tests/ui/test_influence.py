"""INFLUENCE: what the concepts of an earlier layer do to those of a later one, as the server measures it."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from scratchpad.benches import Benches
from scratchpad.records import dump
from scratchpad.ui.app import GALLERY, OPENING
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import Asked
from scratchpad.ui.studies import Studies
from scratchpad.workbench import question_of
from tests.ui.conftest import settled

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_the_matrix_is_what_was_measured_and_a_cell_says_it(page: Page, benches: Benches) -> None:
    question = question_of([GALLERY / OPENING], "What is the background?")
    late, middle, _ = (benches.of(str(n)) for n in range(3))
    measured = middle.influence(middle.ask(question), late)
    page.locator("#sp-tab-influence").click()
    page.locator("[data-measure]").click()
    settled(page, "influence")
    assert page.evaluate("Scratchpad.state.influence.influence") == dump(measured)
    expect(page.locator(".sp-effect")).to_have_count(100)
    ringed = {tuple(map(int, cell.get_attribute("data-cell").split(","))) for cell in page.locator(".sp-ringed").all()}
    assert ringed == set(measured.alone_anywhere())
    y, x = max(((s, t) for s in range(10) for t in range(10)), key=lambda pair: abs(measured.effects[pair[0]][pair[1]]))
    page.locator("[data-cell='0,0']").focus()
    for key in ["ArrowDown"] * y + ["ArrowRight"] * x:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    said = page.locator("[data-pair]")
    share = f"{100 * abs(measured.effects[y][x]):.0f}%"
    expect(said).to_contain_text(f"{'loses' if measured.effects[y][x] < 0 else 'gains'} {share} of its activation")
    expect(said).to_contain_text(f"{measured.as_much[y][x]} do as much to it and {measured.as_much_anywhere[y][x]} to any of these 10")
    assert Axe().run(page, context={"include": [["#sp-influence"]]}).violations_count == 0
    page.locator("thead button.sp-flowed").first.click()  # a concept of the SAE on show: its map
    assert page.evaluate("Scratchpad.state.latent") == measured.targets[0].latent.id
    page.locator("[data-flow=source]").select_option("0")  # another way: what was measured of this one is gone
    expect(page.locator(".sp-effect")).to_have_count(0)


def test_a_place_that_is_not_there_is_a_sentence(benches: Benches) -> None:
    studies = Studies(Handlers(benches))
    key = "of-nothing"
    asked = Asked((str(GALLERY / OPENING),), "What is the background?", "0", key)
    for place in (7, -1, "1", None, True):
        reply = json.loads(studies.influence(asked, {"key": key, "source": place, "target": 2}))
        assert "expected a number from 0 to 2" in reply["error"]
