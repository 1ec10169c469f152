"""Attention rows at the cost of SDPA: the wanted rows are computed beside it, never the whole matrix.

transformers lets one register an attention function; ours returns SDPA's output untouched and, while a capture is
active in this context, computes softmax(q k^T) for the wanted query rows and heads, averages the heads and keeps the image columns.
Attention dumps of a whole model never exist, and the model's answer is the one it gives without us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from scratchpad.errors import UserError

NAME = "scratchpad_rows"  # transformers would refuse Gemma 2 a name with sdpa in it, though ours caps scores
BLOCK = 256  # query rows that go through SDPA together under a mask


@dataclass
class Capture:
    """Which attention rows are wanted, and those collected so far. Lives as long as one run."""

    columns: Tensor  # positions of the image tokens
    skip: Bool[Tensor, " s"]  # prompt positions whose rows are not wanted: the image tokens themselves
    heads: tuple[int, ...] | None = None  # those averaged, the only ones computed; None for all
    by_head: bool = False  # whether rows stay apart by head, h v each; else they are the mean over heads
    batch: int | None = None  # of how many like prompts, the first of the batch, an axis more; None: of the first alone
    rows: dict[int, list[tuple[int, Float[Tensor, "... v"]]]] = field(default_factory=dict)  # layer -> (position, row) parts
    ends: dict[int, int] = field(default_factory=dict)  # layer -> positions seen so far


@dataclass(frozen=True)
class Passed:
    """What one layer's attention took in and gave out in one forward pass."""

    query: Float[Tensor, "b h s c"]
    key: Float[Tensor, "b g s c"]
    value: Float[Tensor, "b g s c"]
    mask: Tensor | None
    scaling: float | None
    out: Float[Tensor, "b s h c"]
    softcap: float | None = None

    def probabilities(self) -> Float[Tensor, "h s s"]:
        """The first row's attention, whole: one layer at a time, where a method needs it."""
        q, k = self.query[0].detach(), self.shared(self.key)
        s = q.shape[1]
        scores = _scored(q, k, self.scaling, self.softcap)
        if self.mask is None:
            return scores.masked_fill_(torch.ones(s, s, dtype=torch.bool, device=q.device).triu(1), float("-inf")).softmax(-1)
        part = self.mask[0, :, :, :s]
        return (scores.masked_fill(~part, float("-inf")) if part.dtype == torch.bool else scores + part.float()).softmax(-1)

    def shared(self, x: Float[Tensor, "b g s c"]) -> Float[Tensor, "h s c"]:
        """Keys or values of the first row, one for each query head."""
        group = self.query.shape[1] // x.shape[1]
        return x[0].detach().repeat_interleave(group, 0)


_active: ContextVar[Capture | None] = ContextVar("scratchpad_capture", default=None)
_watched: ContextVar[dict[int, Passed] | None] = ContextVar("scratchpad_watched", default=None)


@contextmanager
def watching() -> Iterator[dict[int, Passed]]:
    """Collects, by layer, what its attention takes in and gives out, and the gradient of the latter: one pass, without a cache."""
    passed: dict[int, Passed] = {}
    token = _watched.set(passed)
    try:
        yield passed
    finally:
        _watched.reset(token)


@contextmanager
def capturing(
    columns: Tensor, skip: Bool[Tensor, " s"], heads: Sequence[int] | None = None, by_head: bool = False, batch: int | None = None
) -> Iterator[Capture]:
    """Collects attention rows of every forward pass inside the block, of the batch's first prompts only, where no gradient is taken.

    Args:
        columns: positions of the image tokens, int[v].
        skip: which of the prompt's s positions aren't wanted.
        heads: those whose mean is taken, in every layer; all by default.
        by_head: keeps heads apart instead of taking their mean.
        batch: of how many prompts, which have columns and skip in common, a row each; by default of the first alone.
    """
    capture = Capture(columns, skip, None if heads is None else tuple(heads), by_head, batch)
    token = _active.set(capture)
    try:
        yield capture
    finally:
        _active.reset(token)


def install(model: PreTrainedModel) -> None:
    """Routes the language model's attention through `attention`; the vision tower keeps its own.

    Raises:
        UserError: its attention is of a kind that SDPA can't do, and no capping of scores.
    """
    text: Any = model.config.get_text_config()
    capped = bool(getattr(text, "attn_logit_softcapping", None))
    for part in model.modules():
        if isinstance(part, PreTrainedModel) and part.config is text and not part._supports_sdpa and not capped:
            raise UserError(f"The attention of {type(part).__name__} can't be computed by SDPA, so its maps can't be read off exactly.")
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation({"text_config": NAME})


