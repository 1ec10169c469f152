"""Like prompts answered together: greedy, in one batch, with what `run` captures of each.

In: `Prepared`s whose inputs have the same shapes. Out: a `Run` for each, as `run` gives it alone. What changes the model meanwhile is the
caller's. Prompts of other lengths go into other batches, so nothing is padded and nothing is masked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from scratchpad.records import Answer, Run, Token
from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.attention import capturing
from scratchpad.vlm.decoding import end_ids, generated
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import distributions
from scratchpad.vlm.points import recording_at, rows_of
from scratchpad.vlm.prepare import Prepared, decode, token_text


def alike(a: Prepared, b: Prepared) -> bool:
    """Whether two prompts can stand in one batch: inputs of the same shapes, images at the same positions, the same geometry."""
    same = a.inputs.keys() == b.inputs.keys() and all(a.inputs[name].shape == b.inputs[name].shape for name in a.inputs)
    return same and a.image_positions == b.image_positions and a.grid.sizes == b.grid.sizes and a.grid.patches == b.grid.patches


def batches(prepared: Sequence[Prepared], size: int) -> list[list[int]]:
    """Numbers of prompts that can be answered together, `size` at most, in an order that keeps like ones beside each other."""
    groups: list[list[int]] = []
    for n, item in enumerate(prepared):
        home = next((group for group in groups if alike(prepared[group[0]], item)), None)
        if home is None:
            groups.append([n])
        else:
            home.append(n)
    return [group[i : i + size] for group in groups for i in range(0, len(group), size)]


@torch.no_grad()
def answer_together(vlm: Vlm, prepared: Sequence[Prepared], max_new_tokens: int) -> list[Answer]:
    """The greedy answers to like prompts.

    Raises:
        UserError: less than one new token is asked for.
    """
    return _decoded(vlm, prepared, max_new_tokens)


@torch.no_grad()
def run_together(vlm: Vlm, prepared: Sequence[Prepared], at: HookPoint, max_new_tokens: int) -> list[Run]:
    """As `run`, for like prompts in one batch.

    Raises:
        UserError: the model has no such point, or an edit there would have no effect; or less than one new token is asked for.
    """
    first, count = prepared[0], len(prepared)
    columns = torch.tensor(first.image_positions)
    skip = torch.zeros(first.length, dtype=torch.bool)
    skip[columns] = True
    with capturing(columns, skip, batch=count) as capture, recording_at(vlm, at, first.image_positions) as recorded:
        answers = _decoded(vlm, prepared, max_new_tokens)
    layers = sorted(capture.rows)
    queries = np.array([position for position, _ in capture.rows[layers[0]]])
    rows = torch.stack([torch.stack([row for _, row in capture.rows[y]], 1) for y in layers], 2).float().cpu().numpy()  # b q y v
    states = [part[None] for part in _apart(recorded, at, first, count)]
    return [_run(*each, at, queries) for each in zip(prepared, answers, rows, states, strict=True)]


def _apart(recorded: Sequence[Tensor], at: HookPoint, first: Prepared, count: int) -> Float[Tensor, "b n d"]:
    """What was recorded of a batch, prompt by prompt; decoding may have gone on for some after others ended."""
    if at.place == "vision":
        return recorded[0].reshape(count, first.grid.patches, -1)
    return torch.cat(list(recorded), 1)


def _run(
    prepared: Prepared,
    answer: Answer,
    rows: Float[np.ndarray, "q y v"],
    states: Float[Tensor, "1 n d"],
    at: HookPoint,
    queries: Int[np.ndarray, " q"],
) -> Run:
    stop = int(np.searchsorted(queries, prepared.length + len(answer.ids) - 1))  # decoding went on for others of the batch
    return Run(
        answer=answer.text,
        answer_ids=answer.ids,
        tokens=(*prepared.tokens, *answer.tokens),
        grid=prepared.grid,
        layer=at.layer,
        place=at.younger,
        activations=rows_of([states], at, prepared, len(answer.ids)).float().cpu().numpy(),
        queries=queries[:stop],
        attention=rows[:stop],
    )


def _decoded(vlm: Vlm, prepared: Sequence[Prepared], max_new_tokens: int) -> list[Answer]:
    length = prepared[0].length
    inputs = {name: torch.cat([item.inputs[name] for item in prepared]) for name in prepared[0].inputs}
    said, logits, _ = generated(vlm, inputs, length, max_new_tokens, do_sample=False)
    scores = torch.stack([distributions(step).gather(-1, said[:, n, None])[:, 0] for n, step in enumerate(logits)], 1)
    return [_answer(vlm, length, ids, logprobs) for ids, logprobs in zip(said.tolist(), scores, strict=True)]


def _answer(vlm: Vlm, length: int, ids: list[int], logprobs: Float[Tensor, " n"]) -> Answer:
    ends = end_ids(vlm)
    stop = next((n + 1 for n, i in enumerate(ids) if i in ends), len(ids))  # behind its end a shorter answer is filled up
    pairs = list(zip(ids[:stop], logprobs[:stop].tolist(), strict=True))
    tokens = [Token(length + n, i, token_text(vlm, i), "output", logprob) for n, (i, logprob) in enumerate(pairs) if i not in ends]
    return Answer(decode(vlm, ids[:stop]), tuple(ids[:stop]), tuple(tokens))
