"""A model a part of which has forgotten what it learned, for as long as a check needs it (Adebayo et al., 2018).

Weights are shuffled, so that their sizes stay, and what was there comes back, whatever happens meanwhile. Of the language model's layers,
against which maps are checked: rows among rows, columns among columns; embeddings, projector and encoder stay. Of the vision encoder,
against which SAEs are checked (Heap et al., arXiv 2501.17727): the entries of every matrix and of the patch embedding among
themselves; biases and norms stay, the language model too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.vlm.loaded import Loaded


def shuffled(model: Loaded, seed: int = 0) -> AbstractContextManager[None]:
    """Shuffles the matrices of the language model's layers inside the block; holds the model's lock.

    Raises:
        UserError: its weights are quantised.
    """
    parts = dict(model.adapter.language_model.named_parameters())
    matrices = [part for name, part in parts.items() if "layers." in name and part.ndim == 2]
    if not _floats(matrices):
        raise UserError(f"The weights of {model.name} can't be shuffled: the language model's layers aren't matrices of floats.")
    return _changed(model, matrices, _rows_and_columns, seed)


def shuffled_encoder(model: Loaded, seed: int = 0) -> AbstractContextManager[None]:
    """Shuffles the entries of every weight of the vision encoder inside the block; holds the model's lock.

    Raises:
        UserError: its weights are quantised.
    """
    weights = [part for part in model.adapter.tower.parameters() if part.ndim >= 2]
    if not _floats(weights):
        raise UserError(f"The weights of {model.name} can't be shuffled: the vision encoder's aren't floats.")
    return _changed(model, weights, _entries, seed)


def _floats(parts: Sequence[Tensor]) -> bool:
    return bool(parts) and all(part.is_floating_point() for part in parts)


def _rows_and_columns(part: Tensor, chance: torch.Generator) -> Tensor:
    rows, columns = (torch.randperm(n, generator=chance).to(part.device) for n in part.shape)
    return part[rows][:, columns]


def _entries(part: Tensor, chance: torch.Generator) -> Tensor:
    return part.flatten()[torch.randperm(part.numel(), generator=chance).to(part.device)].view_as(part)


@contextmanager
def _changed(model: Loaded, parts: Sequence[Tensor], change: Callable[[Tensor, torch.Generator], Tensor], seed: int) -> Iterator[None]:
    chance = torch.Generator().manual_seed(seed)
    with model.lock, torch.no_grad():
        before = [part.detach().to("cpu", copy=True) for part in parts]
        try:
            for part in parts:
                part.copy_(change(part, chance))
            with torch.enable_grad():
                yield
        finally:
            for part, was in zip(parts, before, strict=True):
                part.copy_(was)
