"""Several images on the page: asked about together, drawn on one sheet, tested one at a time, kept and opened again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from scratchpad.records import Edit, LatentEdit
from scratchpad.ui.app import load_examples
from scratchpad.workbench import Workbench

pytestmark = pytest.mark.browser
THUMBS = "#sp-further .thumbnail-item img, #sp-further .grid-container img"
QUESTION = "what is in <image> and not in <image> or <image>"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The example, another scene in another shape, and that scene."""
    (first, _), (other, _) = load_examples()[0], load_examples()[3]
    wide = tmp_path_factory.mktemp("pictures") / "wide.png"
    Image.open(other).crop((0, 40, 224, 152)).resize((448, 224)).save(wide)
    return [first, str(wide), other]


@pytest.fixture(scope="module")
def shared(chromium: Browser, address: str, pictures: list[str]) -> Iterator[Page]:
    """A page on which three pictures were asked about."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(address)
    page.wait_for_selector("#sp-look .sp-chip.sp-output", timeout=60_000)
    add(page, pictures[1:])
    page.fill("#sp-ask textarea", QUESTION)
    page.click("#sp-go")
    page.wait_for_function("Scratchpad.state.data.sizes.length === 3 && !Scratchpad.state.busy", timeout=60_000)
    page.wait_for_function("document.querySelector('#sp-look .sp-map canvas').width > 600")  # of the first example alone it's 224
    yield page
    page.context.close()
    assert errors == []


@pytest.fixture
def asked(shared: Page) -> Page:
    """The same, nothing chosen or tested yet."""
    shared.evaluate(
        "Scratchpad.set({ picked: [], own: {}, ops: {}, runs: [], at: -1, comparison: null, region: null, image: null, patch: null })"
    )
    return shared


def add(page: Page, files: list[str]) -> None:
    page.click("#sp-further button")
    page.set_input_files("#sp-further input[type=file]", files)
    expect(page.locator(THUMBS)).to_have_count(len(files), timeout=30_000)


def test_they_are_read_together_and_drawn_on_one_sheet(asked: Page, pictures: list[str], bench: Workbench) -> None:
    own = bench.analyze(pictures, QUESTION)
    told = asked.evaluate("(({ answer, sizes, tiles, active }) => ({ answer, sizes, tiles, active }))(Scratchpad.state.data)")
    assert told["answer"] == own.run.answer
    assert told["sizes"] == [[224, 224], [224, 448], [224, 224]]
    assert [tile["image"] for tile in told["tiles"]] == [0, 1, 2]
    assert told["active"] == own.codes.active().tolist()
    for p in range(0, own.run.grid.patches, 29):
        box = asked.evaluate("(p) => Scratchpad.patchBox(Scratchpad.state.data, p)", p)
        assert box == pytest.approx(own.run.grid.patch_boxes()[p].tolist())
        back = "([p, i]) => { const b = Scratchpad.patchBox(Scratchpad.state.data, p);"
        back += " return Scratchpad.patchAt(Scratchpad.state.data, i, (b[0] + b[2]) / 2, (b[1] + b[3]) / 2); }"
        assert asked.evaluate(back, [p, int(own.run.grid.patch_images()[p])]) == p


def test_a_click_and_the_arrows_find_the_patch_under_them(asked: Page) -> None:
    canvas = asked.locator("#sp-look .sp-map canvas")
    place = asked.evaluate("Scratchpad.onSheet(Scratchpad.state.data, 1, [100, 300, 116, 332])")
    high, wide = asked.evaluate("Scratchpad.sheet(Scratchpad.state.data).size")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    asked.mouse.click(
        box["x"] + (place[0] + place[2] / 2) / wide * box["width"], box["y"] + (place[1] + place[3] / 2) / high * box["height"]
    )
    rows, cols = 14, 14
    assert asked.evaluate("Scratchpad.state.patch") == rows * cols + (108 * rows // 224) * cols + 316 * cols // 448
    expect(asked.locator(".sp-patch .sp-kicker")).to_contain_text("of picture 2")
    asked.evaluate("Scratchpad.set({ patch: 13 })")
    canvas.focus()
    canvas.press("ArrowRight")  # over the gap
    assert asked.evaluate("Scratchpad.tileOf(Scratchpad.state.data, Scratchpad.state.patch)[0].image") == 1
    canvas.press("ArrowLeft")
    assert asked.evaluate("Scratchpad.tileOf(Scratchpad.state.data, Scratchpad.state.patch)[0].image") == 0


def test_a_region_grown_by_keys_stays_in_its_picture(asked: Page) -> None:
    canvas = asked.locator("#sp-look .sp-map canvas")
    asked.evaluate("Scratchpad.set({ patch: 0 })")
    canvas.focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowDown"):
        canvas.press(key)
    assert asked.evaluate("[Scratchpad.state.region, Scratchpad.state.image]") == [[0, 0, 32, 32], 0]
    asked.click("[data-mark]")  # clears it
    asked.evaluate("Scratchpad.set({ patch: 196 })")
    canvas.focus()
    canvas.press("Shift+ArrowRight")
    assert asked.evaluate("[Scratchpad.state.region, Scratchpad.state.image]") == [[0, 0, 16, 64], 1]
    asked.click("[data-mark]")
    asked.select_option("[data-image]", "2")
    canvas.press("ArrowRight")
    assert asked.evaluate("Scratchpad.state.image") == 2, "moving about undoes what was chosen"


def test_a_test_acts_on_one_picture_or_a_part_of_it(asked: Page, pictures: list[str], bench: Workbench) -> None:
    own = bench.analyze(pictures, QUESTION)
    asked.select_option("[data-image]", "2")
    asked.click("[data-do=suggest]")
    expect(asked.locator("#sp-test .sp-picked")).to_contain_text("only on picture 3")
    asked.click("#sp-test [data-do=go]")
    asked.wait_for_selector("#sp-test .sp-control", timeout=60_000)
    told = asked.evaluate("Scratchpad.state.comparison")
    assert {item["image"] for item in told["items"]} == {2}
    assert {item["region"] for item in told["items"]} == {None}
    same = bench.ablate(own, Edit(tuple(LatentEdit(i["latent"], "scale", 0.0, None, 2) for i in told["items"])))
    assert told["delta_logprob"]["tokens"] == pytest.approx(list(same.delta_logprob), abs=1e-4)
    asked.click("[data-mark]")
    high, wide = asked.evaluate("Scratchpad.sheet(Scratchpad.state.data).size")
    asked.locator("#sp-look .sp-map canvas").scroll_into_view_if_needed()
    box = asked.locator("#sp-look .sp-map canvas").bounding_box()
    assert box
    corners = [asked.evaluate("(b) => Scratchpad.onSheet(Scratchpad.state.data, 1, b)", [y, x, y, x]) for y, x in ((20, 40), (500, 400))]
    for (x, y, _, _), act in zip(corners, (asked.mouse.down, asked.mouse.up), strict=True):  # the second is below the picture
        asked.mouse.move(box["x"] + x / wide * box["width"], box["y"] + y / high * box["height"], steps=4)
        act()
    region, image = asked.evaluate("[Scratchpad.state.region, Scratchpad.state.image]")
    assert image == 1
    assert region == pytest.approx([20, 40, 224, 400], abs=4)
    asked.click("#sp-test [data-do=go]")
    asked.wait_for_function("Scratchpad.state.runs.length === 2", timeout=60_000)
    assert {(item["image"], *item["region"]) for item in asked.evaluate("Scratchpad.state.comparison.items")} == {(1, *region)}


def test_a_case_keeps_them_all(asked: Page, address: str) -> None:
    answer = asked.evaluate("Scratchpad.state.data.answer")
    asked.select_option("[data-image]", "1")
    asked.click("[data-do=suggest]")
    asked.click("#sp-test [data-do=go]")
    asked.wait_for_selector("#sp-test .sp-control", timeout=60_000)
    asked.locator("[data-keep]").click()
    link = asked.locator("#sp-keep .sp-kept a")
    expect(link).to_be_visible(timeout=60_000)
    page = asked.context.new_page()
    page.goto(f"{address}/?case={(link.get_attribute('href') or '').partition('case=')[2]}")
    page.wait_for_function("window.Scratchpad && Scratchpad.state.kept && Scratchpad.state.data.sizes.length === 3", timeout=60_000)
    assert page.evaluate("[Scratchpad.state.data.answer, Scratchpad.state.data.images.length, Scratchpad.state.image]") == [answer, 3, 1]
    page.locator("[data-again]").click()
    expect(page.locator("#sp-keep")).to_contain_text("It agrees.", timeout=90_000)
    page.locator("[data-fork]").click()
    page.wait_for_function("!Scratchpad.state.kept && Scratchpad.state.data.images.length === 3", timeout=60_000)
    expect(page.locator(THUMBS)).to_have_count(2, timeout=30_000)
    page.close()


def test_processing_and_layers_show_every_picture(asked: Page) -> None:
    asked.click("#sp-stages summary")
    expect(asked.locator("#sp-stages .sp-steps")).to_contain_text("224 x 224, 224 x 448, 224 x 224 px", timeout=90_000)
    asked.click("#sp-layers summary")
    asked.wait_for_selector("#sp-layers figure img", timeout=90_000)
    assert asked.evaluate("document.querySelector('#sp-layers figure img').naturalWidth") > 112


def test_too_many_are_a_sentence(page: Page, pictures: list[str]) -> None:
    add(page, [pictures[0]] * 10)
    page.click("#sp-go")
    expect(page.locator("#sp-status [role=alert]")).to_contain_text("11 images were given; expected 1 to 10", timeout=60_000)
