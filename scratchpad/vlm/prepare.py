"""Image and prompt -> what the model takes in, with every token's text and role.

In: a `Vlm`, a picture, a prompt. Out: `Prepared`. Runs no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int
from PIL import Image
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.images import MAX_IMAGES, sha256
from scratchpad.records import Role, Token
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.template import templated

MARK = "<image>"  # where an image stands among a prompt's words

Spans = list[dict[str, tuple[int, int]]]  # of each image mark: where it was in the text, and where is what it became


@dataclass(frozen=True)
class Prepared:
    """Model inputs of one prompt and its images."""

    prompt: str
    image_sha256: str
    inputs: dict[str, Tensor] = field(repr=False)
    tokens: tuple[Token, ...]
    grid: Grid
    order: Int[np.ndarray, " p"] | None = field(default=None, repr=False)  # see `Layout`

    @property
    def length(self) -> int:
        """How many tokens the prompt has, those of the image among them."""
        return len(self.tokens)

    @property
    def image_positions(self) -> list[int]:
        """Where in the prompt the image tokens stand, ascending: v of them."""
        return [token.index for token in self.tokens if token.role == "image"]


def prepare(vlm: Vlm, image: Image.Image | Sequence[Image.Image], prompt: str, room: int = 1) -> Prepared:
    """Applies the model's chat template and processor.

    Args:
        image: upright RGB, as `load_image` makes it; or several.
        prompt: the question. Several images stand before it, or where it says <image>, once for each.
        room: tokens that must be left in the context for the answer.

    Raises:
        UserError: there are no images or more than MAX_IMAGES; the prompt is empty, contains one of the model's control tokens, or
            is longer than the context; or the geometry of such images can't be known.
    """
    images = [image] if isinstance(image, Image.Image) else list(image)
    if not 1 <= len(images) <= MAX_IMAGES:
        raise UserError(f"{len(images)} images were given; expected 1 to {MAX_IMAGES}.")
    pieces = _pieces(vlm, prompt, len(images))
    text = templated(vlm, pieces)
    sizes = tuple((picture.height, picture.width) for picture in images)
    batch, spans, offsets = _process(vlm, images, text)
    ids = batch["input_ids"][0].tolist()
    if len(ids) + room > vlm.context:
        raise UserError(
            f"The prompt needs {len(ids)} tokens with the image, and with {room} for the answer exceeds the {vlm.context} that "
            f"{vlm.name} can hold: shorten it."
        )
    layout = vlm.layout(sizes, batch, lambda ramps: _process(vlm, ramps, text)[0])
    image_id = vlm.adapter.image_token
    count, declared = ids.count(image_id), layout.grid.image_tokens
    assert count == declared, f"{vlm.name} makes {count} image tokens, its adapter declares {declared}"
    tokens = _tokens(vlm, ids, image_id, offsets, _located(text, pieces, spans, vlm.adapter.inserted))
    return Prepared(prompt.strip(), _identity(images), vlm.adapter.device_inputs(batch), tokens, layout.grid, layout.order)


def _pieces(vlm: Vlm, prompt: str, images: int) -> list[str | None]:
    """The user's turn in order: text, or None for an image."""
    prompt = prompt.strip() if isinstance(prompt, str) else ""
    parts = [part.strip() for part in prompt.split(MARK)]
    if not any(parts):
        raise UserError("No prompt was given; expected a question about the image: type one.")
    if len(parts) - 1 not in (0, images):
        raise UserError(
            f"The prompt says {MARK} {len(parts) - 1} times, but there are {images} images; expected it once for each, or never."
        )
    for part in parts:
        _refuse_control_tokens(vlm, part)
    if len(parts) == 1:
        return [None] * images + [prompt]
    return [piece for i, part in enumerate(parts) for piece in ([None] if i else []) + ([part] if part else [])]


def _process(vlm: Vlm, images: list[Image.Image], text: str) -> tuple[Mapping[str, Tensor], Spans, list[list[int]]]:
    """(model inputs, where each image mark was and what it became, character span of every token in what it became)."""
    batch = vlm.processor(images=images, text=[text], return_offsets_mapping=True, return_text_replacement_offsets=True)
    offsets = batch.pop("offset_mapping")[0]
    grown = max(stop for _, stop in offsets) - len(text)
    # processors of the older kind don't say what they replaced: as if it all happened before the text
    before: Spans = [{"span": (-1, -1), "new_span": (0, grown)}]
    spans = batch.pop("text_replacement_offsets")[0] if "text_replacement_offsets" in batch else before
    return dict(batch.convert_to_tensors("pt")), spans, [list(pair) for pair in offsets]


def _located(text: str, pieces: list[str | None], spans: Spans, inserted: int) -> list[tuple[int, int, str]]:
    """(begin, end, piece) of the user's words in the text with its image marks expanded."""
    out = []
    end = len(text)
    for piece in reversed([piece for piece in pieces if piece]):  # from the end: a template may say the same words before
        begin = text.rfind(piece, 0, end)
        if begin < 0:
            raise UserError(f"The chat template of the model changes the words {piece[:40]!r}; expected one that writes them as they are.")
        end = begin
        shift = sum((s["new_span"][1] - s["new_span"][0]) - (s["span"][1] - s["span"][0]) for s in spans if s["span"][0] < begin)
        shift += inserted if all(s["span"][0] < begin for s in spans) else 0
        out.append((begin + shift, begin + shift + len(piece), piece))
    return out


def _tokens(vlm: Vlm, ids: list[int], image_id: int, offsets: list[list[int]], located: list[tuple[int, int, str]]) -> tuple[Token, ...]:
    out = []
    for index, (token, (start, stop)) in enumerate(zip(ids, offsets, strict=True)):
        role: Role = "image" if token == image_id else "system"
        shown = None
        for begin, end, piece in located:
            if role == "system" and start < end and stop > begin and stop > start:
                role, shown = "prompt", piece[max(0, start - begin) : stop - begin]
        out.append(Token(index, token, token_text(vlm, token) if shown is None else shown, role))
    return tuple(out)


def _identity(images: list[Image.Image]) -> str:
    hashes = [sha256(picture) for picture in images]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def token_text(vlm: Vlm, token: int) -> str:
    """One token as people read it, its leading space included."""
    return vlm.processor.tokenizer.decode([token])


def decode(vlm: Vlm, ids: list[int]) -> str:
    """An answer as text, control tokens left out."""
    return vlm.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()


def _refuse_control_tokens(vlm: Vlm, prompt: str) -> None:
    for token in vlm.processor.tokenizer.all_special_tokens:
        if token in prompt:
            raise UserError(f"The prompt contains {token!r}, which {vlm.name} uses as a control token: leave it out.")
