"""Scoped hooks on vision blocks: read the patches' activations, or add to them.

transformers 5 records hidden states in a forward hook of its own, and LLaVA-like models read that record: a hook that
runs after it changes the block's output and nothing else, silently. Ours run first (`prepend=True`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


def _hidden(output: Any) -> Float[Tensor, "n s d"]:
    return output[0] if isinstance(output, tuple) else output


@contextmanager
def recording(block: nn.Module, leading: int) -> Iterator[list[Float[Tensor, "p d"]]]:
    """Collects the patches' activations after a block, all tiles of a call in one row of patches."""
    seen: list[Tensor] = []

    def hook(module: nn.Module, args: Any, output: Any) -> None:
        x = _hidden(output)[:, leading:]
        seen.append(x.detach().reshape(-1, x.shape[-1]))

    handle = block.register_forward_hook(hook, prepend=True)
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def adding(block: nn.Module, leading: int, delta: Float[Tensor, "b p d"] | None) -> Iterator[None]:
    """Adds `delta` to the patches' activations after a block; row b of a batch of like images gets delta[b].

    With None no hook is placed at all, so that an empty edit is the identity bit for bit.
    """
    if delta is None:
        yield
        return

    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        x = _hidden(output)
        patches = x[:, leading:]
        change = delta.to(patches.device, patches.dtype).reshape(patches.shape)
        x = torch.cat([x[:, :leading], patches + change], 1)
        return (x, *output[1:]) if isinstance(output, tuple) else x

    handle = block.register_forward_hook(hook, prepend=True)
    try:
        yield
    finally:
        handle.remove()
