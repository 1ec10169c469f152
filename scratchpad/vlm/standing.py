"""A change of the activations at a hook point that stands: part of every run, whoever runs it, at the cost of computing it once a picture.

In: a function of activations, row by row. Out: a model that answers under it. It's made inside the block, so that whatever hooks the block
reads and changes what it leaves: captures, edits and reuse work as ever. Knows nothing of SAEs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

import torch
from torch import nn

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.hooks import Output, first_of, patches_of
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.points import Change


@contextmanager
def standing(vlm: Vlm, at: HookPoint, change: Change | None) -> Iterator[None]:
    """Within, every run is under a change at a hook point; None leaves the model as it is, bit for bit.

    Raises:
        UserError: there is no such point, the language model doesn't read what comes after it, or it is the projector.
    """
    if change is None:
        yield
        return
    block, leading = _changeable(vlm, at)
    before = block.__dict__.get("forward")
    block.forward = _changed(block.forward, leading, change)
    try:
        yield
    finally:
        if before is None:
            del block.forward
        else:
            block.forward = before


def changed_for_good(vlm: Vlm, at: HookPoint, change: Change, title: str, identity: str) -> Vlm:
    """A model under a change that stays, under a name and identity of its own. The one given is the same model, so it changes with it.

    Args:
        title: what the change is called.
        identity: of the change, which the new model's is made of.

    Raises:
        UserError: as `standing`.
    """
    block, leading = _changeable(vlm, at)
    block.forward = _changed(block.forward, leading, change)
    made = sha256(f"{vlm.identity} {identity}".encode()).hexdigest()[:16]
    return replace(vlm, name=f"{vlm.name}, repaired: {title}", identity=made)


def _changeable(vlm: Vlm, at: HookPoint) -> tuple[nn.Module, int]:
    """The block after which a change stands, and how many vectors of its output come before those that change."""
    if at.place == "projector":
        raise UserError("A change that stands was asked for at the projector; expected one at vision.N or language.N.")
    return vlm.block(at), vlm.leading if at.place == "vision" else 0


def _changed(forward: Callable[..., Output], leading: int, change: Change) -> Callable[..., Output]:
    def run(*args: object, **kwargs: object) -> Output:
        output = forward(*args, **kwargs)
        x = first_of(output)
        patches = patches_of(x, leading)
        rows = patches.reshape(-1, patches.shape[-1])
        moved = patches + change(rows).to(patches.dtype).reshape(patches.shape)
        y = torch.cat([x[:, :leading], moved], 1) if x.ndim == 3 else moved[0]
        return (y, *output[1:]) if isinstance(output, tuple) else y

    return run
