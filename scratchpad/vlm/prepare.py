"""Image and prompt -> what the model takes in, with every token's text and role.

In: a `Vlm`, a picture, a prompt. Out: `Prepared`. Runs no model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.images import sha256
from scratchpad.records import Role, Token
from scratchpad.vlm.load import Vlm


@dataclass(frozen=True)
class Prepared:
    """Model inputs of one image and prompt."""

    prompt: str
    image_sha256: str
    inputs: dict[str, Tensor] = field(repr=False)
    tokens: tuple[Token, ...]
    grid: Grid

    @property
    def length(self) -> int:
        return len(self.tokens)

    @property
    def image_positions(self) -> list[int]:
        return [token.index for token in self.tokens if token.role == "image"]


def prepare(vlm: Vlm, image: Image.Image, prompt: str, room: int = 1) -> Prepared:
    """Applies the model's chat template and processor.

    Args:
        image: upright RGB, as `load_image` makes it.
        room: tokens that must be left in the context for the answer.

    Raises:
        UserError: the prompt is empty, contains one of the model's control tokens, or is longer than the context.
    """
    prompt = prompt.strip() if isinstance(prompt, str) else ""
    if not prompt:
        raise UserError("No prompt was given; expected a question about the image: type one.")
    _refuse_control_tokens(vlm, prompt)
    text = _template(vlm, prompt)
    batch = vlm.processor(images=[image], text=[text], return_tensors="pt", return_offsets_mapping=True)
    offsets = batch.pop("offset_mapping")[0].tolist()
    ids = batch["input_ids"][0].tolist()
    if len(ids) + room > vlm.context:
        raise UserError(
            f"The prompt needs {len(ids)} tokens with the image, and with {room} for the answer exceeds the {vlm.context} that "
            f"{vlm.name} can hold: shorten it."
        )
    grid = vlm.adapter.grid(vlm.model, vlm.processor, (image.height, image.width), batch)
    image_id = vlm.adapter.image_token(vlm.model)
    seen = ids.count(image_id)
    assert seen == grid.image_tokens, f"{vlm.name} makes {seen} image tokens, its adapter declares {grid.image_tokens}"
    # The processor has expanded the image token, so the user's text is located from the end of the templated string.
    after = len(text) - text.rindex(prompt) - len(prompt)
    end = offsets[-1][1] - after
    begin = end - len(prompt)
    tokens = []
    for index, (token, (start, stop)) in enumerate(zip(ids, offsets, strict=True)):
        role: Role = "image" if token == image_id else "prompt" if start < end and stop > begin and stop > start else "system"
        shown = prompt[max(0, start - begin) : stop - begin] if role == "prompt" else token_text(vlm, token)
        tokens.append(Token(index, token, shown, role))
    inputs = {k: v.to(vlm.model.device) for k, v in batch.items() if isinstance(v, torch.Tensor)}
    inputs["pixel_values"] = inputs["pixel_values"].to(vlm.model.dtype)
    return Prepared(prompt, sha256(image), inputs, tuple(tokens), grid)


def token_text(vlm: Vlm, token: int) -> str:
    """One token as people read it, its leading space included."""
    return str(vlm.processor.tokenizer.decode([token]))


def decode(vlm: Vlm, ids: list[int]) -> str:
    """An answer as text, control tokens left out."""
    return str(vlm.processor.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def _template(vlm: Vlm, prompt: str) -> str:
    if not getattr(vlm.processor, "chat_template", None):
        raise UserError(f"The processor of {vlm.name} has no chat template; expected chat_template.jinja beside it.")
    turn: Any = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}]
    return str(vlm.processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False))


def _refuse_control_tokens(vlm: Vlm, prompt: str) -> None:
    for token in vlm.processor.tokenizer.all_special_tokens:
        if token in prompt:
            raise UserError(f"The prompt contains {token!r}, which {vlm.name} uses as a control token: leave it out.")
