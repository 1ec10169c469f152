"""What a retrieval model's language model takes in for a page, and how a query's score hangs on it.

In: a `Retriever`, a page's inputs, a `Query`. Out: plain arrays. Hooks are scoped.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from scratchpad.vlm.retrieval import Query, Retriever, image_positions


def taken_in(
    retriever: Retriever, inputs: dict[str, Tensor], query: Query | None = None
) -> tuple[Float[np.ndarray, "v c"], Float[np.ndarray, "v c"] | None]:
    """Image tokens as the language model takes them in; with a query, also the gradient of its MaxSim score by them."""
    where = torch.from_numpy(image_positions(retriever, inputs)).to(retriever.adapter.device)
    leaves: list[Tensor] = []

    def begin(_: nn.Module, args: object, named: dict[str, Tensor]) -> tuple[object, dict[str, Tensor]]:
        given = named["inputs_embeds"].detach()
        leaves.append(given[0, where].clone().requires_grad_(query is not None))
        return args, named | {"inputs_embeds": given.index_copy(1, where, leaves[0][None])}

    handle = retriever.adapter.language_model.register_forward_pre_hook(begin, with_kwargs=True)
    try:
        with torch.set_grad_enabled(query is not None):
            page = retriever.model(**inputs)["embeddings"][0].float()
            slope = None
            if query is not None:
                asked = torch.from_numpy(query.embeddings).to(page.device)
                (slope,) = torch.autograd.grad((asked @ page.T).amax(1).sum(), leaves[0])
    finally:
        handle.remove()
    return leaves[0].detach().float().cpu().numpy(), None if slope is None else slope.float().cpu().numpy()
