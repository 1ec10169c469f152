"""A picture that a visitor uploads. Gradio's own component would fetch an address that stands where an upload should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client.utils import is_http_url_like


def upload(value: str | None, **how: Any) -> gr.Image:
    """A gr.Image that refuses addresses. Not a subclass: Gradio writes a stub beside the source of every one."""
    image = gr.Image(value, type="filepath", **how)
    later, now = image.async_move_resource_to_block_cache, image.move_resource_to_block_cache

    async def take_later(given: str | Path | None) -> str | None:
        return await later(_local(given))

    def take_now(given: str | Path | None) -> str | None:
        return now(_local(given))

    image.async_move_resource_to_block_cache = take_later  # type: ignore[method-assign,assignment]
    image.move_resource_to_block_cache = take_now  # type: ignore[method-assign,assignment]
    return image


def _local(given: Any) -> Any:
    if given is not None and is_http_url_like(str(given)):
        raise gr.Error("An address was given in place of a picture; nothing is fetched here: upload the file.", print_exception=False)
    return given
