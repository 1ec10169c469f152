"""What is on the page and where. Knows no handler: `wiring` says what happens.

The page itself is one element that its own scripts draw (static/src). Beside it stand lines to the server, which nobody sees:
each carries events of one kind up (`trigger`) and JSON text down (`value`), and brings functions that look something up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import gradio as gr

from scratchpad.benches import Benches
from scratchpad.images import load_image
from scratchpad.progress import Step
from scratchpad.records import dump
from scratchpad.ui.calls import Call
from scratchpad.ui.envelope import data_url
from scratchpad.ui.upload import upload, uploads

# in the order in which they open
LINES = ("boot", "look", "test", "layers", "heads", "steer", "tree", "place", "compare", "stages", "needle", "influence", "keep", "ask")
MOUNT = """
const mount = () => (window.Scratchpad ? Scratchpad.mount(element.querySelector('.sp-root')) : setTimeout(mount, 30));
mount();
// trigger('select')
"""
LINE = """
const open = () => {
  if (!window.Scratchpad) { setTimeout(open, 30); return; }
  Scratchpad.channel('%s', { trigger, server, upload, read: () => props.value, watch: (f) => watch('value', f) });
};
open();
// trigger('select')
"""


@dataclass(frozen=True)
class Ask:
    """What the endpoint /ask takes; the page itself sends its events over a line."""

    image: gr.Image
    prompt: gr.Textbox
    choice: gr.Textbox
    ticket: gr.Textbox  # what a job is known by
    more: gr.Gallery  # the images after the first
    go: gr.Button
    analysis: gr.Textbox
    status: gr.Textbox


@dataclass(frozen=True)
class Parts:
    """The components that actions read and fill."""

    lines: dict[str, gr.HTML]
    ask: Ask
    asked: gr.Textbox  # images, question, choice and key of the analysis on show: see `held`


def boot(benches: Benches | None, examples: Sequence[tuple[str, str]], naming: bool) -> dict[str, object]:
    """What the page has to know before anything is asked."""
    offers = [
        {"id": offer.id, "label": offer.label, "sae": Path(offer.sae).name, "own": offer.own_world}
        for offer in (benches.offers if benches else ())
    ]
    return {
        "live": benches is not None,
        "offers": offers,
        "certificates": [dump(certificate) for certificate in benches.certificates()] if benches else [],
        "choice": offers[0]["id"] if offers else "",
        "examples": [{"src": data_url(load_image(path)), "question": question} for path, question in examples],
        "models": len({offer.model for offer in benches.offers}) if benches else 0,
        "naming": naming,
    }


def layout(values: dict[str, str], functions: Mapping[str, Sequence[Call]], asked: gr.Textbox) -> Parts:
    """The page and its lines; `values` is what each says first, `functions` what each brings."""
    gr.HTML(html_template='<div class="sp-root"></div>', js_on_load=MOUNT, apply_default_css=False, elem_id="sp-app")
    with gr.Column(elem_id="sp-lines"):
        lines = {name: _line(name, values.get(name, ""), functions.get(name, ())) for name in LINES}
    return Parts(lines, _asked(), asked)


def _line(name: str, value: str, functions: Sequence[Call]) -> gr.HTML:
    template = "<i></i>"  # without it Gradio writes the value, JSON, into the page
    brought = list(functions) or None
    return gr.HTML(value, html_template=template, js_on_load=LINE % name, server_functions=brought, elem_id=f"sp-line-{name}")


def _asked() -> Ask:
    return Ask(
        image=upload(label="Image", visible=False),
        prompt=gr.Textbox("", label="Question", max_length=4000, visible=False),
        choice=gr.Textbox("", label="Model, SAE and layer", visible=False),
        ticket=gr.Textbox("", label="Ticket", visible=False),
        more=uploads(label="Images after the first", visible=False),
        go=gr.Button("Ask", visible=False),
        analysis=gr.Textbox("", label="Analysis", visible=False),
        status=gr.Textbox("", label="Status", visible=False),
    )


def running(step: Step) -> str:
    """How far a job is, as a line carries it."""
    return json.dumps({"progress": asdict(step)})


def theme() -> gr.themes.Base:
    """Fonts and colours of what Gradio itself draws; the page's own are in static/."""
    sans = ["ui-sans-serif", "system-ui", "sans-serif"]
    mono = ["ui-monospace", "Consolas", "monospace"]
    return gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=sans, font_mono=mono, radius_size="md")
