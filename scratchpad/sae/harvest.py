"""Activations of many images, several hook points in one pass, running no more of the model than they need.

In: a `Vlm`, pictures, hook points. Out: per picture and point an array of patches in its grid's order, of image tokens, or of all
tokens; the class token is left out.
Works for every adapter: pictures of like shape go through the encoder together.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.images import sha256
from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.points import recording_at, stopping_at
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.together import alike

TOGETHER = 4096  # patches, or tokens, that go through the model at once
PROMPTS = ("Describe the image.",)

Rows = dict[HookPoint, Float[Tensor, "n d"]]  # activations of one picture


def harvest(
    vlm: Vlm,
    images: Iterable[Image.Image],
    points: Sequence[HookPoint],
    size: int = 16,
    class_token: bool = False,
    prompts: Sequence[str] = PROMPTS,
) -> Iterator[Rows]:
    """Activations of one picture after another; with `class_token`, what comes before each tile's patches too.

    Args:
        prompts: what stands behind a picture at a point of the language model, where rows are all tokens: a picture's own choice.
    """
    for rows, _ in _harvested(vlm, images, points, size, class_token, prompts):
        yield rows


def harvest_with_grids(vlm: Vlm, images: Iterable[Image.Image], points: Sequence[HookPoint], size: int = 16) -> Iterator[tuple[Rows, Grid]]:
    """As `harvest`, with each picture's grid, of what is of the picture alone: patches or image tokens.

    `size` pictures at most go through the model together.
    """
    for rows, item in _harvested(vlm, images, points, size, False, PROMPTS):
        yield {at: x[item.image_positions] if at.place == "language" else x for at, x in rows.items()}, item.grid


@torch.no_grad()
def _harvested(
    vlm: Vlm, images: Iterable[Image.Image], points: Sequence[HookPoint], size: int, class_token: bool, prompts: Sequence[str]
) -> Iterator[tuple[Rows, Prepared]]:
    source, spoken = iter(images), any(at.place == "language" for at in points)
    whole = spoken or any(at.place == "projector" for at in points)
    while batch := list(islice(source, size)):
        prepared = [prepare(vlm, picture, _prompt(picture, prompts) if spoken else "-") for picture in batch]
        start = 0
        while start < len(prepared):
            stop = start + 1
            most = max(1, TOGETHER // max(prepared[start].grid.patches, prepared[start].length))
            while stop < min(len(prepared), start + most) and _alike(prepared[start], prepared[stop], whole):
                stop += 1
            yield from zip(_encode(vlm, prepared[start:stop], points, class_token), prepared[start:stop], strict=True)
            start = stop


def _prompt(picture: Image.Image, prompts: Sequence[str]) -> str:
    """The same for the same picture, wherever it stands among others."""
    return prompts[int(sha256(picture)[:8], 16) % len(prompts)]


def _alike(a: Prepared, b: Prepared, whole: bool) -> bool:
    """Whether two go through the encoder together, or, if `whole`, through the language model too."""
    if whole:
        return alike(a, b)
    return all(a.inputs[name].shape == b.inputs[name].shape for name in a.inputs) and a.grid.patches == b.grid.patches


def _encode(vlm: Vlm, prepared: Sequence[Prepared], points: Sequence[HookPoint], class_token: bool) -> list[Rows]:
    positions = prepared[0].image_positions
    with ExitStack() as stack:
        seen = {at: stack.enter_context(recording_at(vlm, at, positions, class_token)) for at in points}
        _pass(vlm, prepared, max(points, key=lambda at: at.order))
    out: list[Rows] = [{} for _ in prepared]
    for at, parts in seen.items():
        rows = torch.cat([part.reshape(-1, part.shape[-1]) for part in parts]).float().cpu()
        if not torch.isfinite(rows).all():
            raise UserError(f"Activations at {at} aren't finite; the model may overflow in this precision: try --dtype float32.")
        counts = [_count(item, at) for item in prepared]
        if class_token:
            counts = [len(rows) // len(prepared)] * len(prepared)
        for i, part in enumerate(rows.split(counts)):
            order = None if class_token or at.place != "vision" else prepared[i].order
            out[i][at] = part if order is None else part[torch.from_numpy(order).argsort()]
    return out


def _pass(vlm: Vlm, prepared: Sequence[Prepared], furthest: HookPoint) -> None:
    """What must be computed for a hook point, and no more: the encoder alone for the vision encoder's."""
    inputs = {k: torch.cat([item.inputs[k] for item in prepared]) for k in prepared[0].inputs}
    body: Any = vlm.adapter.body  # Janus has the encoder there alone
    if furthest.place == "vision":
        wanted = set(inspect.signature(body.get_image_features).parameters)
        body.get_image_features(**{k: v for k, v in inputs.items() if k in wanted})
        return
    with stopping_at(vlm, furthest):
        body(**inputs, use_cache=False)


def _count(prepared: Prepared, at: HookPoint) -> int:
    return {"vision": prepared.grid.patches, "projector": prepared.grid.image_tokens, "language": prepared.length}[at.place]
