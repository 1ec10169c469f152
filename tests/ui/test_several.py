"""Several images on the page: asked about together, drawn on one sheet, tested one at a time, kept and opened again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from scratchpad.records import Edit, LatentEdit
from scratchpad.ui.app import load_examples
from scratchpad.workbench import Workbench
from tests.ui.conftest import PATIENCE, ask, press, visit

pytestmark = pytest.mark.browser
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
    page = visit(chromium.new_context(viewport={"width": 1440, "height": 900}).new_page(), address)
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    add(page, pictures)
    ask(page, QUESTION)
    page.wait_for_function("Scratchpad.state.analysis.sizes.length === 3")
    page.wait_for_function("document.querySelector('.sp-map canvas').width > 600")  # of one example alone it's 224
    yield page
    page.context.close()
    assert errors == []


@pytest.fixture
def asked(shared: Page) -> Page:
    """The same, nothing chosen or tested yet."""
    fresh = "{ runs: [], at: -1, patch: null, latent: null, hover: null, evidence: false, drawer: null }"
    shared.evaluate(f"Scratchpad.set({fresh}); Scratchpad.clear()")
    return shared


def add(page: Page, files: list[str]) -> None:
    """Puts pictures into the question bar, in place of the one that's there."""
    page.set_input_files("#sp-ask input[type=file]", files)
    page.wait_for_function(
        "(n) => Scratchpad.state.draft.images.filter((i) => i.ref.upload).length === n", arg=len(files), timeout=PATIENCE
    )


def test_they_are_read_together_and_drawn_on_one_sheet(asked: Page, pictures: list[str], bench: Workbench) -> None:
    own = bench.analyze(pictures, QUESTION)
    told = asked.evaluate("(({ answer, sizes, tiles, active }) => ({ answer, sizes, tiles, active }))(Scratchpad.state.analysis)")
    assert told["answer"] == own.run.answer
    assert told["sizes"] == [[224, 224], [224, 448], [224, 224]]
    assert [tile["image"] for tile in told["tiles"]] == [0, 1, 2]
    assert told["active"] == own.codes.active().tolist()
    expect(asked.locator("#sp-ask .sp-thumb")).to_have_count(3)
    for p in range(0, own.run.grid.patches, 29):
        box = asked.evaluate("(p) => Scratchpad.sheet.patchBox(Scratchpad.state.analysis, p)", p)
        assert box == pytest.approx(own.run.grid.patch_boxes()[p].tolist())
        back = "([p, i]) => { const { patchBox, patchAt } = Scratchpad.sheet, b = patchBox(Scratchpad.state.analysis, p);"
        back += " return patchAt(Scratchpad.state.analysis, i, (b[0] + b[2]) / 2, (b[1] + b[3]) / 2); }"
        assert asked.evaluate(back, [p, int(own.run.grid.patch_images()[p])]) == p


def image_of(page: Page) -> int:
    return int(page.evaluate("Scratchpad.sheet.tileOf(Scratchpad.state.analysis, Scratchpad.state.patch).image"))


def place(page: Page, image: int, box: list[float]) -> list[float]:
    """[x, y, w, h] on the screen of a box in a picture's own pixels."""
    high, wide = page.evaluate("Scratchpad.sheet.sheet(Scratchpad.state.analysis).size")
    x, y, w, h = page.evaluate("([i, b]) => Scratchpad.sheet.onSheet(Scratchpad.state.analysis, i, b)", [image, box])
    page.locator(".sp-map canvas").scroll_into_view_if_needed()
    at = page.locator(".sp-map canvas").bounding_box()
    assert at
    across, down = at["width"] / wide, at["height"] / high
    return [at["x"] + x * across, at["y"] + y * down, w * across, h * down]


