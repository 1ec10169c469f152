"""TEST as a visitor meets it: sets found, edited, asked again and taken back, each result with its verdict and controls."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scratchpad.ui.app import OPENING, load_examples
from scratchpad.workbench import Workbench
from tests.ui.conftest import ask, press, settled

pytestmark = pytest.mark.browser
RUN = "Scratchpad.state.runs.at(-1).test"


def test_the_smallest_set_has_one_verdict_and_its_evidence(page: Page) -> None:
    press(page, "smallest")
    assert page.evaluate("Scratchpad.state.runs.length") == 2
    run = page.evaluate(f"(({{ verdict, control }}) => ({{ verdict, sets: control.sets.length }}))({RUN})")
    expect(page.locator("#sp-test .sp-kind")).to_contain_text(run["verdict"]["kind"])
    expect(page.locator("#sp-test .sp-sentence")).to_have_text(run["verdict"]["sentence"])
    page.locator("[data-evidence]").click()
    expect(page.locator(".sp-plot .sp-sets circle")).to_have_count(run["sets"])
    expect(page.locator(".sp-plot svg text").first).to_be_visible()  # the axis is labelled
    expect(page.locator(".sp-of-run .sp-checks li")).to_have_count(len(run["verdict"]["checks"]))
    expect(page.locator(".sp-delta").first).to_be_visible()
    expect(page.locator(".sp-evidence")).to_contain_text("grey picture")


def test_a_run_brings_back_its_edit_and_its_result_and_undo_both(page: Page) -> None:
    """Undo once showed another run's chips over this run's result."""
    page.locator(".sp-card .sp-pick").nth(1).click()
    expect(page.locator("#sp-test .sp-staleness")).to_be_visible()  # the result is older than the edit
    both = page.evaluate("Scratchpad.state.picked")
    press(page, "go")
    expect(page.locator("#sp-test .sp-staleness")).to_have_count(0)
    runs = page.locator("#sp-test [data-run]")
    expect(runs).to_have_count(2)
    runs.nth(0).click()
    assert page.evaluate("[Scratchpad.state.at, Scratchpad.state.picked]") == [0, both[:1]]
    expect(page.locator("#sp-test .sp-in")).to_have_count(1)
    page.locator("#sp-test .sp-pop summary").click()
    page.locator("[data-do=undo]").click()
    at, picked = page.evaluate("[Scratchpad.state.at, Scratchpad.state.picked]")
    assert picked == page.evaluate("(at) => Scratchpad.state.runs[at].edit.picked", at)


@pytest.mark.slow
def test_a_diagnosis_lists_its_tests_and_says_where_the_field_is(page: Page) -> None:
    page.locator("#sp-test .sp-pop summary").click()
    page.locator("[data-how=target]").fill("grass")
    page.keyboard.press("Escape")
    press(page, "diagnose")
    expect(page.locator(".sp-diagnosis .sp-checks li").first).to_be_visible()
    expect(page.locator(".sp-diagnosis")).to_contain_text("Fits")
    text = page.locator("#sp-test").inner_text() + " ".join(e.get_attribute("title") or "" for e in page.locator("#sp-test [title]").all())
    assert "--expected" not in text
    assert "on the left" not in text


def test_clear_clears_all_of_it(page: Page) -> None:
    page.locator("#sp-test .sp-pop summary").click()
    page.locator("[data-how=target]").fill("grass")
    page.locator("[data-how=temperature]").fill("0.5")
    page.locator("[data-do=clear]").click()
    assert page.evaluate("(({ picked, target, temperature, at }) => [picked, target, temperature, at])(Scratchpad.state)") == [
        [],
        "",
        "",
        -1,
    ]
    expect(page.locator("[data-how=target]")).to_have_value("")


@pytest.mark.slow
def test_a_test_is_cancelled_and_another_sae_chosen(page: Page) -> None:
    ask(page, "which thing is furthest left")  # of which nothing is remembered
    cancel = "Scratchpad.test('smallest'); await null; await null; document.querySelector('#sp-test [data-stop]').click()"
    page.evaluate(f"async () => {{ {cancel} }}")  # a pointer may come too late
    settled(page, "test")
    expect(page.locator("#sp-test .sp-error")).to_contain_text("Stopped")
    page.locator("#sp-choice").select_option(index=1)
    settled(page, "ask")
    assert page.evaluate("Scratchpad.state.analysis.sae.name") == "emoji-middle"
    expect(page.locator("#sp-test .sp-error")).to_have_count(0)
    expect(page.locator(".sp-card .sp-ref canvas").first).to_be_visible()


@pytest.mark.slow
def test_predictions_are_verified_beside_each_other(page: Page, bench: Workbench) -> None:
    page.locator("#sp-test .sp-pop summary").click()
    press(page, "verify")
    verified = page.evaluate("Scratchpad.state.verified")
    expect(page.locator(".sp-effects circle")).to_have_count(min(128, verified["active"]))
    assert f"{verified['spearman']:.2f}" in page.locator(".sp-effects").inner_text()
    own = bench.verify(bench.analyze(*next(row for row in load_examples() if row[0].endswith(OPENING))), 128)
    assert {e["latent"]: e["actual"] for e in verified["effects"]} == pytest.approx({e.latent: e.actual for e in own.effects}, abs=1e-4)


@pytest.mark.slow
def test_latents_are_set_and_added_to_and_changes_taken_back(page: Page) -> None:
    for n in (1, 2):
        page.locator(".sp-card .sp-pick").nth(n).click()
    picked = page.evaluate("Scratchpad.state.picked")
    page.locator("#sp-test [data-op]").nth(0).select_option("set")
    page.locator("#sp-test [data-op]").nth(1).select_option("add")
    page.locator("#sp-test [data-own]").nth(1).fill("2.5")
    page.locator("#sp-test [data-own]").nth(1).press("Enter")
    page.locator("#sp-test .sp-pop summary").click()
    page.locator("[data-how=keepError]").uncheck()
    page.locator("[data-how=temperature]").fill("0.8")
    page.locator("[data-how=seed]").fill("7")
    page.keyboard.press("Escape")
    press(page, "go")
    run = page.evaluate(f"{RUN}.comparison")
    assert [(i["latent"], i["op"], i["value"]) for i in run["edit"]["items"]] == [
        (picked[0], "set", 0),
        (picked[1], "add", 2.5),
        (picked[2], "scale", 0),
    ]
    assert run["edit"]["keep_error"] is False
    assert run["sampled"]["sampling"] == {"temperature": 0.8, "seed": 7}
    page.locator("[data-evidence]").click()
    for words in ("reconstruction stands in place", "Drawn at temperature 0.8, seed 7"):
        expect(page.locator(".sp-evidence")).to_contain_text(words)
    page.locator("[data-evidence]").click()
    page.locator("#sp-test [data-run='0']").click()
    page.locator("#sp-test [data-run='1']").click()
    assert page.locator("#sp-test [data-own]").nth(1).input_value() == "2.5"
    page.locator("#sp-test [data-drop]").first.click()
    assert page.evaluate("Scratchpad.state.picked.length") == len(picked) - 1
    page.locator("#sp-test .sp-pop summary").click()
    page.locator("[data-do=undo]").click()
    assert page.evaluate("Scratchpad.state.picked") == picked
    page.locator("[data-how=temperature]").fill("hot")
    page.keyboard.press("Escape")
    press(page, "go")
    expect(page.locator("#sp-test .sp-error")).to_be_visible()


def test_a_region_is_of_whole_patches_and_limits_a_test(page: Page) -> None:
    page.locator("[data-mark]").click()
    box = page.locator(".sp-map canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4, steps=5)
    page.mouse.up()
    region = page.evaluate("Scratchpad.state.region")
    assert region == [0, 0, 96, 96]  # 6 x 6 patches of 16 px, of 89.6 px dragged over
    expect(page.locator(".sp-where")).to_contain_text("inside rows 1–6, columns 1–6")
    assert page.evaluate("Scratchpad.state.patch") is None, "the drag's end chose a patch"
    assert page.evaluate("Scratchpad.state.hover") is None, "the patch under the pointer is outlined in place of the region"
    press(page, "go")
    assert page.evaluate(f"{RUN}.comparison.edit.items[0].region") == region
    page.locator("[data-mark]").click()  # clears it
    expect(page.locator(".sp-where")).to_have_count(0)
