"""Runs a VLM: the answer with everything captured, and the same run again under a change of its activations.

In: `Prepared`, a hook point, for counterfactuals a change per patch. Out: a `Run`, or answers and log-probabilities.
Knows nothing of SAEs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from scratchpad.allocator import give_back_memory
from scratchpad.errors import UserError
from scratchpad.progress import step
from scratchpad.records import Answer, Run, Sampling
from scratchpad.records.hookpoint import HookPoint
from scratchpad.records.question import MAX_NEW_TOKENS
from scratchpad.vlm.attention import capturing
from scratchpad.vlm.batch import BATCH, Rows, at_once
from scratchpad.vlm.decoding import decoded
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logprobs, distributions, forced_logits, picked
from scratchpad.vlm.points import Change, changing_at, recording_at, rows_of
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import CleanRun, clean_run, first_changed, keeping, reusing

TOP = 5  # alternatives a token


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
    _tidy(vlm, prepared)
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
    _tidy(vlm, prepared)
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
    with _change(vlm, prepared, at, delta, clean, [later]) if delta is not None else nullcontext():
        return decoded(vlm, prepared, max_new_tokens, sampling)[0]


@dataclass(frozen=True)
class Forced:
    """A given answer of n tokens, teacher-forced under b changes; log-probabilities in nats."""

    logprobs: Float[np.ndarray, "b n"]  # of each of its tokens, given those before it
    choices: Int[np.ndarray, "b n"]  # what greedy decoding would have said there
    top: Int[np.ndarray, "b n a"]  # the likeliest tokens there, best first
    top_logprobs: Float[np.ndarray, "b n a"]
    ids: tuple[int, ...]

    @property
    def unchanged(self) -> Bool[np.ndarray, " b"]:
        """Whether greedy decoding still gives the whole answer."""
        return np.asarray((self.choices == np.array(self.ids)).all(1))


@torch.no_grad()
def force(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    at: HookPoint | None = None,
    deltas: Float[Tensor, "b n d"] | None = None,
    clean: CleanRun | None = None,
    later: Sequence[Change | None] = (),
) -> Forced:
    """The log-probability of an answer under each change, in one batch; with `clean`, computing only what they change.

    Args:
        ids: the answer's tokens, the end token included where it is to count.
        at, clean: as in `generate`; `later` too, for each change.
        deltas: None for the answer without a change, which counts as one; with `clean`, nothing of the prompt is computed but its end.
    """
    logits = _logits(vlm, prepared, ids, at, deltas, clean, later)
    scores = distributions(logits)
    best = scores.topk(min(TOP, scores.shape[-1]), -1)
    choices = logits.argmax(-1)  # not best.indices[..., 0], which may break ties otherwise than generate does
    return Forced(picked(scores, ids).cpu().numpy(), choices.cpu().numpy(), best.indices.cpu().numpy(), best.values.cpu().numpy(), ids)


@torch.no_grad()
def next_logprobs(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    at: HookPoint,
    deltas: Float[Tensor, "b n d"],
    clean: CleanRun | None = None,
) -> Float[np.ndarray, "b vocabulary"]:
    """The log-probability of every token in the place of the last of `ids`, given those before it, under each change, in nats."""
    return distributions(_logits(vlm, prepared, ids, at, deltas, clean)[:, -1]).cpu().numpy()


def force_all(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    at: HookPoint,
    deltas: Iterable[Float[np.ndarray, "n d"]],
    clean: CleanRun | None = None,
    later: Sequence[Change | None] = (),
) -> Forced:
    """As `force` for any number of changes, at least one, in batches of which each shares the longest prefix it can.

    Of all changes only the rows that aren't nought are held at once.

    Args:
        later: of each change, as in `generate`; read when all of `deltas` are.
    """
    changes = [Rows.of(delta) for delta in deltas]
    starts = [first_changed(vlm, prepared, at, change.changed()) for change in changes]
    order, size = np.argsort(starts, kind="stable"), at_once(vlm, prepared)
    parts = []
    for n in range(0, len(order), size):
        step("testing", n, len(order))
        batch = order[n : n + size]
        stacked = torch.from_numpy(np.stack([changes[i].dense() for i in batch]))
        parts.append(force(vlm, prepared, ids, at, stacked, clean, [later[i] for i in batch if later]))
        _tidy(vlm, prepared)
    back = np.argsort(order)
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])[back] for name in ("logprobs", "choices", "top", "top_logprobs")
    }
    return Forced(**joined, ids=ids)


@torch.no_grad()
def force_each(vlm: Vlm, prepared: Sequence[Prepared], ids: tuple[int, ...]) -> Float[np.ndarray, " b"]:
    """The log-probability of one answer, the sum over its tokens in nats, to several like prompts: other pictures of the same size."""
    out = []
    for start in range(0, len(prepared), BATCH):
        part = prepared[start : start + BATCH]
        inputs = {name: torch.cat([prompt.inputs[name] for prompt in part]) for name in part[0].inputs}
        logprobs = answer_logprobs(forced_logits(vlm, inputs, part[0].length, ids), ids)
        out.append(logprobs.sum(1).cpu().numpy())
    return np.concatenate(out)


def _tidy(vlm: Vlm, prepared: Prepared) -> None:
    """What was freed in pieces goes back to the system, of a question so large that it counts."""
    if at_once(vlm, prepared) < BATCH:
        give_back_memory()


def _logits(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    at: HookPoint | None,
    deltas: Float[Tensor, "b n d"] | None,
    clean: CleanRun | None = None,
    later: Sequence[Change | None] = (),
) -> Float[Tensor, "b n vocabulary"]:
    count = 1 if deltas is None else len(deltas)
    repeated = {k: v.repeat(count, *[1] * (v.ndim - 1)) for k, v in prepared.inputs.items()}
    with _change(vlm, prepared, at, deltas, clean, later):
        return forced_logits(vlm, repeated, prepared.length, ids)


@contextmanager
def _change(
    vlm: Vlm,
    prepared: Prepared,
    at: HookPoint | None,
    delta: Float[Tensor, "b n d"] | None,
    clean: CleanRun | None,
    later: Sequence[Change | None],
) -> Iterator[None]:
    if delta is None:
        with reusing(vlm, clean, prepared.length - 1, 1):
            yield
        return
    assert at is not None, "a change needs the point at which it's added"
    assert clean is None or clean.at == at, (clean.at if clean else None, at)
    first = first_changed(vlm, prepared, at, delta.ne(0).any(-1).any(0).cpu().numpy()) if clean else 0
    with reusing(vlm, clean, first, len(delta)), changing_at(vlm, at, prepared, delta, later):
        yield
