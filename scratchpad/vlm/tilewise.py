"""Steps beside the vision blocks that work on each tile alone: the patch embedding before them, the projector behind.

In: what a clean run put into such a step and got out. Out: a scope in which the step is done for tiles that differ alone.
Tiles lie along the first axis, and no step of ours looks across it. Knows nothing of edits: it compares what comes in.
In half precision a product of fewer rows is rounded otherwise, so there every tile is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

EXACT = (torch.float32, torch.float64)
Done = dict[int, tuple[Tensor, Tensor]]  # number of the step -> what came in, what went out


@contextmanager
def watching_steps(steps: tuple[nn.Module, ...]) -> Iterator[Done]:
    """Collects what goes through, of steps that take one tensor and give one with as many rows."""
    done: Done = {}

    def hook(i: int) -> Callable[[nn.Module, tuple[object, ...], dict[str, object], object], None]:
        def collect(module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], out: object) -> None:
            tiles = _tiles(args, kwargs)
            if tiles is not None and isinstance(out, Tensor) and len(out) == len(tiles) and out.dtype in EXACT:
                done[i] = (tiles, out)

        return collect

    handles = [step.register_forward_hook(hook(i), with_kwargs=True) for i, step in enumerate(steps)]
    try:
        yield done
    finally:
        for handle in handles:
            handle.remove()


def for_new_tiles(forward: Callable[..., Tensor], done: tuple[Tensor, Tensor], count: int) -> Callable[..., Tensor]:
    """A step's forward, for `count` copies of the clean run's tiles, that computes those alone which differ from it."""
    before, after = done

    def only(*args: object, **kwargs: object) -> Tensor:
        x = _tiles(args, kwargs)
        if x is None or x.shape != (count * len(before), *before.shape[1:]) or torch.is_grad_enabled():
            return forward(*args, **kwargs)
        new = x.unflatten(0, (count, len(before))).ne(before).flatten(2).any(-1).flatten()
        out = after.repeat(count, *[1] * (after.ndim - 1))
        if new.any():
            out[new.to(out.device)] = forward(x[new], *args[1:], **kwargs).to(out.device)
        return out

    return only


def _tiles(args: tuple[object, ...], kwargs: dict[str, object]) -> Tensor | None:
    """The first argument, where it's a tensor and all that comes in beside plain values."""
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in (*args[1:], *kwargs.values()))
    return args[0] if plain and args and isinstance(args[0], Tensor) else None
