"""Activations of many images, several hook points in one pass, without running the language model.

In: a `Vlm`, pictures, hook points. Out: per picture and point an array of patches in its grid's order, class token left out.
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
from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.hooks import recording
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare

TOGETHER = 4096  # patches that go through the encoder at once

Rows = dict[HookPoint, Float[Tensor, "p d"]]  # activations of one picture


def harvest(
    vlm: Vlm, images: Iterable[Image.Image], points: Sequence[HookPoint], size: int = 16, class_token: bool = False
) -> Iterator[Rows]:
    """Activations of one picture after another; with `class_token`, what comes before each tile's patches too."""
    for rows, _ in harvest_with_grids(vlm, images, points, size, class_token):
        yield rows


@torch.no_grad()
def harvest_with_grids(
    vlm: Vlm, images: Iterable[Image.Image], points: Sequence[HookPoint], size: int = 16, class_token: bool = False
) -> Iterator[tuple[Rows, Grid]]:
    """As `harvest`, with each picture's grid. `size` pictures at most go through the encoder together."""
    source = iter(images)
    while batch := list(islice(source, size)):
        prepared = [prepare(vlm, picture, "-") for picture in batch]
        start = 0
        while start < len(prepared):
            stop = start + 1
            most = max(1, TOGETHER // prepared[start].grid.patches)
            while stop < min(len(prepared), start + most) and _alike(prepared[start], prepared[stop]):
                stop += 1
            for rows, item in zip(_encode(vlm, prepared[start:stop], points, class_token), prepared[start:stop], strict=True):
                yield rows, item.grid
            start = stop


def _alike(a: Prepared, b: Prepared) -> bool:
    return all(a.inputs[name].shape == b.inputs[name].shape for name in a.inputs) and a.grid.patches == b.grid.patches


def _encode(vlm: Vlm, prepared: Sequence[Prepared], points: Sequence[HookPoint], class_token: bool) -> list[Rows]:
    body: Any = vlm.adapter.body  # Janus has it there alone
    wanted = set(inspect.signature(body.get_image_features).parameters)
    inputs = {k: torch.cat([item.inputs[k] for item in prepared]) for k in prepared[0].inputs if k in wanted}
    with ExitStack() as stack:
        seen = {at: stack.enter_context(recording(vlm.block(at), 0 if class_token else vlm.leading)) for at in points}
        body.get_image_features(**inputs)
    out: list[Rows] = [{} for _ in prepared]
    for at, parts in seen.items():
        rows = torch.cat(parts).float().cpu()
        if not torch.isfinite(rows).all():
            raise UserError(f"Activations at {at} aren't finite; the model may overflow in this precision: try --dtype float32.")
        counts = [item.grid.patches for item in prepared]
        if class_token:
            counts = [len(rows) // len(prepared)] * len(prepared)
        for i, part in enumerate(rows.split(counts)):
            order = None if class_token else prepared[i].order
            out[i][at] = part if order is None else part[torch.from_numpy(order).argsort()]
    return out
