"""`scratchpad serve`: the page."""

from __future__ import annotations

import argparse
import os

from scratchpad.cli.options import Commands, model_and_sae, placement, repair, with_repair

TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN")
LOCAL = ("127.0.0.1", "localhost", "::1")


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    serve = commands.add_parser("serve", help="open the page")
    model_and_sae(serve)
    with_repair(serve)
    serve.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    serve.add_argument("--port", type=int, default=os.environ.get("GRADIO_SERVER_PORT", "7860"))
    serve.add_argument("--store", help="where cases are kept: folder or URL (default: SCRATCHPAD_STORE, or the user's data folder)")
    serve.add_argument("--no-model", action="store_true", help="show kept cases alone, with no model loaded")
    serve.add_argument("--offer", action="append", metavar="MODEL=SAE,SAE", help="further pairs to choose from; may be repeated")
    retriever = os.environ.get("SCRATCHPAD_RETRIEVER")
    serve.add_argument("--retriever", default=retriever, help="a retrieval model to look at beside (default: the demo's, with the demo)")
    rate, proxies = os.environ.get("SCRATCHPAD_RATE", "0"), os.environ.get("SCRATCHPAD_PROXIES", "0")
    serve.add_argument("--rate", type=int, default=rate, help="requests a minute from each visitor (default 0: no limit)")
    serve.add_argument("--proxies", type=int, default=proxies, help="how many proxies of yours stand before the server (default 0)")
    queue = os.environ.get("SCRATCHPAD_QUEUE", "64")
    serve.add_argument("--queue", type=int, default=queue, help="requests that may wait; one more is refused (default 64)")
    origins = os.environ.get("SCRATCHPAD_ORIGINS", "")
    serve.add_argument("--origins", default=origins, help="other sites, with commas, whose scripts may read this server's answers")
    naming, mcp = os.environ.get("SCRATCHPAD_NAMING"), os.environ.get("SCRATCHPAD_MCP") == "1"
    serve.add_argument(
        "--naming",
        action=argparse.BooleanOptionalAction,
        default=None if naming is None else naming == "1",
        help="visitors may name latents, for everybody (default: at a local address without --proxies; say --no-naming behind any other)",
    )
    serve.add_argument("--mcp", action="store_true", default=mcp, help="offer the endpoints as MCP tools too")
    serve.set_defaults(act=_serve)


def _serve(options: argparse.Namespace) -> None:
    from scratchpad.benches import Benches, offered
    from scratchpad.cases.shelf import stores
    from scratchpad.errors import UserError
    from scratchpad.ui.app import Served, launch
    from scratchpad.ui.visitors import logins
    from scratchpad.workbench import DEFAULT_RETRIEVER

    if options.rate < 0 or options.proxies < 0 or options.queue < 1:
        given = f"A rate of {options.rate}, {options.proxies} proxies and a queue of {options.queue} were given"
        raise UserError(f"{given}; expected 0 or more of the first two, and a queue of at least 1.")
    more = options.offer or [offer for offer in os.environ.get("SCRATCHPAD_OFFER", "").split(";") if offer.strip()]
    served = Served(
        host=options.host,
        port=options.port,
        logins=logins(os.environ.pop("SCRATCHPAD_AUTH", None)),
        rate=options.rate,
        proxies=options.proxies,
        origins=tuple(origin.strip() for origin in options.origins.split(",") if origin.strip()),
        waiting=options.queue,
        mcp=options.mcp,
        naming=options.naming if options.naming is not None else options.host in LOCAL and not options.proxies,
    )
    retriever = options.retriever or (None if options.model else DEFAULT_RETRIEVER)
    pairs = offered(options.model, options.sae, more)
    benches = None if options.no_model else Benches(pairs, placement(options), retriever, repair(options))
    if benches is not None and any(name in os.environ for name in TOKENS):
        benches.load_from_afar()  # while the token is there; afterwards nothing but the store has it
    launch(benches, stores(options.store, taken_token()), served)


def taken_token() -> str | None:
    """The owner's hub token, read once: it's no longer in the environment, nor taken from where a login left it, so that nothing
    that a visitor asks for can send it anywhere."""
    tokens = [os.environ.pop(name, None) for name in TOKENS]
    import huggingface_hub.constants

    os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN = True
    return next((token for token in tokens if token), None)
