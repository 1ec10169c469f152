"""Greedy and drawn decoding: a prompt's answer, token by token, and the cache that it leaves.

In: `Prepared`, perhaps a `Sampling`. Out: an `Answer`. What is hooked meanwhile is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList

from scratchpad.errors import UserError
from scratchpad.progress import heard, step
from scratchpad.records import Answer, Sampling, Token
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logprobs
from scratchpad.vlm.prepare import Prepared, decode, token_text


def decoded(vlm: Vlm, prepared: Prepared, max_new_tokens: int, sampling: Sampling | None = None) -> tuple[Answer, object]:
    """The answer, and the cache that it leaves.

    Raises:
        UserError: less than one new token is asked for.
    """
    how: dict[str, object] = {"do_sample": False}
    if sampling:
        how = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0, "top_p": 1.0}
    watched = StoppingCriteriaList([_Watcher(vlm, prepared.length)])
    with _chance(vlm, sampling):
        said, logits, cache = generated(vlm, prepared.inputs, prepared.length, max_new_tokens, stopping_criteria=watched, **how)
    ids = said[0].tolist()
    logprobs = [float(answer_logprobs(step_logits, (i,))[0]) for step_logits, i in zip(logits, ids, strict=True)]
    ends = end_ids(vlm)
    tokens = tuple(
        Token(prepared.length + n, i, token_text(vlm, i), "output", logprob)
        for n, (i, logprob) in enumerate(zip(ids, logprobs, strict=True))
        if i not in ends
    )
    return Answer(decode(vlm, ids), tuple(ids), tokens), cache


def generated(
    vlm: Vlm, inputs: Mapping[str, Tensor], length: int, max_new_tokens: int, **how: object
) -> tuple[Int[Tensor, "b n"], Sequence[Float[Tensor, "b vocabulary"]], object]:
    """What `generate` puts behind a batch of like prompts: tokens, the logits that each was chosen by, the cache that is left.

    Args:
        inputs: as `Prepared.inputs`, or of a batch.
        length: of the prompts, in tokens.
        how: options of `generate`.

    Raises:
        UserError: less than one new token is asked for.
    """
    if max_new_tokens < 1:
        raise UserError(f"{max_new_tokens} new tokens were asked for; expected at least 1.")
    model: Any = vlm.model
    room = vlm.context - length
    fixed = {"num_beams": 1, "use_cache": True, "return_dict_in_generate": True, "output_logits": True}
    out = model.generate(**inputs, **how, **fixed, max_new_tokens=min(max_new_tokens, room))
    return out.sequences[:, length:], out.logits, out.past_key_values


@contextmanager
def _chance(vlm: Vlm, sampling: Sampling | None) -> Iterator[None]:
    """A seed's own chance; nobody else's is touched."""
    if sampling is None:
        yield
        return
    devices = [vlm.adapter.device] if vlm.adapter.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(sampling.seed)
        yield


def end_ids(vlm: Vlm) -> set[int]:
    """The tokens that end an answer."""
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
