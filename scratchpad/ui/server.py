"""Gradio's app with a door before it: `Guarded` is what `launch` serves, and answers nothing that didn't pass.

Also what of Gradio's own bookkeeping strangers could turn against each other.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from typing import Protocol

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.routes import App, ORJSONResponse
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from scratchpad.ui.door import INNER, Door, Rules
from scratchpad.ui.headers import Strict

log = logging.getLogger(__name__)
SESSIONS = 200  # sessions that Gradio remembers, 0.7 MB each; nothing that a page needs lies in one
STREAMS = 2000  # of the queue, finished ones among them


class Guarded(App):
    """The door is inside the app, so there is no moment at which it's served without."""

    def __init__(self, rules: Rules):
        self.rules = rules
        self.door: Door | None = None
        super().__init__(default_response_class=ORJSONResponse)
        self.add_exception_handler(RequestValidationError, _misformed)
        for kind in (KeyError, TypeError, ValueError):
            self.add_exception_handler(kind, _misnamed)
        self.add_exception_handler(Exception, _failed)

    def build_middleware_stack(self) -> ASGIApp:
        """Gradio's own, inside the door, inside the headers that every response gets."""
        self.door = Door(super().build_middleware_stack(), self, self.rules)
        return Strict(self.door, self.rules.origins)


async def _misformed(request: Request, error: Exception) -> JSONResponse:
    """Without what was sent, which FastAPI's own answer repeats and which may be no JSON, such as NaN."""
    return JSONResponse({"detail": "The request is not of the form that is taken here; docs/api.md has one that is."}, 422)


async def _misnamed(request: Request, error: Exception) -> JSONResponse:
    """Gradio looks up an endpoint and its parameters by the names that were sent, and fails where there are none such."""
    if "/call/v2/" not in request.url.path:
        raise error
    log.warning("%s was refused: %r", request.url.path[:200], error)
    return JSONResponse({"detail": "No endpoint has that name and those parameters; /gradio_api/info lists what there is."}, 400)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The server failed at this request; its log says why."}, 500)


def trust_no_header() -> None:
    """The web server below Gradio believes X-Forwarded-For of a local connection unless told otherwise; `--proxies` alone says whom."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""


class Pending(Protocol):
    """What of Gradio's queue is read here."""

    pending_event_ids_session: dict[str, set[str]]


class Streams(OrderedDict[str, object]):
    """The streams by which the queue answers sessions. Gradio drops the oldest for a new one; here, the oldest that waits for nothing."""

    def __init__(self, queue: Pending, most: int = STREAMS):
        super().__init__()
        self.queue, self.most = queue, most

    def __setitem__(self, session: str, stream: object) -> None:
        if session not in self and len(self) >= self.most:
            pending = self.queue.pending_event_ids_session
            idle = next((other for other in self if not pending.get(other)), None)
            if idle is not None:
                del self[idle]
                pending.pop(idle, None)
        super().__setitem__(session, stream)


def ask_itself(page: gr.Blocks, app: Guarded) -> None:
    """The client by which Gradio's MCP tools call the endpoints comes in with the door's own secret, past a login."""
    from gradio_client import Client

    assert app.door is not None
    assert page.mcp_server_obj is not None, "the page serves MCP"
    page.mcp_server_obj._client_instance = Client(
        page.local_url,
        download_files=False,
        verbose=False,
        analytics_enabled=False,
        ssl_verify=False,
        _skip_components=False,
        headers={INNER.decode(): app.door.secret},
    )
