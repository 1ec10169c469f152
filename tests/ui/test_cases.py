"""Cases as visitors meet them: kept on the page, opened by link in a fresh browser on a server without a model, from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scratchpad.cases.bundle import unpack
from scratchpad.cases.shelf import SHIPPED
from scratchpad.cases.store import Store
from tests.ui.conftest import PATIENCE, ask, press, served, settled, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def reading(store: Path) -> Iterator[str]:
    """A server on the same store, with no model."""
    with served(store, "--no-model") as url:
        yield url


def opened(chromium: Browser, url: str) -> Page:
    return visit(chromium.new_context(viewport={"width": 1440, "height": 900}).new_page(), url)


@pytest.fixture(scope="module")
def kept(chromium: Browser, address: str) -> str:
    """The id of a case made on the page, with two tests in it."""
    page = opened(chromium, address)
    press(page, "smallest")
    page.locator("[data-open=share]").click()
    page.locator(".sp-title").fill("Made <b>here</b> " + "o" * 180)
    page.locator(".sp-notes").fill(f"A *note* with <script>window.broken = 1</script> and [a link](https://example.org/x). {'long' * 200}")
    page.locator("[data-keep]").click()
    link = page.locator("#sp-keep .sp-kept a")
    expect(link).to_be_visible(timeout=PATIENCE)
    found = (link.get_attribute("href") or "").partition("case=")[2]
    assert page.locator("#sp-keep .sp-kept code").inner_text()
    page.context.close()
    return found


def test_a_link_opens_complete_with_no_model(chromium: Browser, reading: str, kept: str, store: Path) -> None:
    case = Store(store).get(kept).case
    page = opened(chromium, f"{reading}/?case={kept}")
    assert page.evaluate("Scratchpad.state.analysis.answer") == case.analysis.run.answer
    expect(page.locator(".sp-case h2")).to_contain_text("Made <b>here</b>")
    expect(page.locator("#sp-concepts .sp-card").first.locator(".sp-ref canvas").first).to_be_visible()
    expect(page.locator("#sp-test .sp-kind")).to_contain_text("supported")
    page.locator("[data-evidence]").click()
    expect(page.locator(".sp-plot svg")).to_be_visible()
    expect(page.locator(".sp-notes-shown em")).to_have_text("note")
    assert page.evaluate("window.broken") is None
    expect(page.locator("#sp-ask")).to_have_count(0)
    expect(page.locator(".sp-case")).to_contain_text("No model loaded here")
    for width in (1440, 390):  # a long unbroken word widens nothing
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_run_it_again_and_go_on_from_it(chromium: Browser, address: str, kept: str) -> None:
    page = opened(chromium, f"{address}/?case={kept}")
    page.locator("[data-again]").click()
    expect(page.locator(".sp-again")).to_contain_text("It agrees.", timeout=PATIENCE)
    tested = page.evaluate("Scratchpad.state.picked")
    page.locator("[data-fork]").click()
    expect(page.locator("#sp-ask")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".sp-case")).to_have_count(0)
    assert "case=" not in page.url
    assert tested, "the case has no test"
    assert page.evaluate("[Scratchpad.state.picked, Scratchpad.state.runs.length]") == [tested, 0]  # its edit, not yet asked here
    press(page, "suggested")
    expect(page.locator("#sp-test .sp-kind")).to_be_visible()
    ask(page, "what do you see")  # the case's own picture, asked about anew
    assert page.evaluate("Scratchpad.state.analysis.prompt") == "what do you see"
    page.context.close()


@pytest.mark.slow
def test_running_it_again_is_cancelled(chromium: Browser, address: str, kept: str) -> None:
    other, page = opened(chromium, address), opened(chromium, f"{address}/?case={kept}")
    other.locator("#sp-tab-maps").click()
    other.locator("#sp-needle .sp-before td").first.wait_for()
    settled(other, "stages")
    other.locator("#sp-needle [data-measure]").click()  # so that what comes next has to wait
    expect(other.locator("#sp-needle .sp-going p")).to_be_visible(timeout=PATIENCE)
    page.locator("[data-again]").click()
    page.locator(".sp-case [data-stop]").click()
    other.locator("#sp-needle [data-stop]").click()
    expect(page.locator(".sp-case .sp-error")).to_contain_text("Stopped", timeout=PATIENCE)
    expect(page.locator("[data-again]")).to_be_enabled()
    other.context.close()
    page.context.close()


def test_files_are_handed_out(chromium: Browser, reading: str, kept: str, tmp_path: Path) -> None:
    page = opened(chromium, f"{reading}/?case={kept}")
    page.locator("[data-open=share]").click()
    for kind in ("case", "html", "png", "zip"):
        with page.expect_download(timeout=PATIENCE) as download:
            page.locator(f"#sp-keep [data-file={kind}]").first.click()
        download.value.save_as(tmp_path / f"x.{kind}")
    assert unpack((tmp_path / "x.case").read_bytes()).id == kept
    page.context.set_offline(True)
    page.goto(f"file://{tmp_path}/x.html")
    expect(page.locator("#sp-look .sp-token.sp-output").first).to_be_visible()
    expect(page.locator("#sp-test .sp-kind")).to_contain_text("supported")
    expect(page.locator("#sp-concepts .sp-ref canvas").first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_the_shipped_cases_are_in_the_gallery(chromium: Browser, reading: str) -> None:
    shipped = Store(SHIPPED, writable=False).listed()
    assert len(shipped) == 3
    page = chromium.new_page()
    page.goto(reading)
    shelf = page.locator("#sp-concepts .sp-shelf a")
    expect(shelf.first).to_be_visible(timeout=PATIENCE)
    assert [a.get_attribute("href") for a in shelf.all()[:3]] == [f"?case={row.id}" for row in shipped]
    shelf.first.click()
    page.wait_for_selector("#sp-look .sp-token.sp-output", timeout=PATIENCE)
    expect(page.locator("#sp-test .sp-kind")).to_be_visible()
    page.close()


@pytest.mark.slow
def test_an_unknown_case_is_said(chromium: Browser, address: str) -> None:
    page = opened(chromium, f"{address}/")
    for wrong in ("0" * 32, "../../etc/passwd", "<script>"):
        page.goto(f"{address}/?case={wrong}")
        expect(page.locator("#sp-look .sp-error")).to_be_visible(timeout=PATIENCE)
    page.context.close()
