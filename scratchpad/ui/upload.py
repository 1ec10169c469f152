"""Pictures that visitors upload. Gradio's own components would fetch an address that stands where an upload should, open any path
of the server's that lacks the mark of a file.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import gradio as gr
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder
from gradio_client.utils import is_http_url_like
from pydantic import BaseModel

from scratchpad.errors import UserError

C = TypeVar("C", bound=gr.components.Component)
D = TypeVar("D", bound=BaseModel)  # what a component is sent
Gallery = list[tuple[str, str | None]] | None  # what gr.Gallery hands over: file and caption


def upload(label: str, visible: bool) -> gr.Image:
    """A gr.Image that takes uploads alone, and hands on the file without opening it."""

    def file(payload: ImageData) -> str | None:
        return payload.path

    return _uploads_only(gr.Image(None, type="filepath", label=label, visible=visible), file)


def uploads(label: str, visible: bool) -> gr.Gallery:
    """A gr.Gallery of pictures that takes uploads alone, and hands on the files without opening them."""

    def files(payload: GalleryData) -> list[tuple[str, str | None]]:
        return [(str((item.image if isinstance(item, GalleryImage) else item.video).path), item.caption) for item in payload.root]

    return _uploads_only(gr.Gallery(type="filepath", file_types=["image"], label=label, visible=visible), files)


def uploaded(path: object) -> str:
    """A file that was uploaded to this server, by the path that the page got for it.

    Raises:
        UserError: it is none.
    """
    home = Path(get_upload_folder()).resolve()
    try:
        if isinstance(path, str) and Path(path).resolve().is_relative_to(home) and Path(path).is_file():
            return path
    except (OSError, ValueError):  # too long, or with a null
        pass
    raise UserError("What was given is no upload: choose the picture again.")


def paths(gallery: Gallery) -> list[str]:
    """The files of a gallery."""
    return [str(path) for path, _ in gallery or []]


def fetch_nothing(page: gr.Blocks) -> None:
    """No component of a page, its endpoints' among them, fetches an address. Call it when the page is complete."""
    for block in page.blocks.values():
        if isinstance(block, gr.components.Component):
            block.__class__ = _local_only(type(block))


def changed(kind: type, **methods: object) -> type:
    """A class with some methods of its own that still goes by its name.

    Of the class and not of one instance: Gradio makes a session's components anew from their class, after a `gr.skip()` already,
    and what one instance has of its own would be gone. Not by `class`, because Gradio writes a stub beside the source of those.
    """
    return ABCMeta.__new__(type(kind), kind.__name__, (kind,), methods | {"__module__": kind.__module__, "__qualname__": kind.__qualname__})


@cache
def _local_only(kind: type) -> type:
    later, now = kind.async_move_resource_to_block_cache, kind.move_resource_to_block_cache  # type: ignore[attr-defined]

    async def take_later(self: object, given: str | Path | None) -> str | None:
        moved: str | None = await later(self, _local(given))
        return moved

    def take_now(self: object, given: str | Path | None) -> str | None:
        moved: str | None = now(self, _local(given))
        return moved

    return changed(kind, async_move_resource_to_block_cache=take_later, move_resource_to_block_cache=take_now)


def _uploads_only(component: C, files: Callable[[D], object]) -> C:
    """Gradio's own preprocessing opens a picture by all that Pillow reads: PostScript, for which a program is started, among it."""

    def preprocess(self: gr.components.Component, payload: D | None) -> object:
        given = payload.model_dump() if payload is not None else None
        home = Path(self.GRADIO_CACHE).resolve()
        for path in _paths(given):
            if is_http_url_like(path) or not Path(path).resolve().is_relative_to(home):
                raise gr.Error("What was given is no upload: choose the file again.", print_exception=False)
        return files(payload) if payload is not None else None

    component.__class__ = changed(type(component), preprocess=preprocess)
    return component


def _paths(given: object) -> Iterator[str]:
    """Every path in what a component was sent."""
    if isinstance(given, dict):
        if isinstance(given.get("path"), str):
            yield given["path"]
        given = list(given.values())
    if isinstance(given, list):
        for value in given:
            yield from _paths(value)


def _local(given: str | Path | None) -> str | Path | None:
    if given is not None and is_http_url_like(str(given)):
        raise gr.Error("An address was given in place of a picture; nothing is fetched here: upload the file.", print_exception=False)
    return given
