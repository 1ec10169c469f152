"""A case as one HTML page: opens from disk, asks nobody, keeps working. The same panels as the live page, the same style.

In: a `Bundle`. Out: text. The page may run only its own script (Content-Security-Policy), and what the case says is data.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

from scratchpad.cases.bundle import Bundle
from scratchpad.ui.envelope import opened

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
START = """
if (matchMedia("(prefers-color-scheme: dark)").matches) document.body.classList.add("dark");
Scratchpad.mount(document.getElementById("page"));
Scratchpad.load(JSON.parse(document.getElementById("case").textContent));
"""


def page(made: Bundle) -> str:
    """The whole page."""
    data = json.dumps(opened(made), allow_nan=False).replace("<", "\\u003c")
    script, style = (STATIC / "page.js").read_text(), (STATIC / "page.css").read_text()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{html.escape(made.case.title)}</title><style>{style}</style></head>
<body class="sp-alone"><main id="page"></main>
<script type="application/json" id="case">{data}</script><script>{script}
{START}</script></body></html>
"""
