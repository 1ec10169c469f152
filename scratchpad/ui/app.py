"""The page: layout and wiring. Gradio carries image and question in; the panels are HTML drawn from one JSON text."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from scratchpad.cases.store import Store
from scratchpad.errors import UserError
from scratchpad.images import load_image, save_upload, sha256
from scratchpad.panels import data_url
from scratchpad.ui.export import SCRIPTS, STATIC, title
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.keeping import Keeping
from scratchpad.ui.zero import on_gpu
from scratchpad.workbench import HOME, Workbench

GALLERY = HOME / "examples" / "scenes"
BUSY = "(...values) => { if (window.Scratchpad) Scratchpad.set({ busy: true }); return values; }"
TESTED = "() => { if (window.Scratchpad) Scratchpad.set({ testing: false }); }"
KEPT = "() => { const kept = window.Scratchpad && Scratchpad.state.kept; if (kept) document.title = kept.title; }"
READY = "() => { if (window.Scratchpad) Scratchpad.set({ busy: false }); }"

STRIP = """
element.addEventListener('click', (e) => {
  const b = e.target.closest('[data-example]');
  if (b) { if (window.Scratchpad) Scratchpad.set({ busy: true }); trigger('select', { example: +b.dataset.example }); }
});
"""
PANEL = """
const mount = () => {
  if (!window.Scratchpad || !Scratchpad.%(panel)s) { setTimeout(mount, 30); return; }
  const root = element.querySelector('.sp-root') || element;
  %(before)s
  Scratchpad.%(panel)s(root, trigger);
  %(after)s
};
mount();
"""


@dataclass(frozen=True)
class Parts:
    """The components that actions read and fill."""

    head: gr.HTML
    image: gr.Image
    prompt: gr.Textbox
    ask: gr.Button
    status: gr.HTML
    strip: gr.HTML
    look: gr.HTML
    test: gr.HTML
    keep: gr.HTML
    asked: gr.State  # image and question of the analysis on show


def build(bench: Workbench | None, shelf: list[Store]) -> gr.Blocks:
    """The page for one workbench, opened on its first example already analysed; without one it shows cases."""
    examples = load_examples() if bench and bench.vlm.own_world else []
    known = frozenset(sha256(load_image(path)) for path, _ in examples)
    handlers, keeping = Handlers(bench, known), Keeping(shelf, bench)
    first_image, first_prompt = examples[0] if examples else (None, "")
    first = handlers.ask(first_image, first_prompt) if examples else (None, "", None)

    with gr.Blocks(title="Visual Scratchpad", fill_width=True, analytics_enabled=False) as page:
        head = gr.HTML(header(bench), elem_id="sp-header")
        if examples:
            gr.HTML(html_template='<div class="sp-root"></div>', js_on_load=_panel("guide"), elem_id="sp-guide")
        asked = gr.State(first[2])
        with gr.Row(elem_id="sp-top"):
            image, prompt, ask, status, strip = _ask_column(examples, (first_image, first_prompt), visible=bench is not None)
            with gr.Column(scale=3, min_width=320):
                look = gr.HTML(
                    first[0] or "",
                    html_template='<div class="sp-root"></div>',
                    js_on_load=_panel("look", after="Scratchpad.load(props.value); watch('value', () => Scratchpad.load(props.value));"),
                    elem_id="sp-look",
                )
        gr.HTML(
            html_template='<div class="sp-root"></div>',
            js_on_load=_panel("concepts", before="Scratchpad.serve((id) => server.detail(id));"),
            server_functions=[_named(handlers.detail, "detail")],
            elem_id="sp-concepts",
        )
        gr.HTML(html_template='<div class="sp-root"></div>', js_on_load=_panel("heatmap"), elem_id="sp-heatmap")
        test = gr.HTML(
            "",
            html_template='<div class="sp-root"></div>',
            js_on_load=_panel(
                "test",
                after="watch('value', () => Scratchpad.compare(props.value));",
            )
            + "// trigger('select')",
            elem_id="sp-test",
        )
        if bench is not None:
            _sae_panel(handlers)
        keep = _keep_panel(keeping)
        parts = Parts(head, image, prompt, ask, status, strip, look, test, keep, asked)
        _wire(handlers, examples, parts)
        _wire_cases(keeping, bench, parts, page)
    return page


def _ask_column(
    examples: list[tuple[str, str]], first: tuple[str | None, str], visible: bool
) -> tuple[gr.Image, gr.Textbox, gr.Button, gr.HTML, gr.HTML]:
    """ASK: image, question, button, status line, examples."""
    with gr.Column(scale=1, min_width=300, elem_id="sp-ask", visible=visible):
        image = gr.Image(
            first[0],
            type="filepath",
            label="Image",
            sources=["upload", "clipboard"],
            height=250,
            buttons=[],
        )
        prompt = gr.Textbox(first[1], label="Question", placeholder="What is in the picture?", lines=1, max_lines=4, max_length=4000)
        ask = gr.Button("Ask", variant="primary", elem_id="sp-go")
        status = gr.HTML(elem_id="sp-status")
        strip = gr.HTML(_strip(examples), js_on_load=STRIP, visible=bool(examples), elem_id="sp-strip-examples")
    return image, prompt, ask, status, strip


def _sae_panel(handlers: Handlers) -> None:
    """THE SAE, which reads nothing before it's opened."""
    gr.HTML(
        html_template='<div class="sp-root"></div>',
        js_on_load=_panel("sae").replace("Scratchpad.sae(root, trigger);", "Scratchpad.sae(root, server);"),
        server_functions=[_named(getattr(handlers, name), name) for name in ("overview", "latent", "search")],
        elem_id="sp-sae",
    )


