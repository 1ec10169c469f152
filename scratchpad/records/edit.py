"""What is changed before a model is asked again. The one place that says how large an edit may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from scratchpad.errors import UserError
from scratchpad.grid import Box
from scratchpad.records.codec import Count, record
from scratchpad.records.reading import checked

Op = Literal["set", "scale", "add"]
OPS: tuple[Op, ...] = ("set", "scale", "add")
MAX_LATENTS = 4096  # of one edit
MAX_VALUE = 1e6  # an activation that is set or added
MAX_SCALE = 100.0  # what an activation is multiplied by
MAX_SEED = 2**32
MAX_TEMPERATURE = 10.0


@record
class LatentEdit:
    """What becomes of one latent: a' = value (set), value * a (scale) or a + value (add), within `region`."""

    latent: Count
    op: Op
    value: Annotated[float, Field(ge=-MAX_VALUE, le=MAX_VALUE)]
    region: Box | None = None  # y0, x0, y1, x1 in pixels of the original image
    image: Count | None = None  # which of several; None: all of them, or with a region the first


@record
class Edit:
    """z' = z + sum over edited latents of (a' - a) * decoder row. An empty edit is the identity, bit for bit.

    With `keep_error` off the SAE's reconstruction replaces z first; whatever shows the result must say so.
    """

    items: Annotated[tuple[LatentEdit, ...], Field(max_length=MAX_LATENTS)] = ()
    keep_error: bool = True

    def latents(self) -> tuple[int, ...]:
        """The latents that it names, in the order in which it first names them."""
        return tuple(dict.fromkeys(item.latent for item in self.items))


@record
class Sampling:
    """How an answer is drawn rather than taken greedily: the same seed draws the same."""

    temperature: Annotated[float, Field(gt=0, le=MAX_TEMPERATURE)]
    seed: Annotated[int, Field(ge=0, lt=MAX_SEED)] = 0


def ablation(latents: Sequence[int]) -> Edit:
    """Switches latents off everywhere."""
    return Edit(tuple(LatentEdit(int(latent), "set", 0.0) for latent in latents))


def scaling(latents: Sequence[int], strength: float) -> Edit:
    """Multiplies latents' activations everywhere; 0 switches them off.

    Raises:
        UserError: there are none, too many, or the strength isn't a sensible number.
    """
    return changing(latents, "scale", strength)


def changing(latents: Sequence[int], op: str, value: float, region: Sequence[float] | None = None, image: int | None = None) -> Edit:
    """The same change of several latents, everywhere or in a region; see `LatentEdit`.

    Raises:
        UserError: there are no latents, or too many; or op, value, region or image isn't of its form.
    """
    if not latents or len(latents) > MAX_LATENTS:
        raise UserError(f"The test needs 1 to {MAX_LATENTS} concepts; pick some from the cards or the heatmap.")
    known = next((each for each in OPS if each == op), None)
    if known is None:
        raise UserError(f"{str(op)[:20]!r} was given as op; expected one of {', '.join(OPS)}.")
    most = MAX_SCALE if known == "scale" else MAX_VALUE
    if not math.isfinite(value) or abs(value) > most:
        raise UserError(f"{value!r} was given as strength; expected a number from {-most:g} to {most:g}.")
    box = None if region is None else boxed(region)
    return checked(
        lambda: Edit(tuple(LatentEdit(int(latent), known, float(value), box, image) for latent in dict.fromkeys(latents))), "the edit"
    )


def boxed(region: Sequence[float]) -> Box:
    """A region as y0, x0, y1, x1 in pixels.

    Raises:
        UserError: it isn't four numbers.
    """
    sides = [float(side) for side in region if isinstance(side, int | float)] if isinstance(region, list | tuple) else []
    if len(sides) != 4 or not all(map(math.isfinite, sides)):
        raise UserError(f"{str(region)[:60]} was given as a region; expected y0, x0, y1, x1 in pixels, for example [0, 0, 112, 112].")
    return sides[0], sides[1], sides[2], sides[3]