@contextmanager
def instead(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    """One of transformers' own attention functions in place of ours: what tests and benchmarks compare with."""
    model.set_attn_implementation({"text_config": implementation})
    try:
        yield
    finally:
        model.set_attn_implementation({"text_config": NAME})


def attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: object
) -> tuple[Tensor, None]:
    """An attention function as transformers expects it: SDPA, plus the captured rows.

    Args:
        query, key, value: b h s c, b g s c, b g s c, a key for every group of h / g queries.
        attention_mask: b 1 s s, boolean or added to the scores; None for causal.

    Returns:
        (b s h c, None).
    """
    scale, cap = (value if isinstance(value, float) else None for value in (kwargs.get("scaling"), kwargs.pop("softcap", None)))
    if cap is None:
        out = _in_blocks(module, query, key, value, attention_mask, **kwargs)
    else:
        out = _capped(query, key, value, attention_mask, scale, cap)
    watched = _watched.get()
    if watched is not None:
        if out.requires_grad:
            out.retain_grad()
        layer = int(getattr(module, "layer_idx", 0))
        watched[layer] = Passed(query, key, value, attention_mask, scale, out, cap)
    capture = _active.get()
    if capture is not None and not torch.is_grad_enabled():
        _collect(capture, module, query[: capture.batch or 1], key[: capture.batch or 1], attention_mask, scale, cap)
    return out, None


def _scored(q: Float[Tensor, "*b q c"], k: Float[Tensor, "*b s c"], scale: float | None, cap: float | None) -> Float[Tensor, "*b q s"]:
    """What softmax is taken of, before the mask; with a cap, as Gemma 2 bends it: cap * tanh(score / cap)."""
    scores = (q @ k.mT).float() * (scale if scale is not None else q.shape[-1] ** -0.5)
    return scores if cap is None else torch.tanh(scores / cap) * cap


def _capped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float | None, cap: float) -> Float[Tensor, "b s h c"]:
    """Attention whose scores are capped, which SDPA can't do: some rows at a time, so that the whole matrix never exists."""
    group = query.shape[1] // key.shape[1]
    k, v = (x.repeat_interleave(group, 1) if group > 1 else x for x in (key, value))
    rows, length = query.shape[2], key.shape[2]
    if mask is None:
        mask = torch.ones(rows, length, dtype=torch.bool, device=query.device).tril(length - rows)[None, None]
    parts = []
    for start in range(0, rows, BLOCK):
        scores = _scored(query[:, :, start : start + BLOCK], k, scale, cap)
        part = mask[:, :, start : start + BLOCK, :length]
        scores = scores.masked_fill(~part, float("-inf")) if part.dtype == torch.bool else scores + part.float()
        parts.append(scores.softmax(-1).to(v.dtype) @ v)
    return torch.cat(parts, 2).transpose(1, 2).contiguous()


def _in_blocks(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **kwargs: object) -> Tensor:
    """SDPA, a block of query rows at a time where a mask is given: each reads only the keys up to the last that it may see.

    With a mask SDPA computes what the mask then hides, half of all in a causal one; a prefill upon the keys of a clean run always has one.
    """
    rows = query.shape[2]
    if mask is None or rows < 2 * BLOCK or mask.shape[2] != rows or torch.is_grad_enabled():
        return sdpa_attention_forward(module, query, key, value, mask, **kwargs)[0]  # type: ignore[arg-type]
    visible = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
    parts = []
    for start in range(0, rows, BLOCK):
        part = slice(start, min(start + BLOCK, rows))
        columns = visible[:, :, part].flatten(0, 2).any(0).nonzero()
        stop = int(columns[-1]) + 1 if len(columns) else key.shape[2]
        cut = mask[:, :, part, :stop]
        parts.append(sdpa_attention_forward(module, query[:, :, part], key[:, :, :stop], value[:, :, :stop], cut, **kwargs)[0])  # type: ignore[arg-type]
    return torch.cat(parts, 1)


def _collect(
    capture: Capture,
    module: nn.Module,
    query: Float[Tensor, "b h q c"],
    key: Float[Tensor, "b g s c"],
    mask: Tensor | None,
    scaling: float | None,
    cap: float | None,
) -> None:
    layer = int(getattr(module, "layer_idx", 0))
    total, fresh = key.shape[2], query.shape[2]
    end = capture.ends[layer] = capture.ends.get(layer, 0) + fresh
    first = end - total  # a sliding window's cache has forgotten the positions before it
    assert first >= 0, f"layer {layer} was handed {total} keys for {end} positions: a cache with room ahead can't be captured"
    wanted = torch.arange(end - fresh, end, device=query.device)
    if end == fresh:
        wanted = wanted[~capture.skip[:end].to(query.device)]
    local = wanted - (end - fresh)
    q = query[:, :, local]  # b h n c
    group = query.shape[1] // key.shape[1]
    if capture.heads is not None:
        q, k = q[:, list(capture.heads)], key[:, [head // group for head in capture.heads]]
    else:
        k = key.repeat_interleave(group, 1) if group > 1 else key
    scores = _scored(q, k, scaling, cap)
    if mask is None:
        allowed = torch.arange(first, end, device=query.device)[None, :] <= wanted[:, None]
        scores = scores.masked_fill(~allowed, float("-inf"))
    else:
        part = mask[: len(query), :, local][..., :total]
        scores = scores.masked_fill(~part, float("-inf")) if part.dtype == torch.bool else scores + part.float()
    columns = capture.columns.to(query.device)
    held = columns >= first
    shares = scores.softmax(-1)[..., columns[held] - first].transpose(1, 2)  # b n h v
    read = shares if capture.by_head else shares.mean(2)
    rows = torch.zeros(*read.shape[:-1], len(columns), device=query.device)
    rows[..., held] = read
    per_token = rows[0] if capture.batch is None else rows.transpose(0, 1)
    capture.rows.setdefault(layer, []).extend((int(p), row) for p, row in zip(wanted.tolist(), per_token, strict=True))
