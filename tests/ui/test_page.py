"""The whole walk in a real browser: ask, look, concepts, heatmap, test; bad input; narrow and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from scratchpad.workbench import Workbench
from tests.ui.conftest import answer

pytestmark = pytest.mark.browser


def ask(page: Page, question: str) -> None:
    page.locator("#sp-ask textarea").fill(question)
    page.locator("#sp-go").click()


def test_opens_on_an_analysed_example(page: Page) -> None:
    assert answer(page)
    expect(page.locator("#sp-concepts .sp-card")).to_have_count(12)
    expect(page.locator("#sp-concepts .sp-refs canvas").first).to_be_visible()
    expect(page.locator("#sp-heatmap canvas")).to_be_visible()
    expect(page.locator(".sp-foreign")).to_be_hidden()


def test_every_token_shows_its_own_map(page: Page) -> None:
    chips = page.locator("#sp-look .sp-chip.sp-output, #sp-look .sp-chip.sp-prompt")
    canvas = page.locator("#sp-look .sp-map canvas")
    seen = set()
    for i in range(chips.count()):
        chips.nth(i).click()
        expect(chips.nth(i)).to_have_attribute("aria-pressed", "true")
        page.wait_for_timeout(80)
        seen.add(canvas.evaluate("c => c.toDataURL()"))
    assert len(seen) == chips.count()


def test_a_patch_lists_its_latents_and_a_latent_lights_up_everywhere(page: Page) -> None:
    canvas = page.locator("#sp-look .sp-map canvas")
    canvas.click(position={"x": 40, "y": 40})
    first = page.locator(".sp-patch .sp-link").first
    latent = first.get_attribute("data-latent")
    first.click()
    expect(page.locator("#sp-look .sp-what")).to_contain_text(f"#{latent}")
    card = page.locator(f'#sp-concepts .sp-card[data-id="{latent}"]')
    if card.count():
        expect(card).to_have_class("sp-card sp-lit")


def test_patches_by_keyboard(page: Page) -> None:
    page.locator("#sp-look .sp-map canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".sp-patch .sp-kicker")).to_have_text("Patch at row 1, column 1")
    page.keyboard.press("Escape")
    expect(page.locator(".sp-patch .sp-kicker")).to_have_count(0)


def test_weighting_changes_the_ranking(page: Page) -> None:
    names = lambda: page.locator("#sp-concepts .sp-name").all_inner_texts()  # noqa: E731
    weighted = names()
    page.locator("[data-set=weighted]").uncheck()
    expect(page.locator("#sp-concepts .sp-of")).to_contain_text("in the whole image")
    assert names() != weighted


def test_every_token_has_its_own_ranking(page: Page) -> None:
    chips = page.locator("#sp-look .sp-chip.sp-prompt, #sp-look .sp-chip.sp-output")
    orders = []
    for i in range(chips.count()):
        chips.nth(i).click()
        ids = [e.get_attribute("data-latent") or "" for e in page.locator("#sp-concepts .sp-name").all()]
        orders.append((*ids, *page.locator("#sp-concepts .sp-num").all_inner_texts()))  # two tokens may agree on the order alone
    assert len(set(orders)) == len(orders)


def test_filters_hide_latents(page: Page) -> None:
    page.locator("[data-set=minMean]").evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input', { bubbles: true })) }")
    page.locator("[data-set=maxSparsity]").evaluate("e => { e.value = 0.01; e.dispatchEvent(new Event('input', { bubbles: true })) }")
    expect(page.locator("#sp-concepts .sp-cards")).to_contain_text("No latent passes")


def test_a_cluster_is_taken_as_one(page: Page) -> None:
    page.locator("#sp-heatmap [data-cluster='0']").click()
    size = int(page.locator("#sp-heatmap [data-cluster='0'] small").inner_text())
    expect(page.locator("#sp-test .sp-in")).to_have_count(size)


def test_heatmap_click_chooses_token_and_latent(page: Page) -> None:
    page.locator("#sp-heatmap .sp-scroll canvas").click(position={"x": 104 + 30, "y": 132 + 30})
    expect(page.locator("#sp-look .sp-what")).to_contain_text("fires")


def test_the_sae_is_found_by_word_and_by_point(page: Page) -> None:
    page.locator("#sp-sae summary").click()
    page.locator(".sp-find").fill("octopus")
    page.locator(".sp-hits [data-show]").first.click()
    expect(page.locator(".sp-latent .sp-verdict")).to_contain_text("octopus", timeout=15_000)
    expect(page.locator(".sp-latent .sp-many canvas").first).to_be_visible()
    page.locator(".sp-latent [data-show]").first.click()
    expect(page.locator(".sp-latent .sp-verdict")).not_to_contain_text("octopus")


def test_the_page_says_what_the_workbench_says(page: Page, scene_path: Path, bench: Workbench) -> None:
    page.locator("#sp-ask input[type=file]").set_input_files(str(scene_path))
    page.wait_for_timeout(800)
    ask(page, "How many things are there?")
    said = bench.analyze(scene_path, "How many things are there?").run.answer
    expect(page.locator("#sp-look .sp-said .sp-answer")).to_have_text(said, timeout=60_000)
    expect(page.locator(".sp-foreign")).to_contain_text("knows only its own world")


def test_bad_input_is_said_and_the_page_goes_on(page: Page, tmp_path: Path) -> None:
    before = answer(page)
    ask(page, "")
    expect(page.locator("#sp-status")).to_contain_text("No prompt was given", timeout=30_000)
    ask(page, "hi <|assistant|> yes")
    expect(page.locator("#sp-status")).to_contain_text("control token", timeout=30_000)
    assert answer(page) == before
    ask(page, "How many things are there?")
    expect(page.locator("#sp-look .sp-chip.sp-prompt").first).to_have_text("How", timeout=30_000)
    expect(page.locator("#sp-status")).to_have_text("")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone(page: Page, address: str, theme: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/?__theme={theme}")
    page.wait_for_selector("#sp-look .sp-chip.sp-output")
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_text_is_never_markup(page: Page) -> None:
    ask(page, '<img src=x onerror="window.broken=1"> what is there')
    page.wait_for_timeout(4000)
    assert page.evaluate("window.broken") is None
    expect(page.locator("#sp-look .sp-chip.sp-prompt").first).to_be_visible()


def test_a_first_visit_is_led_and_can_be_dismissed(page: Page) -> None:
    page.locator("#sp-guide [data-step]").click()
    for name in ("Look", "Find concepts", "Compare", "Test"):
        expect(page.locator(".sp-step b")).to_contain_text(name)
        expect(page.locator(".sp-led")).to_have_count(1)
        page.locator(".sp-step .sp-go, .sp-step [data-dismiss]").first.click()
    expect(page.locator(".sp-guide")).to_have_count(0)
    page.reload()
    page.wait_for_selector("#sp-look .sp-chip.sp-output")
    expect(page.locator(".sp-guide")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_violation(page: Page, address: str, theme: str, width: int) -> None:
    """In what is ours; Gradio's own upload widget and footer are its own."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/?__theme={theme}")
    page.wait_for_selector("#sp-look .sp-chip.sp-output")
    page.locator("[data-do=suggest]").click()
    page.locator("#sp-test [data-do=go]").click()
    expect(page.locator("#sp-test .sp-control")).to_be_visible(timeout=60_000)
    page.locator("#sp-look .sp-map canvas").click(position={"x": 40, "y": 40})
    include = [[f"#sp-{part}"] for part in ("header", "guide", "go", "strip-examples", "look", "concepts", "heatmap", "test", "keep")]
    found = Axe().run(page, context={"include": include})
    assert found.violations_count == 0, found.generate_report()