def test_a_click_and_the_arrows_find_the_patch_under_them(asked: Page) -> None:
    x, y, w, h = place(asked, 1, [100, 300, 116, 332])
    asked.mouse.click(x + w / 2, y + h / 2)
    rows, cols = 14, 14
    assert asked.evaluate("Scratchpad.state.patch") == rows * cols + (108 * rows // 224) * cols + 316 * cols // 448
    expect(asked.locator(".sp-patch")).to_contain_text("of picture 2")
    asked.evaluate("Scratchpad.set({ patch: 13 })")
    canvas = asked.locator(".sp-map canvas")
    canvas.focus()
    canvas.press("ArrowRight")  # over the gap
    assert image_of(asked) == 1
    canvas.press("ArrowLeft")
    assert image_of(asked) == 0


@pytest.mark.slow
def test_a_region_grown_by_keys_stays_in_its_picture(asked: Page) -> None:
    canvas = asked.locator(".sp-map canvas")
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
    asked.locator(".sp-card .sp-pick").first.click()
    expect(asked.locator(".sp-where")).to_contain_text("only on picture 3")
    press(asked, "go")
    run = asked.evaluate("Scratchpad.state.runs[0].test.comparison")
    items = run["edit"]["items"]
    assert {item["image"] for item in items} == {2}
    assert {item["region"] for item in items} == {None}
    same = bench.test(own, Edit(tuple(LatentEdit(i["latent"], "scale", 0.0, None, 2) for i in items))).comparison
    assert run["delta_logprob"] == pytest.approx(list(same.delta_logprob), abs=1e-4)
    asked.click("[data-mark]")
    for (y, x), act in zip(((20, 40), (500, 400)), (asked.mouse.down, asked.mouse.up), strict=True):  # the second is below the picture
        left, top, _, _ = place(asked, 1, [y, x, y, x])
        asked.mouse.move(left, top, steps=4)
        act()
    region, image = asked.evaluate("[Scratchpad.state.region, Scratchpad.state.image]")
    assert image == 1
    assert region == [16, 32, 224, 416]  # whole patches of 16 x 32 px
    press(asked, "go")
    items = asked.evaluate("Scratchpad.state.runs[1].test.comparison.edit.items")
    assert {(item["image"], *item["region"]) for item in items} == {(1, *region)}


def test_an_answer_of_nothing_is_explained(asked: Page) -> None:
    asked.evaluate(
        "Scratchpad.set({ analysis: { ...Scratchpad.state.analysis, answer: '', outputs: [], tokens:"
        " Scratchpad.state.analysis.tokens.filter((t) => t.role !== 'output') } })"
    )
    expect(asked.locator(".sp-nothing")).to_contain_text("may not be trained on several pictures")
    ask(asked, QUESTION)


@pytest.mark.slow
def test_a_case_keeps_them_all(asked: Page, address: str) -> None:
    answer = asked.evaluate("Scratchpad.state.analysis.answer")
    asked.select_option("[data-image]", "1")
    asked.locator(".sp-card .sp-pick").first.click()
    press(asked, "go")
    asked.click("[data-open=share]")
    asked.click("[data-keep]")
    link = asked.locator("#sp-keep .sp-kept a")
    expect(link).to_be_visible(timeout=PATIENCE)
    page = asked.context.new_page()
    visit(page, f"{address}/?case={(link.get_attribute('href') or '').partition('case=')[2]}")
    asked.keyboard.press("Escape")
    page.wait_for_function("Scratchpad.state.kase && Scratchpad.state.analysis.sizes.length === 3", timeout=PATIENCE)
    assert page.evaluate("[Scratchpad.state.analysis.answer, Scratchpad.state.page.images.length, Scratchpad.state.image]") == [
        answer,
        3,
        1,
    ]
    page.locator("[data-again]").click()
    expect(page.locator(".sp-again")).to_contain_text("It agrees.", timeout=PATIENCE)
    page.locator("[data-fork]").click()
    page.wait_for_function("!Scratchpad.state.kase && Scratchpad.state.page.images.length === 3", timeout=PATIENCE)
    expect(page.locator("#sp-ask .sp-thumb")).to_have_count(3)
    page.close()


@pytest.mark.slow
def test_processing_and_layers_show_every_picture(asked: Page) -> None:
    asked.click("#sp-tab-maps")
    expect(asked.locator("#sp-stages .sp-steps")).to_contain_text("224 x 224, 224 x 448, 224 x 224 px", timeout=PATIENCE)
    asked.click("#sp-tab-layers")
    asked.wait_for_selector(".sp-layer img", timeout=PATIENCE)
    assert asked.evaluate("document.querySelector('.sp-layer img').naturalWidth") > 112
    asked.click("#sp-tab-concepts")


def test_too_many_are_a_sentence(page: Page, pictures: list[str]) -> None:
    add(page, [pictures[0]] * 11)
    ask(page, "what is there")
    expect(page.locator("#sp-status [role=alert]")).to_contain_text("11 images were given; expected 1 to 10")
