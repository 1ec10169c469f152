"""What a page says of an edit, read as a record. A visitor may send anything; what isn't of its form is a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from scratchpad.analysis.edit import scaling
from scratchpad.errors import UserError
from scratchpad.grid import Box
from scratchpad.records import Edit, LatentEdit, Op, Sampling

T = TypeVar("T")
SEEDS = 2**32
OPS: dict[str, Op] = {"scale": "scale", "set": "set", "add": "add"}
LARGEST = {"scale": 100.0, "set": 1e6, "add": 1e6}


def read_edit(event: dict[str, Any]) -> Edit:
    """The edit that a page asks for.

    Raises:
        UserError: some of it isn't of its form.
    """
    latents, scale = event.get("latents"), event.get("scale", 0)
    if not isinstance(latents, list) or not all(isinstance(latent, int) for latent in latents):
        raise UserError("Latents are whole numbers; pick them from the cards or the heatmap.")
    if not isinstance(scale, int | float):
        raise UserError(f"{str(scale)[:40]!r} was given as strength; expected a number from 0 to 100.")
    region, image = _region(event.get("region")), _image(event.get("image"))
    own, ops = _by_latent(event.get("scales"), float), _by_latent(event.get("ops"), OPS.__getitem__)
    keeps = event.get("keep_error") is not False
    items = []
    for item in scaling(latents, scale).items if latents or keeps else ():
        op, value = ops.get(item.latent, "scale"), own.get(item.latent, item.value)
        if not abs(value) <= LARGEST[op]:  # nor nan
            raise UserError(f"{value} was given for latent {item.latent}; expected a number from {-LARGEST[op]:g} to {LARGEST[op]:g}.")
        items.append(LatentEdit(item.latent, op, value, region, image))
    return Edit(tuple(items), keep_error=keeps)


def _by_latent(given: Any, read: Callable[[Any], T]) -> dict[int, T]:
    """What is said of single latents."""
    if given is None:
        return {}
    try:
        return {int(latent): read(value) for latent, value in given.items()}
    except (ValueError, TypeError, AttributeError, OverflowError, KeyError) as error:
        raise UserError("What is done to a latent is ×, = or +, by a number.") from error


def read_sampling(event: dict[str, Any]) -> Sampling | None:
    """How answers are drawn beside the greedy ones, if they are.

    Raises:
        UserError: it isn't by numbers.
    """
    if event.get("temperature") is None:
        return None
    heat, seed = event["temperature"], event.get("seed") or 0
    try:
        drawn = Sampling(float(heat), int(seed))
    except (ValueError, TypeError, OverflowError) as error:
        raise UserError(f"A temperature of {str(heat)[:20]!r} and seed {str(seed)[:20]!r} were given; expected numbers.") from error
    if not 0 <= drawn.seed < SEEDS:
        raise UserError(f"{str(seed)[:20]} was given as seed; expected a whole number from 0, below {SEEDS}.")
    return drawn


def _image(given: Any) -> int | None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
        raise UserError(f"{str(given)[:20]!r} was given as a picture; expected its number from 0.")
    return given


def _region(given: Any) -> Box | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 4 or not all(isinstance(x, int | float) and math.isfinite(x) for x in given):
        raise UserError(f"{str(given)[:80]!r} was given as a region; expected y0, x0, y1, x1 in pixels: mark it on the picture.")
    return float(given[0]), float(given[1]), float(given[2]), float(given[3])
