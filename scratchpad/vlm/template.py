"""A prompt's pieces as the text that a model was trained on, by whatever chat template its checkpoint has.

In: text and image places in order. Out: text with an image mark where each image stands. Templates of image-text models take a turn
as parts; those that a text model brought along take it as one text, and some checkpoints keep theirs beside the tokenizer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from jinja2 import TemplateError

from scratchpad.errors import UserError
from scratchpad.vlm.load import Vlm


def templated(vlm: Vlm, pieces: Sequence[str | None]) -> str:
    """The user's turn, with all that the template puts around it (a system prompt, say), up to where the answer begins.

    Args:
        pieces: text, or None for an image.

    Raises:
        UserError: there is no chat template, it can't be filled, or it leaves images out.
    """
    images = sum(piece is None for piece in pieces)
    joined = "".join(f"{vlm.image_mark}\n" if piece is None else piece for piece in pieces)
    if vlm.adapter.bare_prompt and not vlm.processor.chat_template:
        return joined.replace(f"{vlm.image_mark}\n", vlm.image_mark)
    parts: list[dict[str, object]] = [{"type": "image"} if piece is None else {"type": "text", "text": piece} for piece in pieces]
    ways = _ways(vlm, parts, joined)
    if not ways:
        raise UserError(f"The processor of {vlm.name} has no chat template; expected chat_template.jinja beside it.")
    why = ""
    for fill in ways:
        try:
            text = fill()
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            why = why or " ".join(str(error).split())[:200]
            continue
        if text.count(vlm.image_mark) >= images:
            return text
        why = why or f"it leaves out {vlm.image_mark}, which stands for an image"
    raise UserError(
        f"The chat template of {vlm.name} can't be filled with a question about an image ({why}); replace its chat_template.jinja."
    )


def _ways(vlm: Vlm, parts: list[dict[str, object]], joined: str) -> list[Callable[[], str]]:
    """How a turn may be written, likeliest first."""
    turns: list[list[dict[str, object]]] = [[{"role": "user", "content": parts}], [{"role": "user", "content": joined}]]
    holders = [holder for holder in (vlm.processor, vlm.processor.tokenizer) if getattr(holder, "chat_template", None)]
    return [partial(holder.apply_chat_template, turn, add_generation_prompt=True, tokenize=False) for holder in holders for turn in turns]