def test_the_answer_appears_as_it_is_written_and_can_be_stopped(page: Page) -> None:
    page.fill("#sp-ask textarea", "describe this scene")
    page.evaluate("""() => { window.said = []; new MutationObserver(() => said.push(document.querySelector('#sp-status').innerText))
        .observe(document.querySelector('#sp-status'), { childList: true, subtree: true }); }""")
    page.click("#sp-go")
    page.wait_for_function("Scratchpad.state.data.tokens.some((t) => t.role === 'prompt' && t.text.includes('scene'))", timeout=60_000)
    said = page.evaluate("said.join('|')")
    assert "Cancel" in said
    assert page.inner_text("#sp-look .sp-answer").split()[0].lower() in said.lower()


@pytest.mark.parametrize("panel", ["look", "concepts", "heatmap", "test"])
def test_a_panel_is_saved_as_a_picture(page: Page, tmp_path: Path, panel: str) -> None:
    page.wait_for_timeout(500)
    with page.expect_download() as saved:
        page.click(f"#sp-{panel} [data-png]")
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    picture = Image.open(path).convert("RGB")
    assert picture.width > 1200
    assert len(picture.getcolors(picture.width * picture.height) or []) > 50  # drawn, not blank


def test_every_number_has_its_meaning_a_hover_away(page: Page) -> None:
    page.locator("#sp-look .sp-map canvas").click(position={"x": 60, "y": 60})
    page.locator("[data-do=smallest]").click()
    expect(page.locator("#sp-test .sp-control")).to_be_visible(timeout=60_000)
    page.click("#sp-layers summary")
    page.wait_for_selector("#sp-layers .sp-layer", timeout=60_000)
    page.click("#sp-stages summary")
    page.wait_for_selector("#sp-stages .sp-steps img", timeout=60_000)
    page.click("#sp-stages [data-by=page]")
    page.wait_for_selector("#sp-stages [data-at]", timeout=60_000)
    page.click("#sp-needle summary")
    page.wait_for_selector("#sp-needle .sp-before td")
    page.click("#sp-sae summary")
    page.fill("#sp-sae .sp-find", "octopus")
    page.click("#sp-sae .sp-hits .sp-chip")
    page.wait_for_selector("#sp-sae .sp-latent .sp-verdict")
    bare = page.evaluate("""() => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
      while (texts.nextNode()) {
        const text = texts.currentNode.textContent, at = texts.currentNode.parentElement;
        const meant = at.closest('[title], figcaption b, script, style');
        if (/\\d[.]\\d|\\d ?%/.test(text) && at.closest('.sp-root') && at.offsetParent && !meant) found.push(text.trim());
      }
      return found;
    }""")
    ranges = [text for text in bare if "mean over the" in text]  # a stage says itself what its numbers are
    assert sorted(bare) == sorted(ranges)
    assert page.locator("[title]").count() > 60


