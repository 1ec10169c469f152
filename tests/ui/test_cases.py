"""Cases as visitors meet them: kept on the page, opened by link in a fresh browser on a server without a model, from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scratchpad.cases.bundle import unpack
from scratchpad.cases.shelf import SHIPPED
from scratchpad.cases.store import Store
from tests.ui.conftest import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def reading(store: Path) -> Iterator[str]:
    """A server on the same store, with no model."""
    with served(store, "--no-model") as url:
        yield url


def opened(chromium: Browser, url: str) -> Page:
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(url)
    page.wait_for_selector("#sp-look .sp-chip.sp-output", timeout=60_000)
    return page


@pytest.fixture(scope="module")
def kept(chromium: Browser, address: str) -> str:
    """The id of a case made on the page, with one test in it."""
    page = opened(chromium, address)
    page.locator("[data-do=smallest]").click()
    expect(page.locator("#sp-test .sp-result .sp-verdict")).to_be_visible(timeout=60_000)
    page.locator(".sp-title").fill("Made <b>here</b>")
    page.locator(".sp-notes").fill("A *note* with <script>window.broken = 1</script> and [a link](https://example.org/x).")
    page.locator("[data-keep]").click()
    link = page.locator("#sp-keep .sp-kept a")
    expect(link).to_be_visible(timeout=60_000)
    found = (link.get_attribute("href") or "").partition("case=")[2]
    assert page.locator("#sp-keep .sp-kept code").inner_text()
    page.context.close()
    return found


def test_a_link_opens_complete_with_no_model(chromium: Browser, reading: str, kept: str, store: Path) -> None:
    case = Store(store).get(kept).case
    page = opened(chromium, f"{reading}/?case={kept}")
    expect(page.locator("#sp-look .sp-said .sp-answer")).to_have_text(case.answer)
    expect(page.locator("#sp-header h1")).to_have_text("Made <b>here</b>")
    expect(page.locator("#sp-concepts .sp-card")).to_have_count(12)
    expect(page.locator("#sp-concepts .sp-refs canvas").first).to_be_visible()
    expect(page.locator("#sp-test .sp-verdict")).to_contain_text("The answer changed.")
    expect(page.locator("#sp-test .sp-control")).to_contain_text("random sets")
    expect(page.locator("#sp-keep .sp-text i")).to_have_text("note")
    assert page.evaluate("window.broken") is None
    expect(page.locator("#sp-ask")).to_be_hidden()
    expect(page.locator("#sp-keep .sp-case")).to_contain_text("no model loaded")
    page.context.close()


def test_run_it_again_and_go_on_from_it(chromium: Browser, address: str, kept: str) -> None:
    page = opened(chromium, f"{address}/?case={kept}")
    page.locator("[data-again]").click()
    expect(page.locator("#sp-keep .sp-kept")).to_contain_text("It agrees.", timeout=60_000)
    page.locator("[data-fork]").click()
    expect(page.locator("#sp-ask")).to_be_visible(timeout=60_000)
    expect(page.locator("#sp-header h1")).to_have_text("Visual Scratchpad")
    page.locator("[data-do=suggest]").click()
    page.locator("#sp-test [data-do=go]").click()
    expect(page.locator("#sp-test .sp-verdict")).to_be_visible(timeout=60_000)
    for n, example in enumerate((None, 2)):  # the case's own picture, and an example's, asked about anew
        if example is not None:
            page.click(f"[data-example='{example}']")
            page.wait_for_function("!Scratchpad.state.data.tokens.some((t) => t.text.includes('see')) && !Scratchpad.state.busy")
        page.fill("#sp-ask textarea", f"what do you see{' there' * n}")
        page.click("#sp-go")
        page.wait_for_function("Scratchpad.state.data.tokens.some((t) => t.text.includes('see')) && !Scratchpad.state.busy", timeout=60_000)
    page.context.close()


def test_running_it_again_is_cancelled(chromium: Browser, address: str, kept: str) -> None:
    other, page = opened(chromium, address), opened(chromium, f"{address}/?case={kept}")
    other.locator("#sp-needle summary").click()
    other.locator("#sp-needle .sp-before td").first.wait_for()
    other.locator("#sp-needle [data-measure]").click()  # so that what comes next has to wait
    expect(other.locator("#sp-needle .sp-going p")).to_contain_text(" of ", timeout=60_000)
    page.locator("[data-again]").click()
    page.locator("#sp-keep .sp-going button").click()
    other.locator("#sp-needle .sp-going button").click()
    expect(page.locator("#sp-keep .sp-error")).to_contain_text("Stopped", timeout=60_000)
    expect(page.locator("[data-again]")).to_be_enabled()
    expect(page.locator("#sp-keep .sp-going")).to_be_hidden()
    other.context.close()
    page.context.close()


def test_files_are_handed_out(chromium: Browser, reading: str, kept: str, tmp_path: Path) -> None:
    page = opened(chromium, f"{reading}/?case={kept}")
    for kind in ("case", "html", "png", "zip"):
        with page.expect_download(timeout=30_000) as download:
            page.locator(f"#sp-keep [data-file={kind}]").first.click()
        download.value.save_as(tmp_path / f"x.{kind}")
    assert unpack((tmp_path / "x.case").read_bytes()).id == kept
    page.context.set_offline(True)
    page.goto(f"file://{tmp_path}/x.html")
    expect(page.locator("#sp-look .sp-chip.sp-output").first).to_be_visible()
    expect(page.locator("#sp-test .sp-control")).to_contain_text("random sets")
    expect(page.locator("#sp-concepts .sp-refs canvas").first).to_be_visible()
    page.context.close()


def test_the_shipped_cases_are_in_the_gallery(chromium: Browser, reading: str) -> None:
    shipped = Store(SHIPPED, writable=False).listed()
    assert len(shipped) == 3
    page = chromium.new_page()
    page.goto(reading)
    shelf = page.locator("#sp-keep .sp-shelf a")
    expect(shelf.first).to_be_visible(timeout=30_000)
    assert [a.get_attribute("href") for a in shelf.all()[:3]] == [f"?case={row.id}" for row in shipped]
    shelf.first.click()
    page.wait_for_selector("#sp-look .sp-chip.sp-output", timeout=60_000)
    expect(page.locator("#sp-test .sp-control")).to_be_visible()
    page.close()


def test_an_unknown_case_is_said(chromium: Browser, address: str) -> None:
    page = opened(chromium, f"{address}/")
    for wrong in ("0" * 32, "../../etc/passwd", "<script>"):
        page.goto(f"{address}/?case={wrong}")
        expect(page.locator("#sp-keep .sp-error")).to_be_visible(timeout=30_000)
    page.context.close()


def test_a_region_and_a_target_limit_and_widen_a_test(page: Page) -> None:
    page.locator("[data-mark]").click()
    canvas = page.locator("#sp-look .sp-map canvas")
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.locator(".sp-mark span")).to_contain_text("Tests act inside rows")
    page.locator("[data-do=suggest]").click()
    page.locator("#sp-test .sp-target input").fill("octopus")
    page.locator("#sp-test [data-do=go]").click()
    expect(page.locator("#sp-test .sp-verdict")).to_be_visible(timeout=60_000)
    expect(page.locator("#sp-test .sp-result")).to_contain_text("Log-probability of “octopus”")
    page.locator("[data-mark]").click()  # clears it
    page.locator("#sp-test [data-do=go]").click()
    expect(page.locator("#sp-test [data-run]")).to_have_count(2, timeout=60_000)
    page.locator("#sp-test [data-run='0']").click()
    expect(page.locator(".sp-mark span")).to_contain_text("Tests act inside rows")
