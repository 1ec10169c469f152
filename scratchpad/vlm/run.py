"""Runs a VLM: the answer with everything captured, and generation again under a change of its activations.

In: `Prepared`, a hook point, for counterfactuals a change per patch. Out: a `Run`, or an answer.
Knows nothing of SAEs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.records import Answer, Run, Sampling
from scratchpad.records.hookpoint import HookPoint
from scratchpad.records.question import MAX_NEW_TOKENS
from scratchpad.vlm.attention import capturing
from scratchpad.vlm.changed import changed, tidy
from scratchpad.vlm.decoding import decoded
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.points import Change, recording_at, rows_of
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import CleanRun, clean_run, keeping


def run(vlm: Vlm, prepared: Prepared, at: HookPoint, max_new_tokens: int = MAX_NEW_TOKENS, heads: Sequence[int] | None = None) -> Run:
    """The greedy answer, with log-probabilities, attention rows of all text tokens and the activations at a hook point.

    Args:
        max_new_tokens: fewer where the context ends before.
        heads: those of the language model whose attention is averaged, in every layer; all by default.

    Raises:
        UserError: the model has no such point, or an edit there would have no effect; less than one new token is asked for; a head
            isn't there.
    """
    return run_and_keep(vlm, prepared, at, max_new_tokens, heads)[0]


@torch.no_grad()
def run_and_keep(
    vlm: Vlm, prepared: Prepared, at: HookPoint, max_new_tokens: int = MAX_NEW_TOKENS, heads: Sequence[int] | None = None
) -> tuple[Run, CleanRun]:
    """As `run`, and what edited runs of the same prompt can take from it."""
    if heads is not None and not (heads and min(heads) >= 0 and max(heads) < vlm.heads):
        raise UserError(f"Attention heads {list(heads)} were given; expected one or more of 0 to {vlm.heads - 1}.")
    tidy(vlm, prepared)
    columns = torch.tensor(prepared.image_positions)
    skip = torch.zeros(prepared.length, dtype=torch.bool)
    skip[columns] = True
    with (
        capturing(columns, skip, heads) as capture,
        recording_at(vlm, at, prepared.image_positions) as recorded,
        keeping(vlm, at) as collected,
    ):
        answer, cache = decoded(vlm, prepared, max_new_tokens)
    layers = sorted(capture.rows)
    queries = np.array([p for p, _ in capture.rows[layers[0]]])
    rows = torch.stack([torch.stack([row for _, row in capture.rows[y]]) for y in layers], 1)
    made = Run(
        answer=answer.text,
        tokens=(*prepared.tokens, *answer.tokens),
        grid=prepared.grid,
        layer=at.layer,
        place=at.younger,
        activations=rows_of(recorded, at, prepared, len(answer.ids)).float().cpu().numpy(),
        queries=queries,
        attention=rows.float().cpu().numpy(),
        answer_ids=answer.ids,
    )
    tidy(vlm, prepared)
    return made, clean_run(at, collected, cache)


@torch.no_grad()
def generate(
    vlm: Vlm,
    prepared: Prepared,
    max_new_tokens: int = MAX_NEW_TOKENS,
    at: HookPoint | None = None,
    delta: Float[Tensor, "1 n d"] | None = None,
    clean: CleanRun | None = None,
    sampling: Sampling | None = None,
    later: Change | None = None,
) -> Answer:
    """Generation, greedy or drawn from a seed, `delta` added to the activations at a hook point; with `clean`, only what that changes.

    Args:
        at: given where `delta` is.
        delta: of patches in the grid's order, of image tokens, or of the prompt's tokens; None leaves the run as it is, bit for bit.
        clean: what `run_and_keep` left of the same prompt and point.
        later: what is added to tokens behind those of `delta`, at a point of the language model.

    Raises:
        UserError: less than one new token is asked for; a temperature out of range.
    """
    with changed(vlm, prepared, at, delta, clean, [later]) if delta is not None else nullcontext():
        return decoded(vlm, prepared, max_new_tokens, sampling)[0]