def _keep_panel(keeping: Keeping) -> gr.HTML:
    """KEEP, which tells itself of every new value."""
    return gr.HTML(
        "",
        html_template='<div class="sp-root"></div>',
        js_on_load=_panel("keep", before="let told;", after="watch('value', () => props.value && told(props.value));").replace(
            "Scratchpad.keep(root, trigger);", "told = Scratchpad.keep(root, trigger, server); if (props.value) told(props.value);"
        )
        + "// trigger('select')",
        server_functions=[_named(keeping.file, "file"), _named(on_gpu(keeping.replay), "replay")],
        elem_id="sp-keep",
    )


def _wire(handlers: Handlers, examples: list[tuple[str, str]], parts: Parts) -> None:
    """Which action calls which handler, and what it fills."""
    shown = [parts.look, parts.status, parts.asked]
    ask, ablate = on_gpu(handlers.ask), on_gpu(handlers.ablate)
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_id": "model"}

    def on_ask(path: str | None, text: str, before: dict[str, str] | None) -> tuple[Any, str, Any]:
        found, said, now = ask(path, text)
        return (found, "", now) if found else (gr.skip(), f'<p role="alert">{html.escape(said)}</p>', before)

    def on_example(event: gr.EventData) -> tuple[Any, ...]:
        path, text = examples[int((event._data or {}).get("example", 0)) % len(examples)]
        return path, text, *on_ask(path, text, None)

    def on_ablate(now: dict[str, str] | None, event: gr.EventData) -> str:
        return str(ablate(now, dict(event._data or {})))

    given = [parts.image, parts.prompt, parts.asked]
    parts.ask.click(on_ask, given, shown, js=BUSY, api_name="ask", **quiet).then(None, js=READY)
    parts.prompt.submit(on_ask, given, shown, js=BUSY, api_visibility="private", **quiet).then(None, js=READY)
    filled = [parts.image, parts.prompt, *shown]
    parts.strip.select(on_example, None, filled, api_visibility="private", **quiet).then(None, js=READY)
    parts.test.select(on_ablate, [parts.asked], [parts.test], api_visibility="private", **quiet).then(None, js=TESTED)