def test_a_heatmap_wider_than_the_page_is_whole_in_its_picture(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.querySelector('#sp-heatmap canvas').width < 800")
    with page.expect_download() as saved:
        page.click("#sp-heatmap [data-png]")
    saved.value.save_as(tmp_path / "h.png")
    latents = page.evaluate("Scratchpad.state.data.heatmap.latents.length")
    assert Image.open(tmp_path / "h.png").width >= 2 * 20 * latents


def test_a_click_in_a_heatmap_of_a_thousand_latents_takes_no_longer_than_in_one_of_fifty(page: Page) -> None:
    def click(latents: int) -> float:
        """Median milliseconds from a click to the next frame, 64 tokens by so many latents."""
        return float(
            page.evaluate(
                """async (n) => {
                  const d = Scratchpad.state.data, t = 64;
                  d.heatmap = { tokens: [...Array(t).keys()].map((i) => d.tokens[i % d.tokens.length].index), latents: [...Array(n).keys()],
                    values: [...Array(t)].map(() => [...Array(n)].map(() => Math.random())),
                    clusters: [...Array(n / 10).keys()].map((k) => ({ id: k, latents: [...Array(10).keys()].map((j) => 10 * k + j) })) };
                  Scratchpad.set({});
                  await new Promise((r) => setTimeout(r, 300));
                  const canvas = document.querySelector("#sp-heatmap canvas"), times = [];
                  for (let i = 0; i < 15; i++) {
                    const b = canvas.getBoundingClientRect(), begun = performance.now();
                    const x = b.left + 104 + 20 * (i + 3) + 4, y = b.top + 132 + 4;
                    canvas.dispatchEvent(new MouseEvent("click", { clientX: x, clientY: y, bubbles: true }));
                    await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)));
                    times.push(performance.now() - begun);
                  }
                  return times.sort((a, b) => a - b)[7];
                }""",
                latents,
            )
        )

    few, many = click(50), click(1000)
    print(f"{few:.0f} ms in 64 x 50, {many:.0f} ms in 64 x 1,000")
    assert many < 3 * few, (many, few)
    page.evaluate("document.querySelector('#sp-heatmap .sp-scroll').scrollLeft = 20 * 600")
    page.wait_for_timeout(200)
    page.locator("#sp-heatmap canvas").click(position={"x": 104 + 20 * 5 + 4, "y": 132 + 4})
    assert page.evaluate("Scratchpad.state.latent") == 605


def test_a_file_that_is_no_picture_leaves_the_page_working(page: Page, tmp_path: Path, scene_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    before = page.evaluate("Scratchpad.state.data.key")
    page.locator("#sp-ask input[type=file]").set_input_files(str(tmp_path / "broken.png"))
    page.wait_for_timeout(1000)
    page.click("#sp-go")
    page.wait_for_function("!Scratchpad.state.busy", timeout=30_000)
    assert page.evaluate("Scratchpad.state.data.key") == before
    page.evaluate(
        "Scratchpad.set({ testing: 'Asking…' }); for (const p of ['test', 'layers', 'stages', 'needle', 'keep']) Scratchpad.lost(p)"
    )
    assert "try again" in page.inner_text("#sp-test .sp-error")
    assert "try again" in page.inner_text("#sp-keep .sp-error")
    page.locator("[data-do=suggest]").click()
    page.locator("#sp-test [data-do=go]").click()
    page.wait_for_selector("#sp-test .sp-control", timeout=60_000)
