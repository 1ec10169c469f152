"""A picture that a visitor uploads. Gradio's own would fetch an address that stands where an upload should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client.utils import is_http_url_like

class Upload(gr.Image):
    """As gr.Image, refusing addresses."""

    def get_block_name(self) -> str:
        return "image"

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        return await super().async_move_resource_to_block_cache(_local(url_or_file_path))

    def move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        return super().move_resource_to_block_cache(_local(url_or_file_path))
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def _local(given: Any) -> Any:
    if given is not None and is_http_url_like(str(given)):
        raise gr.Error("An address was given in place of a picture; nothing is fetched here: upload the file.")
    return given
