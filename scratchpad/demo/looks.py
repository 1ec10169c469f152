"""What heads of the reader are told to look at while it learns: a thing from its name, its neighbours, every centre.

In: the language model, what a block takes in, a batch. Out: how far a head's attention is from that. From answers alone a
head finds its thing in most pictures but not all, and places it too roughly to tell what is nearest.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import rotate_half

from scratchpad.demo.batches import LABELS, Batch
from scratchpad.demo.hints import COUNT_FROM, HINTS, LAST, NAMED, THINGS

LOOKS = ((0, 5, "own"), (3, 0, "nearest"), (3, 2, "after"))  # (block, head, what it's told to look at from a name)
COUNTS = (1, 3)  # (block, head) told to look at every centre alike, and at the first token as at SINK of them
SINK = 4
FIRST_THING = LABELS.index(THINGS[0])

States = list[Float[Tensor, "b s c"]]  # what every block takes in


def looking(reader: nn.Module, states: States, position: Tensor, batch: Batch) -> dict[str, Tensor]:
    """A loss for everything that some head is told to look at; counting where there are hints on it."""
    out = {what: _missing(reader, states[layer], position, batch, layer, head, what) for layer, head, what in LOOKS}
    if batch.hint_ids.shape[1] == HINTS:
        out["centres"] = _uncounted(reader, states[COUNTS[0]], position, batch)
    return out


def attention(
    reader: Any, x: Float[Tensor, "b s c"], position: Tensor, batch: Batch, layer: int, head: int, hints: slice
) -> Float[Tensor, "b h s"]:
    """Logarithms of one head's attention from some hints to the prefix."""
    block = reader.layers[layer]
    first = x.shape[1] - batch.hint_ids.shape[1] - batch.ids.shape[1]
    normed, (cos, sin) = block.input_layernorm(x), reader.rotary_emb(x, position)
    size, groups = block.self_attn.head_dim, block.self_attn.num_key_value_groups
    rows = slice(first + hints.start, first + hints.stop)
    q = block.self_attn.q_proj(normed[:, rows])[..., head * size : (head + 1) * size]
    k = block.self_attn.k_proj(normed[:, :first])[..., head // groups * size : (head // groups + 1) * size]
    q = q * cos[:, rows] + rotate_half(q) * sin[:, rows]
    k = k * cos[:, :first] + rotate_half(k) * sin[:, :first]
    logs: torch.Tensor = ((q @ k.mT).float() * size**-0.5).log_softmax(-1)
    return logs


def _missing(reader: nn.Module, x: Tensor, position: Tensor, batch: Batch, layer: int, head: int, what: str) -> Tensor:
    """How little a head looks, from a name, at the thing itself, the nearest one, or the next to the right."""
    v = batch.labels.shape[1]
    looked = attention(reader, x, position, batch, layer, head, slice(0, NAMED)).exp()[..., -v:]
    kind = batch.hint_own[:, :NAMED] if what == "own" else batch.hint_kind[:, :NAMED, int(what == "after")]
    asked = (kind >= 0) & (kind < LAST)
    column = (FIRST_THING + kind.clamp(0, LAST - 1))[:, None].expand(-1, v, -1)
    there = (batch.labels.gather(2, column) > 0).mT.float()
    return -(((looked * there).sum(-1) + 1e-4).log() * asked).sum() / asked.sum().clamp(min=1)


def _uncounted(reader: nn.Module, x: Tensor, position: Tensor, batch: Batch) -> Tensor:
    """How far a head is from looking at all centres alike, so that what it takes in says how many there are."""
    logs = attention(reader, x, position, batch, *COUNTS, slice(COUNT_FROM, HINTS))
    meant = torch.zeros(len(logs), logs.shape[-1])
    meant[:, -batch.labels.shape[1] :] = batch.place[..., 5]
    meant[:, 0] = SINK
    meant = (meant / meant.sum(-1, keepdim=True))[:, None].expand_as(logs)
    return F.kl_div(logs, meant, reduction="none").sum(-1).mean()
