"""Takes the kept screens and README's picture anew, after a change of the page that is meant: python -m tests.ui.shoot"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.ui.conftest import FLAGS, browser_path, press, served, visit

SCREENS = Path(__file__).parent / "screens"
README = Path(__file__).parents[2] / "examples" / "page.png"
SIZE = (1440, 900)
QUALITY = 70  # of WebP: the screens are compared by blocks


def taken(page: Page) -> Image.Image:
    """The screen, with nothing under the pointer and every reference picture drawn."""
    page.wait_for_function("document.querySelectorAll('.sp-card .sp-ref canvas[data-painted]').length >= 32")
    page.mouse.move(SIZE[0] / 2, 5)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_function("!Scratchpad.state.hover")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main() -> None:
    with tempfile.TemporaryDirectory() as store, served(Path(store)) as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path(), args=FLAGS)
        context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        context.add_init_script("localStorage.setItem('scratchpad-tour', '1')")
        page = visit(context.new_page(), url)
        taken(page).save(README, optimize=True)
        page = visit(browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}).new_page(), url)
        taken(page).save(SCREENS / "first.webp", quality=QUALITY)
        press(page, "smallest")
        page.locator("[data-evidence]").click()
        taken(page).save(SCREENS / "verdict.webp", quality=QUALITY)
        browser.close()


if __name__ == "__main__":
    main()
