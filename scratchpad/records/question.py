"""What was asked, of which model, read by which SAE."""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from pydantic import Field, model_validator

from scratchpad.records.codec import UNSAID, WORKING, Count, Hash, Text, record
from scratchpad.records.hookpoint import HookPoint, Layer, Place

MAX_NEW_TOKENS = 64  # of an answer, by default
MAX_ANSWER = 4096  # new tokens at most


@record
class Picture:
    """One upright RGB picture. Its pixels travel beside the record, as a file."""

    sha256: Hash  # of size and pixels
    height: Annotated[int, Field(ge=1)]  # px
    width: Annotated[int, Field(ge=1)]  # px
    pixels: Annotated[UInt8[np.ndarray, "h w 3"] | None, WORKING] = None

    def image(self) -> Image.Image:
        """The picture itself; its pixels must be there."""
        assert self.pixels is not None, f"the pixels of {self.sha256} didn't travel"
        return Image.fromarray(self.pixels)


def picture_of(image: Image.Image) -> Picture:
    """A picture as a record, of an upright RGB image as `scratchpad.images.load_image` makes it."""
    digest = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
    return Picture(digest, image.height, image.width, np.asarray(image))


@record
class Settings:
    """How a question is answered and read."""

    max_new_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER)] = MAX_NEW_TOKENS
    weighted: bool = True  # latents are ranked by attention; off, every patch weighs the same
    attention_layers: tuple[Count, ...] | None = None  # language-model layers whose attention is averaged; None for all
    attention_heads: Annotated[tuple[Count, ...] | None, UNSAID] = None  # heads of each of these layers; None for all


@record
class Question:
    """Pictures, prompt and settings: all that an answer depends on beside model and SAE."""

    images: Annotated[tuple[Picture, ...], Field(min_length=1, max_length=16)]
    prompt: Text
    settings: Settings = Settings()

    @property
    def key(self) -> str:
        """A hash of all of it: the same question has the same key."""
        parts = [picture.sha256 for picture in self.images] + [self.prompt, repr(self.settings)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def pictures(self) -> list[Image.Image]:
        """The pictures themselves, in order."""
        return [picture.image() for picture in self.images]


@record
class ModelRef:
    """Which model answered."""

    name: Text
    identity: Hash  # of configuration and weights


@record
class SaeRef:
    """Which SAE read it, and where."""

    name: Text
    identity: Hash  # of its tensors
    layer: Layer | None  # with `place`, where it reads
    d_sae: Annotated[int, Field(ge=1)]  # latents
    place: Annotated[Place | None, UNSAID] = None  # None: the vision encoder

    @model_validator(mode="after")
    def _whole(self) -> SaeRef:
        _ = self.at  # which is refused where it's none
        return self

    @property
    def at(self) -> HookPoint:
        """Where it reads."""
        return HookPoint(self.place or "vision", self.layer)
