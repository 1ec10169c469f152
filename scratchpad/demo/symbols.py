"""What an image token of the demo VLM should say: the code that its encoder learns to write and its reader to read.

In: a batch's ground truth. Out: for every patch, a vector in the language model's embedding space: the embeddings of the
names of what fills the patch, plus where the patch and the thing lie, along directions fixed once.
With the code agreed on, both halves learn it at the same time and apart; afterwards the whole model learns on, free of it.
"""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from scratchpad.demo.world import PATCH, SIZE

ROWS = SIZE // PATCH
FEATURES = 31
LOUDNESS = 0.25  # of a feature of size one, against names of length one


def features(place: Float[Tensor, "b p 5"], thing: Bool[Tensor, "b p"]) -> Float[Tensor, "b p f"]:
    """Where a patch lies and, on things, where the thing's centre lies, how large it is, and whether this is its middle patch.

    Places enter as sines and cosines too, so that "nearest" and "a little further right" are inner products.
    """
    centre_of_patch = (place[..., :2] * (ROWS - 1) + 0.5) / ROWS
    away = (centre_of_patch - place[..., 2:4]).abs().amax(-1, keepdim=True)
    middle = (away <= 0.5 / ROWS + 1e-3).float()
    size = 4 * place[..., 4:5] - 3  # 40 .. 80 px -> -1 .. 1
    on = thing[..., None].float()
    return torch.cat([0.5 * waves(place[..., :2]), on * waves(place[..., 2:4]), on * size, 2 * on * middle, on], -1)


def waves(place: Float[Tensor, "b p 2"]) -> Float[Tensor, "b p 14"]:
    """Places 0 .. 1 as lines, sines and cosines."""
    rows = [2 * place - 1]
    for turns in (1, 2, 4):
        rows += [torch.sin(math.pi * turns * place), torch.cos(math.pi * turns * place)]
    return torch.cat(rows, -1)


@functools.cache
def directions(width: int) -> Float[Tensor, "f c"]:
    """Orthonormal rows, the same in every training."""
    chance = torch.Generator().manual_seed(1)
    return torch.linalg.qr(torch.randn(width, width, generator=chance))[0][:FEATURES]


def symbols(
    labels: Float[Tensor, "b p l"], place: Float[Tensor, "b p 5"], thing: Bool[Tensor, "b p"], names: Float[Tensor, "l c"]
) -> Float[Tensor, "b p c"]:
    """The image tokens that say exactly what is there. `names` are the embeddings of the labels."""
    return labels @ names + LOUDNESS * features(place, thing) @ directions(names.shape[1])
