"""The gradient of an answer by the activations at a hook point.

In: a model, a prompt, an answer's ids, a point. Out: an array. Where a backward pass would hold many times what an answer takes, it holds
what goes into each block alone and computes the inside of a block at a time again (gradient checkpointing: Chen et al. 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from scratchpad.allocator import give_back_memory
from scratchpad.records.hookpoint import HookPoint, language
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logprobs, forced_logits
from scratchpad.vlm.points import changing_at
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import CleanRun, reusing

HELD = 2**27  # bytes that a backward pass may hold: above, blocks are computed again
INSIDE = 16  # times a block's output, what it holds for the way back: norms, queries, keys, values, the MLP's hidden layers


def gradient(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    at: HookPoint,
    of: Callable[[Tensor, Sequence[int]], Tensor] = answer_logprobs,
    clean: CleanRun | None = None,
    held: int = HELD,
) -> Float[np.ndarray, "n d"]:
    """Gradient of the answer's log-probability (the sum over its tokens, in nats) by the activations at a hook point.

    Args:
        of: what of each token is summed instead: `answer_logodds`.
        clean: what `run_and_keep` left of the same prompt and point: vision blocks up to it aren't run again.
        held: bytes from which on blocks are computed twice and not held.
    """
    rows = {"vision": prepared.grid.patches, "projector": prepared.grid.image_tokens, "language": prepared.length + len(ids) - 1}
    leaf = torch.zeros(1, rows[at.place], vlm.width_at(at), device=vlm.adapter.device, requires_grad=True)
    with (
        torch.enable_grad(),
        recomputing(vlm, prepared, at, held),
        reusing(vlm, clean, 0, 1),  # no keys and values: they change with what the leaf is added to
        changing_at(vlm, at, prepared, leaf),
    ):
        total = of(forced_logits(vlm, prepared.inputs, prepared.length, ids), ids).sum()
        (grad,) = torch.autograd.grad(total, leaf)
    return grad[0].float().cpu().numpy()


@contextmanager
def recomputing(vlm: Vlm, prepared: Prepared, at: HookPoint, held: int = HELD) -> Iterator[None]:
    """A gradient's forward and backward pass: the blocks behind a point hold no more than what they take in, if all would hold too much."""
    seen = [] if at.place != "vision" else vlm.blocks[at.block + 1 : vlm.read_layer + 1]
    read = list(vlm.adapter.language_blocks)[at.block + 1 if at.place == "language" else 0 :]
    outputs = len(seen) * prepared.grid.patches * vlm.width + len(read) * prepared.length * vlm.width_at(language(0))
    if outputs * vlm.model.dtype.itemsize * INSIDE <= held:
        yield
        return
    blocks = [*seen, *read]
    before = [block.__dict__.get("forward") for block in blocks]
    for block in blocks:
        _hold_no_more_than_given(block)
    try:
        yield
    finally:
        for block, forward in zip(blocks, before, strict=True):
            if forward is None:
                del block.forward
            else:
                block.forward = forward  # some wrap a module's forward, accelerate among them
        give_back_memory()  # or what was held on the way back stays with the process, in pieces


def _hold_no_more_than_given(block: nn.Module) -> None:
    forward = block.forward

    def again(*args: Any, **kwargs: Any) -> Any:
        return checkpoint(forward, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)  # nothing is drawn: models are in eval

    block.forward = again
