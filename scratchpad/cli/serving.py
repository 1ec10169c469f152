"""`scratchpad serve`: the page."""

from __future__ import annotations

import argparse
import os
from typing import Any

from scratchpad.cli.options import model_and_sae, workbench


def add(commands: Any) -> None:
    serve = commands.add_parser("serve", help="open the page")
    model_and_sae(serve)
    serve.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    serve.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
    serve.add_argument("--store", help="where cases are kept: folder or URL (default: SCRATCHPAD_STORE, or the user's data folder)")
    serve.add_argument("--no-model", action="store_true", help="show kept cases alone, with no model loaded")
    serve.set_defaults(act=_serve)


def _serve(options: argparse.Namespace) -> None:
    from scratchpad.cases.shelf import stores
    from scratchpad.ui.app import launch

    bench = None if options.no_model else workbench(options)
    launch(bench, options.host, options.port, stores(options.store))
