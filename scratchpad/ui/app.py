"""The page, put together and served. Gradio carries image and question in; the panels are HTML drawn from one JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from scratchpad.benches import Benches
from scratchpad.cases.store import Store
from scratchpad.errors import UserError
from scratchpad.images import MAX_BYTES, load_image, sha256
from scratchpad.ui import api
from scratchpad.ui.calls import READS, lookups, stopping
from scratchpad.ui.door import Rules
from scratchpad.ui.export import STATIC
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import Asked, held
from scratchpad.ui.jobs import Jobs
from scratchpad.ui.keeping import Keeping
from scratchpad.ui.layout import boot, layout, theme
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
PAUSE = 0.02  # s between two looks for something to do: Gradio's millisecond keeps a tenth of a core busy while nobody asks
OPENING = "camel-on-grass.png"  # an answer with a misleading cue, whose test passes every control


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
    """The page over what is offered, opened on an example already analysed and tested; without a model it shows cases."""
    served = served or Served()
    bench = benches.first if benches else None
    examples = load_examples() if bench and bench.vlm.own_world else []
    known = frozenset(sha256(load_image(path)) for path, _ in examples)
    handlers = Handlers(benches, known)
    keeping, studies = Keeping(shelf, handlers), Studies(handlers)
    jobs, limit = Jobs(), Limit(served.rate)
    stop, reads = stopping(jobs.stop), partial(lookups, Limit(served.rate * READS), served.proxies)
    about = Lookups(benches, served.naming)
    opening = next((row for row in examples if Path(row[0]).name == OPENING), examples[0] if examples else None)
    first = handlers.ask([opening[0]], opening[1]) if opening else (None, "", None)
    values = {
        "boot": json.dumps(boot(benches, examples, served.naming)),
        "look": first[0] or "",
        "test": _opening(handlers, keeping, first[2]),
    }
    functions = {
        "look": reads(about.detail),
        "needle": reads(studies.measured),
        "boot": reads(about.overview, about.latent, about.search, about.rename),
        "keep": reads(keeping.file),
        "ask": stop,
    }
    page = gr.Blocks(title="Visual Scratchpad", fill_width=True, analytics_enabled=False)
    with page:
        parts = layout(values, functions, held(first[2]))
        wire(Actions(handlers, keeping, studies, examples, jobs, limit, served.proxies), parts, page)
        api.wire(api.Api(benches, shelf, limit, served.proxies))
    fetch_nothing(page)
    return page


def _opening(handlers: Handlers, keeping: Keeping, asked: Asked | None) -> str:
    """The test that stands on the page as it opens: its example's smallest set, as the shipped case of it has it or, with another
    model or SAE, searched for now."""
    if not asked:
        return ""
    test = keeping.recorded(asked.key) or json.loads(handlers.test(asked, {"do": "smallest", "key": asked.key}))
    return json.dumps(test | {"opening": True})


def launch(benches: Benches | None, shelf: list[Store], served: Served) -> None:
    """Serves the page until interrupted.

    Raises:
        UserError: the port is taken, or a package is missing.
    """
    folder, most = own_folder(), limit_of_disk()
    known = Logins(served.logins) if served.logins else None
    rules = Rules(served.host, served.rate, served.proxies, served.origins, served.waiting, served.mcp, known, folder)
    page = build(benches, shelf, served)
    page.queue(default_concurrency_limit=1, max_size=served.waiting, api_open=False)
    page._queue.pending_messages_per_session = Streams(page._queue)  # type: ignore[assignment]
    page._queue.sleep_when_free = PAUSE
    trust_no_header()
    app = Guarded(rules)
    try:
        page.launch(
            server_name=served.host,
            server_port=served.port,
            head=assets(),
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


def assets() -> str:
    """The page's style and scripts. Not given to Gradio as its `css`: it takes selectors apart at every comma, `:is(a, b)` too."""
    return f"<style>{(STATIC / 'page.css').read_text()}</style><script>{(STATIC / 'page.js').read_text()}</script>"


def load_examples() -> list[tuple[str, str]]:
    """(path, question) of the shipped scenes."""
    listing = GALLERY / "scenes.json"
    if not listing.is_file():
        return []
    return [(str(GALLERY / row["file"]), row["question"]) for row in json.loads(listing.read_text())]
