"""A model whose language model has forgotten what it learned, for as long as a check of maps needs it (Adebayo et al., 2018).

The weights of the language model's layers are shuffled: rows among rows, columns among columns, so that their sizes stay. Encoder,
projector and embeddings stay too. What was there comes back, whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from scratchpad.errors import UserError
from scratchpad.vlm.loaded import Loaded


@contextmanager
def shuffled(model: Loaded, seed: int = 0) -> Iterator[None]:
    """Shuffles the matrices of the language model's layers inside the block; holds the model's lock.

    Raises:
        UserError: its weights are quantised.
    """
    parts = dict(model.adapter.language_model.named_parameters())
    matrices = [part for name, part in parts.items() if "layers." in name and part.ndim == 2]
    if not matrices or not all(part.is_floating_point() for part in matrices):
        raise UserError(f"The weights of {model.name} can't be shuffled: the language model's layers aren't matrices of floats.")
    chance = torch.Generator().manual_seed(seed)
    with model.lock, torch.no_grad():
        before = [part.detach().to("cpu", copy=True) for part in matrices]
        try:
            for part in matrices:
                rows, columns = (torch.randperm(n, generator=chance).to(part.device) for n in part.shape)
                part.copy_(part[rows][:, columns])
            with torch.enable_grad():
                yield
        finally:
            for part, was in zip(matrices, before, strict=True):
                part.copy_(was)
