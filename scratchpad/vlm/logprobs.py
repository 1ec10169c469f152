"""How likely a model finds an answer: the one place where its log-probability is computed.

In: a `Vlm`, a prompt's inputs, an answer's ids; or logits that a run left. Out: log-probabilities. Hooks are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from scratchpad.vlm.load import Vlm


def distributions(logits: Float[Tensor, "*b n vocabulary"]) -> Float[Tensor, "*b n vocabulary"]:
    """Log-probabilities of all tokens at each position, in float32 at least: in half precision their sum would drift."""
    exact = logits if logits.dtype == torch.float64 else logits.float()
    return exact.log_softmax(-1)


def picked(distribution: Float[Tensor, "*b n vocabulary"], ids: Sequence[int]) -> Float[Tensor, "*b n"]:
    """Of each position's log-probabilities, that of the token the answer has there."""
    index = torch.tensor(ids, device=distribution.device).expand(distribution.shape[:-1])
    return distribution.gather(-1, index[..., None])[..., 0]


def answer_logprobs(logits: Float[Tensor, "*b n vocabulary"], ids: Sequence[int]) -> Float[Tensor, "*b n"]:
    """log p(token | prompt, tokens before it) of each of an answer's n tokens, in nats; differentiable.

    Args:
        logits: at the position that predicts each token.
    """
    return picked(distributions(logits), ids)


def answer_logodds(logits: Float[Tensor, "*b n vocabulary"], ids: Sequence[int]) -> Float[Tensor, "*b n"]:
    """log p / (1 - p) of each of an answer's n tokens, in nats; differentiable, and steep where p is almost 1, as its log isn't."""
    exact = distributions(logits)
    index = torch.tensor(ids, device=logits.device).expand(exact.shape[:-1])[..., None]
    others = exact.scatter(-1, index, float("-inf")).logsumexp(-1)
    return exact.gather(-1, index)[..., 0] - others


def forced_logits(vlm: Vlm, inputs: Mapping[str, Tensor], length: int, ids: Sequence[int]) -> Float[Tensor, "b n vocabulary"]:
    """One pass over a prompt and an answer (teacher forcing): the logits at the positions that predict the answer's tokens.

    Args:
        inputs: as `Prepared.inputs`, or of a batch of b like prompts.
        length: of the prompt, in tokens.
    """
    logits: Tensor = vlm.model(**answered(vlm, inputs, length, ids), use_cache=False, logits_to_keep=len(ids)).logits
    return logits


def answered(vlm: Vlm, inputs: Mapping[str, Tensor], length: int, ids: Sequence[int]) -> dict[str, Tensor]:
    """Inputs with an answer's tokens behind the prompt, but for the last; of the types that `generate` gives them."""
    given = torch.tensor(ids, device=vlm.adapter.device)[None, :-1]
    types = torch.full_like(given, vlm.adapter.answer_type)
    more = {"input_ids": given, "attention_mask": torch.ones_like(given), "token_type_ids": types}
    out = dict(inputs)
    for name, value in inputs.items():
        if value.ndim == 2 and value.shape[1] == length:
            tail = more.get(name, torch.zeros_like(given))
            out[name] = torch.cat([value, tail.expand(len(value), -1).to(value.dtype)], 1)
    return out
