"""What the language model makes of image tokens: its hidden states, and gradients with respect to what it's handed.

In: `Prepared` and an answer's ids. Out: arrays. One teacher-forced pass each; nothing is edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from scratchpad.errors import UserError
from scratchpad.vlm.attention import Passed, watching
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logprobs, answered, forced_logits
from scratchpad.vlm.prepare import Prepared


@torch.no_grad()
def hidden_states(vlm: Vlm, prepared: Prepared, ids: tuple[int, ...]) -> list[Float[Tensor, "s c"]]:
    """What the language model's first block takes in, and what every block puts out, the last one normed: one for each position.

    Args:
        ids: the answer behind the prompt; its last token isn't fed in.
    """
    out = vlm.model(**answered(vlm, prepared.inputs, prepared.length, ids), use_cache=False, output_hidden_states=True)
    states: Any = out.hidden_states
    assert states is not None, f"{vlm.name} gives no hidden states"
    return [state[0] for state in states]


@torch.no_grad()
def lens(vlm: Vlm, state: Float[Tensor, "n c"]) -> Float[Tensor, "n vocabulary"]:
    """Log-probabilities that the output layer reads off a hidden state (logit lens: nostalgebraist, 2020).

    Raises:
        UserError: the language model has no final norm of a known name.
    """
    norm = getattr(vlm.adapter.language_model, "norm", None)
    head: Any = vlm.model.get_output_embeddings()
    if norm is None or head is None:
        raise UserError(f"The language model of {vlm.name} has no final norm that is known; leave the logit lens out.")
    logits: Tensor = head(norm(state))
    return logits.float().log_softmax(-1)


def embedding_gradients(vlm: Vlm, prepared: Prepared, ids: tuple[int, ...]) -> tuple[Float[np.ndarray, "v c"], Float[np.ndarray, "v c"]]:
    """(image-token embeddings, gradient of the answer's log-probability with respect to them).

    Args:
        ids: the answer's tokens.
    """
    with _leaf(vlm, torch.tensor(prepared.image_positions)) as taken, torch.enable_grad():
        answer = answer_logprobs(forced_logits(vlm, prepared.inputs, prepared.length, ids), ids).sum()
        (slope,) = torch.autograd.grad(answer, taken["leaf"])
    return taken["given"].float().cpu().numpy(), slope.float().cpu().numpy()


@contextmanager
def _leaf(vlm: Vlm, positions: Tensor) -> Iterator[dict[str, Tensor]]:
    """The next pass reads image tokens from a leaf."""
    taken: dict[str, Tensor] = {}

    def begin(module: nn.Module, args: object, kwargs: dict[str, Tensor]) -> tuple[object, dict[str, Tensor]]:
        x = kwargs["inputs_embeds"].detach()
        where = positions.to(x.device)
        given = x[0, where]
        leaf = given.clone().requires_grad_()
        taken.update(given=given, leaf=leaf)
        return args, kwargs | {"inputs_embeds": x.index_copy(1, where, leaf[None])}

    handle = vlm.adapter.language_model.register_forward_pre_hook(begin, with_kwargs=True)
    try:
        yield taken
    finally:
        handle.remove()


def rolled_out(vlm: Vlm, prepared: Prepared, ids: tuple[int, ...], rows: list[int], weighted: bool) -> Float[np.ndarray, "q s"]:
    """Attention followed through all layers from some positions back to what the first block takes in.

    Args:
        rows: the q positions, of the prompt or of the answer but for its last token.
        weighted: off, attention rollout (Abnar & Zuidema 2020): the mean over heads, half of it the residual stream. On,
            relevancy (Chefer et al. 2021, eq. 5-6): the mean over heads of attention x its gradient, where positive.
    """
    positions = torch.tensor(prepared.image_positions)
    with watching() as passed, _leaf(vlm, positions), torch.enable_grad() if weighted else torch.no_grad():
        logits = forced_logits(vlm, prepared.inputs, prepared.length, ids)
        if weighted:
            answer_logprobs(logits, ids).sum().backward()
    length = next(iter(passed.values())).query.shape[2]
    assert max(rows) < length, (rows, length)
    r = torch.eye(length)[rows]
    for layer in sorted(passed, reverse=True):
        step = _relevance(passed[layer]) if weighted else passed[layer].probabilities().mean(0).cpu()
        r = r + r @ step if weighted else 0.5 * r + 0.5 * (r @ step)
    return r.numpy()


def _relevance(passed: Passed) -> Float[Tensor, "s s"]:
    """Of one layer: attention x its gradient where that's positive, the mean over heads."""
    assert passed.out.grad is not None, "the pass had no gradient"
    slope = passed.out.grad[0].transpose(0, 1).float() @ passed.shared(passed.value).float().mT  # of the loss, by each probability
    return (passed.probabilities() * slope).clamp(min=0).mean(0).cpu()
