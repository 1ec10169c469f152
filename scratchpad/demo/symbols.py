"""What an image token of the demo VLM should say: the code that its encoder learns to write and its reader to read.

In: a batch's ground truth. Out: for every patch, a vector in the language model's embedding space: the embeddings of the
names of what fills the patch, plus where the patch and the thing lie, along directions fixed once.
With the code agreed on, both halves learn it at the same time and apart; afterwards the reader goes on with what the encoder writes.
"""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from scratchpad.demo.world import PATCH, SIZE

ROWS = SIZE // PATCH
FEATURES = 35
LOUDNESS = 0.25  # of a feature of size one, against names of length one


def features(place: Float[Tensor, "b p 6"], thing: Bool[Tensor, "b p"]) -> Float[Tensor, "b p f"]:
    """Where a patch lies and, on things, where the thing's centre lies and how large it is; and how much of a centre is here.

    Places enter as sines and cosines too, so that "nearest" and "a little further right" are inner products. A centre is
    shared out among four patches, and its shares enter as logarithms, so that a softmax over patches counts centres.
    """
    middle = (1 + place[..., 5:].clamp(min=1e-6).log() / 6).clamp(min=0)
    size = 4 * place[..., 4:5] - 3  # 40 .. 80 px -> -1 .. 1
    on = thing[..., None].float()
    centre = place[..., 2:4]
    return torch.cat([0.5 * waves(place[..., :2]), on * waves(centre), on * size, 2 * middle, on, on * ripples(centre)], -1)


def waves(place: Float[Tensor, "b p 2"]) -> Float[Tensor, "b p 14"]:
    """Places 0 .. 1 as lines, sines and cosines."""
    rows = [2 * place - 1]
    for turns in (1, 2, 4):
        rows += [torch.sin(math.pi * turns * place), torch.cos(math.pi * turns * place)]
    return torch.cat(rows, -1)


def ripples(place: Float[Tensor, "b p 2"]) -> Float[Tensor, "b p 4"]:
    """Shorter waves, a quarter of a picture long: what tells near places apart."""
    return torch.cat([torch.sin(math.pi * 8 * place), torch.cos(math.pi * 8 * place)], -1)


@functools.cache
def directions(width: int) -> Float[Tensor, "f c"]:
    """Orthonormal rows, the same in every training."""
    chance = torch.Generator().manual_seed(1)
    rows: torch.Tensor = torch.linalg.qr(torch.randn(width, width, generator=chance))[0][:FEATURES]
    return rows


def symbols(
    labels: Float[Tensor, "b p l"], place: Float[Tensor, "b p 6"], thing: Bool[Tensor, "b p"], names: Float[Tensor, "l c"]
) -> Float[Tensor, "b p c"]:
    """The image tokens that say exactly what is there. `names` are the embeddings of the labels."""
    return labels @ names + LOUDNESS * features(place, thing) @ directions(names.shape[1])
