"""Runs a VLM: the answer with everything captured, and the same run again under a change of the vision activations.

In: `Prepared`, a vision layer, for counterfactuals a change per patch. Out: a `Run`, or answers and log-probabilities.
Knows nothing of SAEs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList

from scratchpad.errors import UserError
from scratchpad.progress import heard, step
from scratchpad.records import Answer, Run, Sampling, Token
from scratchpad.records.question import MAX_NEW_TOKENS
from scratchpad.vlm.attention import capturing
from scratchpad.vlm.hooks import adding, recording
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logprobs, distributions, forced_logits, picked
from scratchpad.vlm.prepare import Prepared, decode, token_text
from scratchpad.vlm.reuse import CleanRun, clean_run, first_changed, keeping, reusing

BATCH = 16  # counterfactuals at once
TOP = 5  # alternatives kept per token


def run(vlm: Vlm, prepared: Prepared, layer: int, max_new_tokens: int = MAX_NEW_TOKENS) -> Run:
    """The greedy answer, with log-probabilities, attention rows of all text tokens and the activations after `layer`.

    Args:
        layer: a vision layer, counted from 0.
        max_new_tokens: fewer where the context ends before.

    Raises:
        UserError: an edit after `layer` would have no effect; or less than one new token is asked for.
    """
    return run_and_keep(vlm, prepared, layer, max_new_tokens)[0]


@torch.no_grad()
def run_and_keep(vlm: Vlm, prepared: Prepared, layer: int, max_new_tokens: int = MAX_NEW_TOKENS) -> tuple[Run, CleanRun]:
    """As `run`, and what edited runs of the same prompt can take from it."""
    columns = torch.tensor(prepared.image_positions)
    skip = torch.zeros(prepared.length, dtype=torch.bool)
    skip[columns] = True
    block = vlm.block(layer)
    with capturing(columns, skip) as capture, recording(block, vlm.leading, prepared.order) as recorded, keeping(vlm, layer) as collected:
        answer, cache = _generate(vlm, prepared, max_new_tokens)
    layers = sorted(capture.rows)
    queries = np.array([p for p, _ in capture.rows[layers[0]]])
    rows = torch.stack([torch.stack([row for _, row in capture.rows[y]]) for y in layers], 1)
    made = Run(
        answer=answer.text,
        tokens=(*prepared.tokens, *answer.tokens),
        grid=prepared.grid,
        layer=layer,
        activations=recorded[0].float().cpu().numpy(),
        queries=queries,
        attention=rows.float().cpu().numpy(),
        answer_ids=answer.ids,
    )
    return made, clean_run(layer, collected, cache)


@torch.no_grad()
def generate(
    vlm: Vlm,
    prepared: Prepared,
    max_new_tokens: int = MAX_NEW_TOKENS,
    layer: int | None = None,
    delta: Float[Tensor, "1 p d"] | None = None,
    clean: CleanRun | None = None,
    sampling: Sampling | None = None,
) -> Answer:
    """Generation, greedy or drawn from a seed, `delta` added to the patches after `layer`; with `clean`, only what that changes.

    Raises:
        UserError: less than one new token is asked for; a temperature out of range.
    """
    with _change(vlm, prepared, layer, delta, clean):
        return _generate(vlm, prepared, max_new_tokens, sampling)[0]


def _generate(vlm: Vlm, prepared: Prepared, max_new_tokens: int, sampling: Sampling | None = None) -> tuple[Answer, object]:
    """The answer, and the cache that it leaves."""
    if max_new_tokens < 1:
        raise UserError(f"{max_new_tokens} new tokens were asked for; expected at least 1.")
    room = vlm.context - prepared.length
    model: Any = vlm.model
    how: dict[str, Any] = {"do_sample": False}
    if sampling:
        how = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0, "top_p": 1.0}
    with _chance(vlm, sampling):
        out = model.generate(
            **prepared.inputs,
            **how,
            max_new_tokens=min(max_new_tokens, room),
            num_beams=1,
            use_cache=True,
            return_dict_in_generate=True,
            output_logits=True,
            stopping_criteria=StoppingCriteriaList([_Watcher(vlm, prepared.length)]),
        )
    ids = out.sequences[0, prepared.length :].tolist()
    logprobs = [float(answer_logprobs(logits, (i,))[0]) for logits, i in zip(out.logits, ids, strict=True)]
    ends = _end_ids(vlm)
    tokens = tuple(
        Token(prepared.length + n, i, token_text(vlm, i), "output", logprob)
        for n, (i, logprob) in enumerate(zip(ids, logprobs, strict=True))
        if i not in ends
    )
    return Answer(decode(vlm, ids), tuple(ids), tokens), out.past_key_values


@dataclass(frozen=True)
class Forced:
    """A given answer, teacher-forced under b changes."""

    logprobs: Float[np.ndarray, "b n"]  # of each of its tokens
    choices: Int[np.ndarray, "b n"]  # what greedy decoding would have said there
    top: Int[np.ndarray, "b n a"]  # the likeliest tokens there, best first
    top_logprobs: Float[np.ndarray, "b n a"]
    ids: tuple[int, ...]

    @property
    def kept(self) -> np.ndarray:
        """bool[b]: whether greedy decoding still gives the whole answer."""
        return (self.choices == np.array(self.ids)).all(1)


@torch.no_grad()
def force(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    layer: int | None = None,
    deltas: Float[Tensor, "b p d"] | None = None,
    clean: CleanRun | None = None,
) -> Forced:
    """The log-probability of an answer under each change, in one batch; with `clean`, computing only what they change."""
    logits = _logits(vlm, prepared, ids, layer, deltas, clean)
    scores = distributions(logits)
    best = scores.topk(min(TOP, scores.shape[-1]), -1)
    choices = logits.argmax(-1)  # not best.indices[..., 0], which may break ties otherwise than generate does
    return Forced(picked(scores, ids).cpu().numpy(), choices.cpu().numpy(), best.indices.cpu().numpy(), best.values.cpu().numpy(), ids)


def force_all(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    layer: int,
    deltas: Sequence[Float[np.ndarray, "p d"]],
    clean: CleanRun | None = None,
) -> Forced:
    """As `force` for any number of changes, in batches of which each shares the longest prefix it can."""
    starts = [first_changed(vlm, prepared, layer, np.asarray(delta.any(-1))) for delta in deltas]
    order = np.argsort(starts, kind="stable")
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    parts = []
    for n, batch in enumerate(batches):
        step("testing", n * BATCH, len(order))
        parts.append(force(vlm, prepared, ids, layer, torch.from_numpy(np.stack([deltas[i] for i in batch])), clean))
    back = np.argsort(order)
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])[back] for name in ("logprobs", "choices", "top", "top_logprobs")
    }
    return Forced(**joined, ids=ids)


def gradient(
    vlm: Vlm, prepared: Prepared, ids: tuple[int, ...], layer: int, at: Float[np.ndarray, "p d"] | None = None
) -> Float[np.ndarray, "p d"]:
    """Gradient of the answer's log-probability with respect to the patches' activations after `layer`, `at` added to them."""
    leaf = torch.zeros(1, prepared.grid.patches, vlm.width, device=vlm.model.device)
    if at is not None:
        leaf += torch.from_numpy(at).to(leaf.device)
    leaf.requires_grad_()
    with torch.enable_grad():
        total = answer_logprobs(_logits(vlm, prepared, ids, layer, leaf), ids).sum()
        (grad,) = torch.autograd.grad(total, leaf)
    return grad[0].float().cpu().numpy()


@torch.no_grad()
def force_each(vlm: Vlm, prepared: Sequence[Prepared], ids: tuple[int, ...]) -> Float[np.ndarray, " b"]:
    """The log-probability of one answer to several like prompts: other pictures of the same size."""
    out = []
    for start in range(0, len(prepared), BATCH):
        part = prepared[start : start + BATCH]
        inputs = {name: torch.cat([prompt.inputs[name] for prompt in part]) for name in part[0].inputs}
        logprobs = answer_logprobs(forced_logits(vlm, inputs, part[0].length, ids), ids)
        out.append(logprobs.sum(1).cpu().numpy())
    return np.concatenate(out)


def _logits(
    vlm: Vlm,
    prepared: Prepared,
    ids: tuple[int, ...],
    layer: int | None,
    deltas: Float[Tensor, "b p d"] | None,
    clean: CleanRun | None = None,
) -> Float[Tensor, "b n vocabulary"]:
    count = 1 if deltas is None else len(deltas)
    repeated = {k: v.repeat(count, *[1] * (v.ndim - 1)) for k, v in prepared.inputs.items()}
    with _change(vlm, prepared, layer, deltas, clean):
        return forced_logits(vlm, repeated, prepared.length, ids)


@contextmanager
def _change(
    vlm: Vlm, prepared: Prepared, layer: int | None, delta: Float[Tensor, "b p d"] | None, clean: CleanRun | None
) -> Iterator[None]:
    if delta is None:
        yield
        return
    assert layer is not None, "a change needs the layer after which it's added"
    assert clean is None or clean.layer == layer, (clean.layer if clean else None, layer)
    first = first_changed(vlm, prepared, layer, delta.ne(0).any(-1).any(0).cpu().numpy()) if clean else 0
    with adding(vlm.block(layer), vlm.leading, delta, prepared.order), reusing(vlm, clean, first, len(delta)):
        yield


@contextmanager
def _chance(vlm: Vlm, sampling: Sampling | None) -> Iterator[None]:
    """A seed's own chance; nobody else's is touched."""
    if sampling is None:
        yield
        return
    devices = [vlm.model.device] if vlm.model.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(sampling.seed)
        yield


def _end_ids(vlm: Vlm) -> set[int]:
    end = vlm.model.generation_config.eos_token_id
    return set(end) if isinstance(end, list) else {end}


class _Watcher(StoppingCriteria):
    """Hands out the answer as far as it's written; never stops it but by `Stopped`."""

    def __init__(self, vlm: Vlm, start: int):
        self.vlm, self.start = vlm, start

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: object) -> Tensor:
        if heard():
            written = input_ids[0, self.start :].tolist()
            step("answering", len(written), text=decode(self.vlm, written))
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