def _wire_cases(keeping: Keeping, bench: Workbench | None, parts: Parts, page: gr.Blocks) -> None:
    """Opening /?case=ID, keeping what is on show, going on from a case."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    ask, keep = on_gpu(Handlers(bench).ask), on_gpu(keeping.keep)

    def on_open(request: gr.Request) -> tuple[Any, ...]:
        first = keeping.first()
        case = request.query_params.get("case", "")
        if not case:
            said = "" if bench else "No model is loaded here; open a case from the gallery."
            return gr.skip(), gr.skip(), json.dumps(first | ({"error": said} if said else {}))
        try:
            drawn, made = keeping.open(case)
            return title(made), drawn, json.dumps(first)
        except UserError as error:
            return gr.skip(), gr.skip(), json.dumps(first | {"error": str(error)})

    def on_keep(now: dict[str, str] | None, event: gr.EventData) -> tuple[Any, ...]:
        wanted = dict(event._data or {})
        if "fork" not in wanted:
            return *[gr.skip()] * 5, keep(now, wanted)
        try:
            _, made = keeping.open(str(wanted["fork"]))
            path = str(save_upload(made.images[0]))
            found, said, asked = ask(path, made.case.prompt)
            if found is None:
                raise UserError(said)
            return header(bench), path, made.case.prompt, found, asked, json.dumps({"forked": True})
        except UserError as error:
            return *[gr.skip()] * 5, json.dumps({"error": str(error)})

    page.load(on_open, None, [parts.head, parts.look, parts.keep], **quiet).then(None, js=KEPT)
    filled = [parts.head, parts.image, parts.prompt, parts.look, parts.asked, parts.keep]
    parts.keep.select(on_keep, [parts.asked], filled, concurrency_id="model", **quiet)


def launch(bench: Workbench | None, host: str, port: int, shelf: list[Store]) -> None:
    """Serves the page until interrupted.

    Raises:
        UserError: the port is taken.
    """
    script = "\n".join((STATIC / name).read_text() for name in (*SCRIPTS, "sae.js", "guide.js"))
    try:
        build(bench, shelf).queue(default_concurrency_limit=1, max_size=64).launch(
            server_name=host,
            server_port=port,
            head=f"<script>{script}</script>",
            css_paths=STATIC / "page.css",
            theme=_theme(),
            footer_links=["api"],
            show_error=False,
            share=False,
            max_file_size="64mb",
            ssr_mode=False,
        )
    except OSError as error:
        raise UserError(f"Port {port} on {host} can't be used ({error}); choose another with --port.") from error


def load_examples() -> list[tuple[str, str]]:
    """(path, question) of the shipped scenes."""
    listing = GALLERY / "scenes.json"
    if not listing.is_file():
        return []
    return [(str(GALLERY / row["file"]), row["question"]) for row in json.loads(listing.read_text())]


def _strip(examples: list[tuple[str, str]]) -> str:
    """The example scenes as a row of small pictures."""
    rows = [
        f'<button type="button" data-example="{i}"><img src="{data_url(load_image(path))}" alt=""><span>{html.escape(text)}</span></button>'
        for i, (path, text) in enumerate(examples)
    ]
    return f'<div class="sp-root"><p class="sp-kicker">Scenes from its own world</p><div class="sp-strip-row">{"".join(rows)}</div></div>'


def header(bench: Workbench | None) -> str:
    """Title, and which model and SAE are loaded."""
    if bench is None:
        return '<header class="sp-head"><h1>Visual Scratchpad</h1><p>Cases that were kept; no model is loaded here.</p></header>'
    name, sae = html.escape(bench.vlm.name), html.escape(bench.sae.name)
    return (
        '<header class="sp-head"><h1>Visual Scratchpad</h1><p>Which concepts did the model see, and which did its answer use?</p>'
        f"<dl><div><dt>model</dt><dd>{name}</dd></div><div><dt>SAE</dt><dd>{sae}, vision layer {bench.sae.layer} "
        f"of 0–{len(bench.vlm.blocks) - 1}, {bench.sae.d_sae} latents</dd></div></dl></header>"
    )


def _panel(panel: str, before: str = "", after: str = "") -> str:
    return PANEL % {"panel": panel, "before": before, "after": after}


def _named(function: Any, name: str) -> Any:
    def call(given: Any) -> str:
        return str(function(given))

    call.__name__ = name
    return call


def _theme() -> gr.themes.Base:
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    mono = ["ui-monospace", "Consolas", "monospace"]
    return gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=sans, font_mono=mono, radius_size="md")  # type: ignore[arg-type]
