"""Which patches every image token depends on, asked of the model itself by gradients.

In: an adapter and what one run takes in. Out: image tokens as the language model takes them in, and a pattern of booleans.
Runs the encoder and the connector; the language model is stopped before its first block. Knows no declared geometry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.hooks import adding


class _Reached(Exception):
    """The language model was reached; nothing after it is needed."""


def merged_embeddings(adapter: Adapter, inputs: Mapping[str, Tensor], positions: Sequence[int]) -> Float[Tensor, "v c"]:
    """The image tokens as the language model takes them in, DeepStack's additions beside them.

    Args:
        inputs: as `Prepared.inputs`.
        positions: where the image tokens stand in the prompt.
    """
    merged: list[Tensor] = []

    def stop(module: nn.Module, args: object, kwargs: Mapping[str, Tensor]) -> None:
        x = kwargs["inputs_embeds"][0, list(positions)]
        merged.append(torch.cat([x, *(kwargs.get("deepstack_visual_embeds") or [])], -1))
        raise _Reached

    handle = adapter.language_model.register_forward_pre_hook(stop, with_kwargs=True)
    try:
        adapter.body(**inputs, use_cache=False)
    except _Reached:
        pass
    finally:
        handle.remove()
    assert merged, f"{type(adapter.model).__name__} never called its language model"
    return merged[0]


def pattern(
    adapter: Adapter,
    inputs: Mapping[str, Tensor],
    positions: Sequence[int],
    tokens: Sequence[int],
    patches: int,
    layer: int | None = None,
    order: Int[np.ndarray, " p"] | None = None,
) -> Bool[np.ndarray, "n p"]:
    """Which patches, after `layer` (the last one read), each of n image tokens depends on.

    The gradient of one random direction of an embedding: zero by chance with probability zero.

    Args:
        tokens: the image tokens asked about, as indices into `positions`.
        patches: how many there are in all tiles.
        order: as in `Layout`.
    """
    layer = adapter.last_useful if layer is None else layer
    model = adapter.model
    leaf = torch.zeros(1, patches, adapter.width, device=adapter.device, dtype=model.dtype, requires_grad=True)
    chance = torch.Generator().manual_seed(0)
    with torch.enable_grad(), adding(adapter.blocks[layer], adapter.leading_tokens, leaf, order):
        out = merged_embeddings(adapter, inputs, positions)
        along = torch.randn(out.shape[1], generator=chance).to(out.device, out.dtype)
        rows = []
        for token in tokens:
            value = (out[token] * along).sum()
            (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True, allow_unused=True) if value.requires_grad else (None,)
            rows.append(np.zeros(patches, bool) if gradient is None else gradient[0].ne(0).any(-1).cpu().numpy())
    return np.stack(rows)
