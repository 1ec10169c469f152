"""Steps beside the vision blocks that work on each tile alone: the patch embedding before them, the projector behind.

In: what a clean run put into such a step and got out. Out: a scope in which the step is done for tiles that differ alone.
Tiles lie along the first axis, and no step of ours looks across it. Knows nothing of edits: it compares what comes in.
In half precision a product of fewer rows is rounded otherwise, so there every tile is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

EXACT = (torch.float32, torch.float64)
Done = dict[int, tuple[Tensor, Tensor]]  # number of the step -> what came in, what went out


@contextmanager
def watching_steps(steps: tuple[nn.Module, ...]) -> Iterator[Done]:
    """Collects what goes through, of steps that take one tensor and give one with as many rows."""
    seen: Done = {}

    def keep(i: int, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        if _alone(args, kwargs) and isinstance(out, Tensor) and len(out) == len(args[0]) and out.dtype in EXACT:
            seen[i] = (args[0], out)

    handles = [step.register_forward_hook(lambda _m, a, k, o, i=i: keep(i, a, k, o), with_kwargs=True) for i, step in enumerate(steps)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def for_new_tiles(forward: Callable[..., Any], done: tuple[Tensor, Tensor], count: int) -> Callable[..., Any]:
    """A step's forward, for `count` copies of the clean run's tiles, that computes those alone which differ from it."""
    before, after = done

    def only(*args: Any, **kwargs: Any) -> Any:
        if not _alone(args, kwargs) or args[0].shape != (count * len(before), *before.shape[1:]) or torch.is_grad_enabled():
            return forward(*args, **kwargs)
        x, *rest = args
        new = x.unflatten(0, (count, len(before))).ne(before).flatten(2).any(-1).flatten()
        out = after.repeat(count, *[1] * (after.ndim - 1))
        if new.any():
            out[new.to(out.device)] = forward(x[new], *rest, **kwargs).to(out.device)
        return out

    return only


def _alone(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether one tensor, the first argument, is all that comes in beside plain values."""
    plain = all(one is None or isinstance(one, bool | int | float | str) for one in (*args[1:], *kwargs.values()))
    return plain and bool(args) and isinstance(args[0], Tensor)
