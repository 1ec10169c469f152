"""Where in a VLM an SAE reads and an edit acts.

In: a place and a layer, or their text form. Out: a `HookPoint`. Whether a model has such a point is known to the model (`vlm.load`).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from scratchpad.errors import UserError
from scratchpad.records.codec import record

Place = Literal["vision", "projector", "language"]
PLACES: tuple[Place, ...] = ("vision", "projector", "language")  # in the data's order
MAX_LAYER = 10_000
Layer = Annotated[int, Field(ge=0, le=MAX_LAYER)]


@record
class HookPoint:
    """`vision.5`: patches after block 5 of the vision encoder. `projector`: image tokens as the language model takes them in.
    `language.2`: the residual stream of all tokens after the language model's block 2."""

    place: Place
    layer: Layer | None = None  # from 0; None for the projector, which has none

    @model_validator(mode="after")
    def _whole(self) -> HookPoint:
        if (self.layer is None) != (self.place == "projector"):
            raise ValueError(f"a hook point in {self.place} has {'no' if self.place == 'projector' else 'a'} layer")
        return self

    def __str__(self) -> str:
        return self.place if self.layer is None else f"{self.place}.{self.layer}"

    @property
    def block(self) -> int:
        """The layer of a point that has one."""
        assert self.layer is not None, f"{self} is no block"
        return self.layer

    @property
    def order(self) -> tuple[int, int]:
        """What sorts points as the data meets them."""
        return PLACES.index(self.place), self.layer or 0

    @property
    def younger(self) -> Place | None:
        """The place as records keep it that are older than other places than the vision encoder: None for it."""
        return None if self.place == "vision" else self.place

    @property
    def short(self) -> str:
        """What a menu calls it: a layer is the vision encoder's where nothing else is said."""
        where = {"vision": "layer", "projector": "projector", "language": "language layer"}[self.place]
        return where if self.layer is None else f"{where} {self.layer}"


def vision(layer: int) -> HookPoint:
    """The point after a block of the vision encoder, from 0."""
    return HookPoint("vision", layer)


PROJECTOR = HookPoint("projector")


def language(layer: int) -> HookPoint:
    """The point after a block of the language model, from 0."""
    return HookPoint("language", layer)


def hook_point(text: str) -> HookPoint:
    """The point of a text form.

    Raises:
        UserError: it's none.
    """
    match = re.fullmatch(r"(vision|language)\.(\d{1,4})|projector", text.strip())
    if match is None:
        raise UserError(f"{text[:40]!r} was given as hook point; expected vision.N, projector or language.N, layers counted from 0.")
    place = next(each for each in PLACES if text.strip().startswith(each))
    return HookPoint(place, None if match[2] is None else int(match[2]))
