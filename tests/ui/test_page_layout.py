"""What stands where: the first screen, every width, light and dark; by keyboard alone; the tour; pictures of panels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.ui.conftest import PATIENCE, answer, press, settled, visit

pytestmark = pytest.mark.browser
SCREENS = Path(__file__).parent / "screens"
BLOCK = 24  # px: what differs within less, such as another font's letters, is no break
APART = 40  # of 255: blocks whose mean differs by more are counted
SHARE = 0.06  # of all blocks that may
THEMES = ["light", pytest.param("dark", marks=pytest.mark.slow)]
WIDTHS = [(390, 844), (768, 900), (900, 900), (1100, 900), (1280, 720), (1440, 900)]
FITS = """() => {
  const bar = document.querySelector('.sp-test').getBoundingClientRect(), seen = (q) => [...document.querySelectorAll(q)]
    .map((e) => e.getBoundingClientRect()).filter((r) => r.width > 0 && r.top >= 0 && r.bottom <= bar.top + 1);
  const cards = [...document.querySelectorAll('.sp-card')].filter((c) => c.getBoundingClientRect().bottom <= bar.top + 1);
  const refs = cards.flatMap((c) => [...c.querySelectorAll('.sp-ref')].map((r) => r.getBoundingClientRect().width));
  return { cards: cards.length, refs: Math.min(...refs),
    question: seen('.sp-question').length, words: seen('.sp-token.sp-output').length, map: seen('.sp-map canvas').length,
    bar: [bar.bottom, innerHeight], verdict: document.querySelector('.sp-test .sp-kind').innerText };
}"""


def themed(page: Page, address: str, theme: str) -> Page:
    return visit(page, f"{address}/?__theme={theme}")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720)])
def test_the_first_screen_holds_question_answer_map_six_concepts_and_the_verdict(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    expect(page.locator(".sp-card .sp-ref canvas[data-painted]").nth(23)).to_be_attached()
    shown = page.evaluate(FITS)
    assert shown["cards"] >= 6
    assert shown["refs"] >= 96
    assert shown["question"] == shown["map"] == 1
    assert shown["words"] >= 1
    assert shown["bar"][0] == shown["bar"][1]
    assert "supported" in shown["verdict"]


@pytest.mark.parametrize("theme", THEMES)
def test_no_width_breaks(page: Page, address: str, theme: str) -> None:
    themed(page, address, theme)
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        size = "[document.documentElement.scrollWidth, document.querySelector('.sp-answer').clientWidth]"
        across, words = page.evaluate(size)
        assert across <= width, (width, theme)
        assert words >= 240, (width, theme)
        bar = page.locator("#sp-test").bounding_box()
        assert bar
        assert bar["y"] + bar["height"] == pytest.approx(height, abs=1), (width, theme)
        assert bar["height"] < 0.25 * height, (width, theme)
        if width == 390:
            assert page.evaluate("document.documentElement.scrollHeight") <= 4 * height


def test_a_latent_s_page_fits_a_phone_and_its_tab_is_in_sight(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("[data-read]").first.click()
    expect(page.locator("#sp-latent .sp-many canvas[data-painted]").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tab = page.locator("#sp-tab-latent").bounding_box()
    assert tab
    assert tab["x"] >= 0
    assert tab["x"] + tab["width"] <= 390


@pytest.mark.slow
def test_a_failure_is_of_what_failed(page: Page) -> None:
    """No shape of something to come stands under it, and another word or another likeness is asked for anew."""
    page.evaluate("Scratchpad.set({ errors: { tree: 'It failed.', heads: 'It failed.' }, tab: 'clusters' })")
    expect(page.locator("#sp-clusters [role=alert]")).to_contain_text("It failed.")
    expect(page.locator("#sp-clusters .sp-ghost")).to_have_count(0)
    page.locator("[data-likeness=tokens]").click()
    settled(page, "tree")
    expect(page.locator("#sp-clusters [role=alert]")).to_have_count(0)
    expect(page.locator("[data-leaf]").first).to_be_visible()
    page.locator("#sp-tab-attention").click()
    expect(page.locator("#sp-attention [role=alert]")).to_be_visible()
    page.locator("#sp-look .sp-token.sp-prompt").last.click()
    settled(page, "heads")
    expect(page.locator(".sp-cell").first).to_be_visible()


def test_a_click_shows_its_effect_on_the_same_screen_at_once(page: Page) -> None:
    """Before the next frame, without asking the server; milliseconds are printed by benchmarks.pointing."""
    clicks = [".sp-token.sp-prompt", ".sp-card .sp-name", ".sp-card .sp-pick", "[data-mode=colour]", "#sp-tab-heatmap"]
    before = "document.querySelector('#sp-app').innerHTML"
    for where in clicks:
        changed, jobs = page.evaluate(
            f"""async (where) => {{
              const before = {before};
              document.querySelector(where).click();
              for (let k = 0; k < 4; k++) await null;
              return [{before} !== before, Object.keys(Scratchpad.state.jobs)];
            }}""",
            where,
        )
        assert (changed, jobs) == (True, []), where
    expect(page.locator(".sp-map canvas")).to_be_in_viewport()
    expect(page.locator("#sp-heatmap canvas")).to_be_in_viewport()
    expect(page.locator("#sp-test .sp-in")).to_have_count(page.evaluate("Scratchpad.state.picked.length"))


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), pytest.param(1440, "dark", marks=pytest.mark.slow), (390, "dark")])
def test_axe_finds_no_violation(page: Page, address: str, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    themed(page, address, theme)
    page.locator(".sp-card .sp-name").first.click()
    acts = {"light": ("[data-evidence]", "#sp-tab-heatmap", "[data-open=glossary]"), "dark": ("[data-evidence]",)}[theme]
    for act in (*acts, "#sp-tab-layers") if (width, theme) == (1440, "dark") else acts:
        page.locator(act).click()
        settled(page, "layers")
        found = Axe().run(page)
        assert found.violations_count == 0, (act, found.generate_report())
        if act == "[data-evidence]":
            page.locator(act).click()


def test_by_keyboard_alone(page: Page) -> None:
    """From question to verdict without a pointer."""

    def reach(selector: str, most: int = 80) -> None:
        for _ in range(most):
            if page.evaluate("(q) => document.activeElement.matches(q)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} isn't reached")

    page.evaluate("Scratchpad.clear()")
    reach(".sp-question")
    page.keyboard.press("Control+A")
    page.keyboard.type("What animal is there?")
    page.keyboard.press("Enter")
    settled(page, "ask")
    assert answer(page)
    reach(".sp-token.sp-output")
    page.keyboard.press("Enter")
    reach(".sp-map canvas")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".sp-patch")).to_be_visible()
    reach("[role=tab]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sp-tab-heatmap")).to_be_focused()
    reach("#sp-heatmap .sp-scroll")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#sp-test .sp-in")).to_have_count(1)
    reach("#sp-test [data-do=go]")
    page.keyboard.press("Enter")
    settled(page, "test")
    expect(page.locator("#sp-test .sp-kind")).to_be_visible()
    expect(page.locator("#sp-test [data-do=go]")).to_be_focused()


def overlap(page: Page, one: str, other: str) -> bool:
    """Whether two elements cover each other anywhere."""
    a, b = (page.locator(name).first.bounding_box() for name in (one, other))
    assert a
    assert b
    apart = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
    return not (apart or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"])


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.slow)])
def test_the_tour_does_what_it_speaks_of(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.locator("[data-tour]").click()
    tour = page.locator("#sp-tour")
    expect(tour).to_contain_text("1 of 4")
    tour.locator("[data-next]").click()
    expect(tour).to_contain_text("2 of 4")
    assert page.evaluate("Scratchpad.state.latent") is not None
    expect(page.locator(".sp-card.sp-chosen")).to_be_in_viewport()
    assert not overlap(page, "#sp-tour", ".sp-card.sp-chosen"), "the tour hides the card that it speaks of"
    tour.locator("[data-next]").click()
    settled(page, "test")
    expect(tour).to_contain_text("the answer was")
    assert page.evaluate("Scratchpad.state.runs.length") == 2
    tour.locator("[data-next]").click()
    expect(page.locator(".sp-plot svg")).to_be_visible()
    assert width > 390 or not overlap(page, "#sp-tour", "[data-do=smallest]")
    tour.locator("[data-dismiss]").click()
    expect(tour).to_have_count(0)


@pytest.mark.parametrize("panel", ["heatmap", *(pytest.param(panel, marks=pytest.mark.slow) for panel in ("concepts", "evidence"))])
def test_a_panel_is_saved_as_a_picture(page: Page, tmp_path: Path, panel: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("[data-evidence]" if panel == "evidence" else f"#sp-tab-{panel}").click()
    root = ".sp-evidence" if panel == "evidence" else f"#sp-{panel}"
    with page.expect_download() as saved:
        page.locator(f"{root} [data-png]").click()
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    picture = Image.open(path).convert("RGB")
    wide = page.locator("#sp-heatmap .sp-wide").evaluate("(e) => e.offsetWidth") if panel == "heatmap" else 300
    assert picture.width >= 2 * wide  # what is scrolled on the page stands whole
    assert len(picture.getcolors(picture.width * picture.height) or []) > 50  # drawn, not blank


def blocks(picture: np.ndarray) -> np.ndarray:
    """The mean of every BLOCK x BLOCK of a picture's pixels."""
    rows, cols = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    return np.asarray(picture[: rows * BLOCK, : cols * BLOCK].reshape(rows, BLOCK, cols, BLOCK, 3).mean((1, 3, 4)))


