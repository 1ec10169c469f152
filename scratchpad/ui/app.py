"""The page, put together and served. Gradio carries image and question in; the panels are HTML drawn from one JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

import gradio as gr

from scratchpad.benches import Benches
from scratchpad.cases.store import Store
from scratchpad.errors import UserError
from scratchpad.images import MAX_BYTES, load_image, sha256
from scratchpad.ui import api
from scratchpad.ui.calls import READS, lookups, stopping
from scratchpad.ui.door import Rules
from scratchpad.ui.export import SCRIPTS, STATIC
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import held
from scratchpad.ui.jobs import Jobs
from scratchpad.ui.keeping import Keeping
from scratchpad.ui.layout import Parts, ask_column, header, panel, theme
from scratchpad.ui.logins import Logins
from scratchpad.ui.lookups import Lookups
from scratchpad.ui.server import SESSIONS, Guarded, Streams, ask_itself, trust_no_header
from scratchpad.ui.studies import Studies
from scratchpad.ui.sweeper import Sweeper, limit_of_disk, own_folder
from scratchpad.ui.upload import fetch_nothing
from scratchpad.ui.visitors import Limit
from scratchpad.ui.wiring import Actions, wire
from scratchpad.workbench import HOME

GALLERY = HOME / "examples" / "scenes"
SERVED = "root.server = server;"
LOADED = "Scratchpad.load(props.value); watch('value', () => Scratchpad.load(props.value));"
COMPARED = "watch('value', () => Scratchpad.compare(props.value));"
TOLD = "watch('value', () => props.value && Scratchpad.told(props.value)); if (props.value) Scratchpad.told(props.value);"
TELLS = "watch('value', () => props.value && root.told(JSON.parse(props.value)));"


@dataclass(frozen=True)
class Served:
    """How the page is served."""

    host: str = "127.0.0.1"
    port: int = 7860
    logins: list[tuple[str, str]] | None = None
    rate: int = 0  # requests a minute from each visitor; 0 for no limit
    proxies: int = 0  # of the owner's own, before the server
    origins: tuple[str, ...] = ()  # other sites whose scripts may read this server's answers
    waiting: int = 64  # requests in the queue; one more is refused with a sentence
    mcp: bool = False
    naming: bool = False  # whether visitors may name latents, for everybody


def build(benches: Benches | None, shelf: list[Store], served: Served | None = None) -> gr.Blocks:
    """The page over what is offered, opened on its first example already analysed; without a model it shows cases."""
    served = served or Served()
    bench = benches.first if benches else None
    examples = load_examples() if bench and bench.vlm.own_world else []
    known = frozenset(sha256(load_image(path)) for path, _ in examples)
    handlers = Handlers(benches, known)
    keeping, studies = Keeping(shelf, handlers), Studies(handlers)
    jobs, limit = Jobs(), Limit(served.rate)
    stop, reads = stopping(jobs.stop), partial(lookups, Limit(served.rate * READS), served.proxies)
    about = Lookups(benches, served.naming)
    opening = examples[0] if examples else ("", "")
    first = handlers.ask([opening[0]], opening[1]) if examples else (None, "", None)

    with gr.Blocks(title="Visual Scratchpad", fill_width=True, analytics_enabled=False) as page:
        head = gr.HTML(header(bench), elem_id="sp-header")
        if examples:
            panel("guide")
        asked = held(first[2])
        with gr.Row(elem_id="sp-top"):
            ask = ask_column(benches, examples, opening, stop)
            with gr.Column(scale=3, min_width=320):
                look = panel("look", first[0] or "", before=SERVED, after=LOADED, functions=stop)
        panel("concepts", before="Scratchpad.serve((given) => server.detail(given));", functions=reads(about.detail))
        panel("heatmap")
        test = panel("test", "", before=SERVED, after=COMPARED, functions=stop)
        shown = benches is not None
        several = benches is not None and len(benches.offers) > 1
        layers = panel("layers", "", before=SERVED, after=TELLS, functions=stop, visible=several)
        stages = panel("stages", "", before=SERVED, after=TELLS, functions=stop, visible=shown)
        needle = panel("needle", "", before=SERVED, after=TELLS, functions=[*reads(studies.measured), *stop], visible=shown)
        naming = "root.naming = true;" if served.naming else ""
        panel("sae", before=SERVED + naming, functions=reads(about.overview, about.latent, about.search, about.rename), visible=shown)
        keep = panel("keep", "", before=SERVED, after=TOLD, functions=[*reads(keeping.file), *stop])
        parts = Parts(head, ask, look, test, layers, stages, needle, keep, asked)
        wire(Actions(handlers, keeping, studies, examples, jobs, limit, served.proxies), parts, page)
        api.wire(api.Api(benches, shelf, limit, served.proxies))
    fetch_nothing(page)
    return page


def launch(benches: Benches | None, shelf: list[Store], served: Served) -> None:
    """Serves the page until interrupted.

    Raises:
        UserError: the port is taken, or a package is missing.
    """
    script = "\n".join((STATIC / name).read_text() for name in (*SCRIPTS, "layers.js", "stages.js", "needle.js", "sae.js", "guide.js"))
    folder, most = own_folder(), limit_of_disk()
    known = Logins(served.logins) if served.logins else None
    rules = Rules(served.host, served.rate, served.proxies, served.origins, served.waiting, served.mcp, known, folder)
    page = build(benches, shelf, served)
    page.queue(default_concurrency_limit=1, max_size=served.waiting, api_open=False)
    page._queue.pending_messages_per_session = Streams(page._queue)  # type: ignore[assignment]
    trust_no_header()
    app = Guarded(rules)
    try:
        page.launch(
            server_name=served.host,
            server_port=served.port,
            head=f"<script>{script}</script>",
            css_paths=STATIC / "page.css",
            theme=theme(),
            footer_links=["api"],
            show_error=False,
            share=False,
            max_file_size=MAX_BYTES,
            ssr_mode=False,
            mcp_server=served.mcp,
            prevent_thread_lock=True,
            auth=known.right if known else None,
            run_history=False,
            enable_monitoring=False,
            state_session_capacity=SESSIONS,
            _app=app,
        )
    except ImportError as error:
        raise UserError("Serving MCP tools needs a package that is not installed: pip install 'visual-scratchpad[mcp]'.") from error
    except OSError as error:
        raise UserError(f"Port {served.port} on {served.host} can't be used ({error}); choose another with --port.") from error
    Sweeper(folder, most).run()  # what is there by now is the page's own
    if served.mcp:
        ask_itself(page, app)
    page.block_thread()


def load_examples() -> list[tuple[str, str]]:
    """(path, question) of the shipped scenes."""
    listing = GALLERY / "scenes.json"
    if not listing.is_file():
        return []
    return [(str(GALLERY / row["file"]), row["question"]) for row in json.loads(listing.read_text())]
