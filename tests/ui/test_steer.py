"""A latent's page: what it does to this answer, in real runs; numbers are the workbench's."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scratchpad.ui.app import GALLERY, OPENING
from scratchpad.workbench import Workbench
from tests.ui.conftest import PATIENCE

pytestmark = pytest.mark.browser


def test_dose_response_and_words_are_the_workbench_s(page: Page, bench: Workbench) -> None:
    latent = int(page.locator("#sp-concepts .sp-card").first.get_attribute("data-id") or -1)
    page.locator("[data-read]").first.click()
    page.locator("[data-steer]").click()
    expect(page.locator(".sp-dose circle")).to_have_count(7, timeout=PATIENCE)
    steered = bench.steer(bench.analyze(GALLERY / OPENING, "What is the background?"), latent)
    assert page.evaluate("Scratchpad.state.reading.steered.doses.map((dose) => dose.answer)") == [d.answer for d in steered.doses]
    shown = page.evaluate("Scratchpad.state.reading.steered.doses.map((dose) => dose.logprob)")
    assert shown == pytest.approx([dose.logprob for dose in steered.doses], abs=1e-3)
    changed = sum(dose.answer != "sand" for dose in steered.doses)
    assert changed
    expect(page.locator(".sp-dose circle.sp-flips")).to_have_count(changed)
    expect(page.locator(".sp-dose path.sp-other")).to_have_count(len(steered.others))
    for word in (*steered.raised, *steered.lowered):
        expect(page.locator(".sp-words")).to_contain_text(word.text.strip())
    expect(page.locator(".sp-wordrow").first).to_contain_text(steered.direct_raised[0][0].strip())
    page.locator(".sp-dosed [data-term=direct]").click()
    expect(page.locator("#sp-glossary [data-entry=direct]")).to_have_class("sp-chosen")


def test_a_latent_that_is_silent_here_says_so(page: Page) -> None:
    page.evaluate("document.querySelector('#sp-tab-sae').click()")
    page.locator(".sp-find").fill("octopus")
    page.locator(".sp-hits [data-show]").first.click()
    expect(page.locator("#sp-latent")).to_contain_text("doesn't fire on this picture")
    expect(page.locator("[data-steer]")).to_have_count(0)
