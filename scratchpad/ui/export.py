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
SCRIPTS = (
    "store.js",
    "paint.js",
    "words.js",
    "going.js",
    "png.js",
    "look.js",
    "concepts.js",
    "heatmap.js",
    "effects.js",
    "test.js",
    "keep.js",
)
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
START = """
if (matchMedia("(prefers-color-scheme: dark)").matches) document.body.classList.add("dark");
const at = (id) => document.getElementById(id), none = () => {};
Scratchpad.look(at("sp-look"), none); Scratchpad.concepts(at("sp-concepts"), none); Scratchpad.heatmap(at("sp-heatmap"), none);
Scratchpad.test(at("sp-test"), none); Scratchpad.keep(at("sp-keep"), none);
Scratchpad.load(at("case").textContent);
"""


def page(made: Bundle) -> str:
    """The whole page."""
    case = made.case
    data = json.dumps(opened(made), allow_nan=False).replace("<", "\\u003c")
    script = "\n".join((STATIC / name).read_text() for name in SCRIPTS)
    style = (STATIC / "page.css").read_text()
    panels = "".join(f'<div id="sp-{name}" class="sp-root"></div>' for name in ("look", "concepts", "heatmap", "test", "keep"))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{html.escape(case.title)}</title><style>{style}</style></head>
<body class="sp-alone"><main class="gradio-container">{title(made)}{panels}</main>
<script type="application/json" id="case">{data}</script><script>{script}
{START}</script></body></html>
"""


def title(made: Bundle) -> str:
    """The head of an open case."""
    case = made.case
    return (
        f'<header class="sp-head"><h1>{html.escape(case.title)}</h1><p>{html.escape(case.analysis.question.prompt)}</p>'
        f"<dl><div><dt>model</dt><dd>{html.escape(case.analysis.model.name)}</dd></div>"
        f"<div><dt>SAE</dt><dd>{html.escape(case.analysis.sae.name)}, vision layer {case.analysis.sae.layer}</dd></div></dl></header>"
    )
