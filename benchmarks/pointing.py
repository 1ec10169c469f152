"""Milliseconds from pointing or clicking to a drawn page: on the opening example, and with 64 tokens x 1,000 latents beside it.

    python -m benchmarks.pointing

A server and a Chromium of its own; nothing is asked of the server meanwhile. Pointing is the median of 24 things: latents, tokens and
patches in turn.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import report
from tests.ui.conftest import FLAGS, browser_path, served, visit
from tests.ui.test_page import LARGE

POINT = """async () => {
  const spent = [];
  for (let i = 0; i < 24; i++) {
    const from = performance.now();
    Scratchpad.set({ hover: [{ latent: 7 * i }, { token: i }, { patch: i }][i % 3] });
    for (let k = 0; k < 4; k++) await null;
    document.body.offsetHeight;
    spent.push(performance.now() - from);
    await new Promise((done) => requestAnimationFrame(done));
  }
  return spent.sort((a, b) => a - b)[12];
}"""
CLICK = """async (where) => {
  const from = performance.now();
  document.querySelector(where).click();
  for (let k = 0; k < 4; k++) await null;
  document.body.offsetHeight;
  return performance.now() - from;
}"""
CLICKS = {"a word": ".sp-token.sp-prompt", "a card": ".sp-card .sp-name", "switch off": ".sp-card .sp-pick", "a tab": "#sp-tab-heatmap"}


def rows(page: Page) -> list[dict[str, object]]:
    """A row for every thing done, in milliseconds."""
    made: list[dict[str, object]] = [{"done": f"a click on {what}", "ms": page.evaluate(CLICK, where)} for what, where in CLICKS.items()]
    for tab in ("concepts", "heatmap"):
        page.evaluate("(tab) => Scratchpad.set({ tab })", tab)
        made.append({"done": f"pointing, {tab}, as it opens", "ms": page.evaluate(POINT)})
    for tab in ("concepts", "heatmap"):
        page.evaluate(LARGE.replace("TAB", tab))
        made.append({"done": f"pointing, {tab}, 64 x 1,000", "ms": page.evaluate(POINT)})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as store, served(Path(store)) as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = visit(browser.new_page(viewport={"width": 1440, "height": 900}), url)
        report("pointing", rows(page), {"page": "1440 x 900"}, options.json)
        browser.close()


if __name__ == "__main__":
    main()
