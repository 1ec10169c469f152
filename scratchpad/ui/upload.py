"""Pictures that visitors upload. Gradio's own components would fetch an address that stands where an upload should, open any path
of the server's that lacks the mark of a file, and take any number of files from anyone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from fastapi import Request
from fastapi.responses import JSONResponse
from gradio.utils import get_upload_folder
from gradio_client.utils import is_http_url_like

from scratchpad.errors import UserError
from scratchpad.ui.visitors import Limit, visitor

Message = MutableMapping[str, Any]
C = TypeVar("C", bound=gr.components.Component)


def upload(value: str | None, **how: Any) -> gr.Image:
    """A gr.Image that opens uploads alone."""
    return _uploads_only(gr.Image(value, type="filepath", **how))


def uploads(**how: Any) -> gr.Gallery:
    """A gr.Gallery of pictures that opens uploads alone."""
    return _uploads_only(gr.Gallery(type="filepath", file_types=["image"], **how))


def uploaded(path: Any) -> str:
    """A file that was uploaded to this server, by the path that the page got for it.

    Raises:
        UserError: it is none.
    """
    home = Path(get_upload_folder()).resolve()
    if not isinstance(path, str) or not path or "\0" in path or not Path(path).resolve().is_relative_to(home) or not Path(path).is_file():
        raise UserError("What was given is no upload: choose the picture again.")
    return path


def paths(gallery: Any) -> list[str]:
    """The files of a gallery."""
    return [str(path) for path, _ in gallery or []]


def fetch_nothing(page: gr.Blocks) -> None:
    """No component of a page, its endpoints' among them, fetches an address. Call it when the page is complete."""
    for block in page.blocks.values():
        if isinstance(block, gr.components.Component):
            _fetch_nothing(block)


def _fetch_nothing(component: gr.components.Component) -> None:
    later, now = component.async_move_resource_to_block_cache, component.move_resource_to_block_cache

    async def take_later(given: str | Path | None) -> str | None:
        return await later(_local(given))

    def take_now(given: str | Path | None) -> str | None:
        return now(_local(given))

    component.async_move_resource_to_block_cache = take_later  # type: ignore[method-assign,assignment]
    component.move_resource_to_block_cache = take_now  # type: ignore[method-assign,assignment]


def _uploads_only(component: C) -> C:
    """Not a subclass: Gradio writes a stub beside the source of every one."""
    read = component.preprocess
    kept = Path(component.GRADIO_CACHE).resolve()

    def preprocess(payload: Any) -> Any:
        given = payload.model_dump() if payload is not None else None
        for path in _paths(given):
            if is_http_url_like(path) or not Path(path).resolve().is_relative_to(kept):
                raise gr.Error("What was given is no upload: choose the file again.", print_exception=False)
        return read(payload)

    component.preprocess = preprocess  # type: ignore[method-assign]
    return component


def _paths(given: Any) -> Iterator[str]:
    """Every path in what a component was sent."""
    if isinstance(given, dict):
        if isinstance(given.get("path"), str):
            yield given["path"]
        given = list(given.values())
    if isinstance(given, list):
        for one in given:
            yield from _paths(one)


class Counted:
    """ASGI middleware: uploads count against their visitor's limit, before anything of them is read.

    Gradio takes files at another place too, where panels send JSON alone: there they are refused.
    """

    def __init__(self, app: Any, limit: Limit, proxies: int):
        self.app, self.limit, self.proxies = app, limit, proxies

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" and scope["method"] == "POST" else ""
        if path.endswith("/component_server") and not _json(scope):
            await JSONResponse({"detail": "Panels send JSON here."}, 415)(scope, receive, send)
            return
        if path.endswith("/upload"):
            try:
                self.limit.check(visitor(Request(scope), self.proxies))
            except UserError as error:
                await JSONResponse({"detail": str(error)}, 429)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _json(scope: Message) -> bool:
    return Request(scope).headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def _local(given: Any) -> Any:
    if given is not None and is_http_url_like(str(given)):
        raise gr.Error("An address was given in place of a picture; nothing is fetched here: upload the file.", print_exception=False)
    return given
