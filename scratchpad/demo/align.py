"""A head start for the language model: heads that find a word's patches, and keys that hear where things lie.

Stage 1 leaves image tokens that point along the embedding of the word for what they show. A head that matches a word to its
patches has to raise queries and keys together, which training alone does late; here the first layers start with one such
head, on the slowly turning pairs of the rotary embedding, so that a match doesn't depend on distance.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

LAYERS = (0, 1, 2)
REACH = 220  # tokens between a question and the farthest patch
STEADY = 0.7  # rad a pair may turn over that distance
MATCH = 8.0  # attention logit of a matching patch
SPREAD = 1.0  # standard deviation of a position key over things


@torch.no_grad()
def match_words(
    model: LlavaForConditionalGeneration,
    labels: list[int],
    seen: Float[Tensor, "n c"],
    words: Float[Tensor, "n c"],
    places: Float[Tensor, "k c"],
) -> None:
    """Sets query and key weights of the first layers.

    Args:
        labels: token ids of the label words.
        seen: image tokens that show things.
        words: the embedding of the word each of them shows.
        places: unit directions of an image token; the last key head starts out reading them.
    """
    config = model.config.get_text_config()
    width = config.head_dim
    theta = config.rope_parameters["rope_theta"]
    turn = REACH * theta ** (-torch.arange(width // 2) / (width / 2))
    pairs = torch.nonzero(turn < STEADY)[:, 0]
    steady = torch.cat([pairs, pairs + width // 2])
    table = model.get_input_embeddings().weight[labels].float()  # type: ignore[operator]
    _, _, basis = torch.linalg.svd(table - table.mean(0), full_matrices=False)
    basis = basis[: len(steady)]
    x, y = rms(seen.float()) @ basis.T, rms(words.float()) @ basis.T
    match = (x * y).sum(-1).mean() * width**-0.5
    scaled = basis * (MATCH / match) ** 0.5
    rows = places / (rms(seen.float()) @ places.T).std(0)[:, None] * SPREAD
    for layer in LAYERS:
        attention = model.model.language_model.layers[layer].self_attn
        attention.k_proj.weight[steady] = scaled
        attention.q_proj.weight[steady] = scaled
        last = (config.num_key_value_heads - 1) * width
        attention.k_proj.weight[last + steady] = rows[torch.arange(len(steady)) % len(rows)]


def rms(x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
    return nn.functional.rms_norm(x, x.shape[-1:])
