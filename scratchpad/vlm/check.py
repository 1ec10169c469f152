"""Proves a declared geometry on the model itself (DESIGN.md, invariant 3).

In: a `Vlm` and what one run takes in. Out: for image tokens, whether the Jacobian of their embeddings with respect to the
patches of the last vision block read is non-zero exactly where the declared token-to-patch matrix is. Generates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.hooks import adding
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared


@dataclass(frozen=True)
class Check:
    """What the Jacobian says of a declared geometry."""

    tokens: int  # image tokens checked
    of: int
    wrong: tuple[int, ...]  # those whose patches are others than declared

    @property
    def holds(self) -> bool:
        return not self.wrong


class _Reached(Exception):
    """The language model was reached; nothing after it is needed."""


def merged_embeddings(
    model: PreTrainedModel, adapter: Adapter, inputs: Mapping[str, Tensor], positions: Sequence[int]
) -> Float[Tensor, "v c"]:
    """The image tokens as the language model takes them in, DeepStack's additions beside them."""
    kept: list[Tensor] = []

    def stop(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        x = kwargs["inputs_embeds"][0, list(positions)]
        kept.append(torch.cat([x, *(kwargs.get("deepstack_visual_embeds") or [])], -1))
        raise _Reached

    handle = adapter.language_model(model).register_forward_pre_hook(stop, with_kwargs=True)
    try:
        inner: Any = model.model
        inner(**inputs, use_cache=False)
    except _Reached:
        pass
    finally:
        handle.remove()
    assert kept, f"{type(model).__name__} never called its language model"
    return kept[0]


def embeddings(vlm: Vlm, prepared: Prepared) -> Float[Tensor, "v c"]:
    """The image tokens of one run as the language model takes them in."""
    return merged_embeddings(vlm.model, vlm.adapter, prepared.inputs, prepared.image_positions)


def pattern(
    model: PreTrainedModel,
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
    """
    layer = adapter.last_useful(model) if layer is None else layer
    leaf = torch.zeros(1, patches, adapter.width(model), device=model.device, dtype=model.dtype, requires_grad=True)
    chance = torch.Generator().manual_seed(0)
    with torch.enable_grad(), adding(adapter.blocks(model)[layer], adapter.leading_tokens(model), leaf, order):
        out = merged_embeddings(model, adapter, inputs, positions)
        along = torch.randn(out.shape[1], generator=chance).to(out.device, out.dtype)
        rows = []
        for token in tokens:
            value = (out[token] * along).sum()
            (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True, allow_unused=True) if value.requires_grad else (None,)
            rows.append(np.zeros(patches, bool) if gradient is None else gradient[0].ne(0).any(-1).cpu().numpy())
    return np.stack(rows)


def check(vlm: Vlm, prepared: Prepared, most: int = 256) -> Check:
    """Checks up to `most` image tokens, evenly spread; each costs a backward pass from the connector alone."""
    grid = prepared.grid
    tokens = np.unique(np.linspace(0, grid.image_tokens - 1, min(most, grid.image_tokens)).round().astype(int))
    declared = grid.token_patches[tokens].toarray() != 0
    positions = prepared.image_positions
    found = pattern(vlm.model, vlm.adapter, prepared.inputs, positions, tokens.tolist(), grid.patches, order=prepared.order)
    return Check(len(tokens), grid.image_tokens, tuple(int(t) for t in tokens[(found != declared).any(1)]))
