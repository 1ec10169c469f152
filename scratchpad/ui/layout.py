"""What is on the page and where. Knows no handler: `wiring` says what happens."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from scratchpad.benches import Benches
from scratchpad.images import MAX_IMAGES, load_image
from scratchpad.progress import Step
from scratchpad.ui.calls import Call
from scratchpad.ui.envelope import data_url
from scratchpad.ui.upload import upload, uploads
from scratchpad.vlm.prepare import MARK
from scratchpad.workbench import Workbench

SEVERAL = f"Up to {MAX_IMAGES} in all. The question may say {MARK} where each stands; else they stand before it."
ROOT = '<div class="sp-root"></div>'
STRIP = """
element.addEventListener('click', (e) => {
  const b = e.target.closest('[data-example]');
  if (!b || !window.Scratchpad) return;
  Scratchpad.set({ busy: true });
  trigger('select', { example: +b.dataset.example, ticket: Scratchpad.next('ask') });
});
"""
STATUS = """
element.addEventListener('click', (e) => {
  const b = e.target.closest('[data-stop]');
  if (b) { b.disabled = true; b.textContent = 'Stopping…'; server.stop(Scratchpad.ticket('ask')); }
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
class Ask:
    """ASK: what a visitor gives."""

    choice: gr.Dropdown
    image: gr.Image
    further: gr.Accordion
    more: gr.Gallery  # the images after the first
    prompt: gr.Textbox
    go: gr.Button
    ticket: gr.Textbox  # what this page's jobs are known by
    status: gr.HTML
    strip: gr.HTML


@dataclass(frozen=True)
class Parts:
    """The components that actions read and fill."""

    head: gr.HTML
    ask: Ask
    look: gr.HTML
    test: gr.HTML
    layers: gr.HTML
    stages: gr.HTML
    needle: gr.HTML
    keep: gr.HTML
    asked: gr.Textbox  # images, question, choice and key of the analysis on show: see `held`


def ask_column(benches: Benches | None, examples: list[tuple[str, str]], first: tuple[str, str], stop: Sequence[Call]) -> Ask:
    """ASK: model and SAE, images, question, button, status line, examples."""
    offers = [(o.label, o.id) for o in benches.offers] if benches else []
    with gr.Column(scale=1, min_width=300, elem_id="sp-ask", visible=benches is not None):
        choice = gr.Dropdown(
            offers,
            value=offers[0][1] if offers else "",
            label="SAE and layer" if benches and benches.offers[0].alone else "Model, SAE and layer",
            filterable=False,
            visible=len(offers) > 1,
            elem_id="sp-choice",
        )
        image = upload(first[0] or None, label="Image", sources=["upload", "clipboard"], height=250, buttons=[])
        with gr.Accordion("More images", open=False, elem_id="sp-further") as further:
            more = uploads(
                label="Images after the first", show_label=False, columns=3, height=170, sources=["upload", "clipboard"], buttons=[]
            )
            gr.HTML(f'<p class="sp-note">{html.escape(SEVERAL)}</p>')
        prompt = gr.Textbox(first[1], label="Question", placeholder="What is in the picture?", lines=1, max_lines=4, max_length=4000)
        go = gr.Button("Ask", variant="primary", elem_id="sp-go")
        ticket = gr.Textbox("", visible=False)
        status = gr.HTML("", js_on_load=STATUS, server_functions=list(stop), elem_id="sp-status")
        strip = gr.HTML(_strip(examples), js_on_load=STRIP, visible=bool(examples), elem_id="sp-strip-examples")
    return Ask(choice, image, further, more, prompt, go, ticket, status, strip)


def panel(
    name: str,
    value: str | None = None,
    before: str = "",
    after: str = "",
    functions: Sequence[Call] = (),
    visible: bool = True,
) -> gr.HTML:
    """One panel: its element, its script, the functions that it may call."""
    script = PANEL % {"panel": name, "before": before, "after": after} + "// trigger('select')"
    return gr.HTML(
        value, html_template=ROOT, js_on_load=script, server_functions=list(functions) or None, elem_id=f"sp-{name}", visible=visible
    )


def running(step: Step) -> str:
    """The status line of a job under way, with the button that ends it."""
    said = f"{html.escape(step.text)} …" if step.text else {"answering": "Answering", "testing": "Testing"}.get(step.what, step.what) + " …"
    of = f" {step.done} of {step.of}" if step.of else ""
    return (
        f'<div class="sp-root sp-running" role="status"><p>{said[0].upper() + said[1:]}{of}</p>'
        '<button type="button" class="sp-quiet" data-stop>Cancel</button></div>'
    )


def trouble(sentence: str) -> str:
    return f'<p role="alert">{html.escape(sentence)}</p>'


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


def theme() -> gr.themes.Base:
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    mono = ["ui-monospace", "Consolas", "monospace"]
    return gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=sans, font_mono=mono, radius_size="md")  # type: ignore[arg-type]


def _strip(examples: list[tuple[str, str]]) -> str:
    """The example scenes as a row of small pictures."""
    rows = [
        f'<button type="button" data-example="{i}"><img src="{data_url(load_image(path))}" alt=""><span>{html.escape(text)}</span></button>'
        for i, (path, text) in enumerate(examples)
    ]
    return f'<div class="sp-root"><p class="sp-kicker">Scenes from its own world</p><div class="sp-strip-row">{"".join(rows)}</div></div>'
