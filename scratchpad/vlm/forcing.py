"""A given answer, teacher-forced under changes of a prompt's activations: its log-probabilities, in batches that fit.

In: `Prepared`, an answer's tokens, a hook point, a change per patch or token. Out: `Forced`. Knows nothing of SAEs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from scratchpad.progress import step
from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.batch import BATCH, Rows, at_once
from scratchpad.vlm.changed import changed, tidy
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logprobs, distributions, forced_logits, picked
from scratchpad.vlm.points import Change
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import CleanRun, first_changed

TOP = 5  # alternatives a token


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
        tidy(vlm, prepared)
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
    with changed(vlm, prepared, at, deltas, clean, later):
        return forced_logits(vlm, repeated, prepared.length, ids)
