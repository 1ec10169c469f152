"""Attention of one position by layer and head: what a run averages, on demand.

In: `Prepared`, an answer's ids, a position. Out: its attention row over the image tokens, of every layer and head. One pass over
prompt and answer; of each layer only that position's row exists, never the whole matrix.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from scratchpad.vlm.attention import capturing
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answered
from scratchpad.vlm.prepare import Prepared


@torch.no_grad()
def rows_by_head(vlm: Vlm, prepared: Prepared, ids: tuple[int, ...], position: int) -> Float[np.ndarray, "y h v"]:
    """The share of a position's attention that falls on each image token, by layer and head; the rest falls on text.

    Args:
        ids: the answer behind the prompt; its last token isn't fed in.
        position: in the sequence of prompt and answer; not of an image token.
    """
    inputs = answered(vlm, prepared.inputs, prepared.length, ids)
    skip = torch.ones(inputs["input_ids"].shape[1], dtype=torch.bool)
    skip[position] = False
    with capturing(torch.tensor(prepared.image_positions), skip, by_head=True) as capture:
        vlm.model(**inputs, use_cache=False, logits_to_keep=1)
    return np.stack([capture.rows[layer][0][1].float().cpu().numpy() for layer in sorted(capture.rows)])