def compared(page: Page, name: str, tmp_path: Path) -> None:
    """Holds the screen against the one that was kept, by blocks."""
    page.screenshot(timeout=PATIENCE, path=tmp_path / f"{name}.png")
    files = tmp_path / f"{name}.png", SCREENS / f"{name}.webp"
    own, kept = (np.asarray(Image.open(path).convert("RGB"), np.float32) for path in files)
    assert own.shape == kept.shape
    apart = float((np.abs(blocks(own) - blocks(kept)) > APART).mean())
    print(f"{name}: {apart:.3f} of the blocks differ")
    assert apart < SHARE, f"{name} looks otherwise than tests/ui/screens/{name}"


def test_it_looks_as_it_did(page: Page, tmp_path: Path) -> None:
    """The first screen, and a supported verdict with its evidence."""
    expect(page.locator(".sp-card .sp-ref canvas[data-painted]").nth(31)).to_be_attached()
    page.mouse.move(720, 5)
    compared(page, "first", tmp_path)
    press(page, "smallest")
    page.locator("[data-evidence]").click()
    page.mouse.move(720, 5)
    compared(page, "verdict", tmp_path)
    page.evaluate("document.querySelector('.sp-work').style.gridTemplateColumns = '1fr'")  # a break is seen
    with pytest.raises(AssertionError, match="looks otherwise"):
        compared(page, "first", tmp_path)
