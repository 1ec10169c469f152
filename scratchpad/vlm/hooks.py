"""Scoped hooks on vision blocks: what adds to the patches' activations, and how a block's output is read (recording: `points`).

transformers 5 records hidden states in a forward hook of its own, and LLaVA-like models read that record: a hook that
runs after it changes the block's output and nothing else, silently. Ours run first (`prepend=True`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Arguments = dict[str, Any]  # what a module is called with, by name
Output = Tensor | tuple[Tensor, ...]  # of a vision block: what it puts out, or a tuple that begins with it


def first_of(output: Output) -> Tensor:
    """What a block puts out, without what may stand beside it."""
    return output[0] if isinstance(output, tuple) else output


def patches_of(x: Tensor, leading: int) -> Float[Tensor, "n s d"]:
    """What of a block's output are patches. Some towers pack all patches of all tiles in one row, without a batch axis."""
    return (x if x.ndim == 3 else x[None])[:, leading:]


@contextmanager
def adding(
    block: nn.Module, leading: int, delta: Float[Tensor, "b p d"] | None, order: Int[np.ndarray, " p"] | None = None
) -> Iterator[None]:
    """Adds `delta` to the patches' activations after a block; row b of a batch of like images gets delta[b].

    With None no hook is placed at all, so that an empty edit is the identity bit for bit.
    """
    if delta is None:
        yield
        return
    change = delta if order is None else delta[:, torch.from_numpy(order).to(delta.device)]

    def hook(module: nn.Module, args: object, output: Output) -> Output:
        x = first_of(output)
        patches = patches_of(x, leading)
        changed = patches + change.to(patches.device, patches.dtype).reshape(patches.shape)
        y = torch.cat([x[:, :leading], changed], 1) if x.ndim == 3 else changed[0]
        return (y, *output[1:]) if isinstance(output, tuple) else y

    handle = block.register_forward_hook(hook, prepend=True)
    try:
        yield
    finally:
        handle.remove()
