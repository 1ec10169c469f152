"""An `Edit` as a function of activations, for a model under which it stands: the same change that `edit.delta` makes of one run.

In: an SAE and an edit without regions. Out: a function from patches' activations to what is added to them. The error is kept, so patches
on which no edited latent moves stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.records import Edit
from scratchpad.sae.load import Sae
from scratchpad.sae.normalise import normalised


def everywhere(sae: Sae, edit: Edit) -> Callable[[Float[Tensor, "n d"]], Float[Tensor, "n d"]] | None:
    """What an edit adds to tokens of text that aren't there yet: by its items without a region or a picture; None where that's nothing.

    Raises:
        UserError: as `change_of`.
    """
    items = tuple(item for item in edit.items if item.region is None and item.image is None)
    items_change = change_of(sae, Edit(items)) if items else None
    if edit.keep_error:
        return items_change

    def replaced(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        given = x.float().cpu().numpy()
        change = torch.from_numpy(sae.reconstruct(sae.encode(given), given) - given).to(x.device)
        return change if items_change is None else change + items_change(x)

    return replaced


def change_of(sae: Sae, edit: Edit) -> Callable[[Float[Tensor, "n d"]], Float[Tensor, "n d"]]:
    """What an edit adds to each patch.

    Raises:
        UserError: it has regions or pictures, names a latent twice or one that isn't there, or takes the error away.
    """
    ids = [item.latent for item in edit.items]
    if not ids or not edit.keep_error or any(item.region is not None or item.image is not None for item in edit.items):
        raise UserError("An edit that stands acts everywhere and keeps the SAE's error; the one given has none, a region or a picture.")
    if len(set(ids)) < len(ids) or max(ids) >= sae.d_sae:
        raise UserError(f"The edit names latents {ids[:8]}; expected each once, of 0 to {sae.d_sae - 1}.")
    directions = sae.directions()[ids]
    scale = torch.tensor([item.value if item.op == "scale" else float(item.op == "add") for item in edit.items], device=directions.device)
    shift = torch.tensor([0.0 if item.op == "scale" else item.value for item in edit.items], device=directions.device)

    def change(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        a = sae.of(x, ids)
        own = normalised(x.float(), sae.normalise).scale  # of an SAE that normalises each patch
        moved = ((a * scale + shift - a) @ directions).to(x.device)
        return moved if own is None else moved * own

    return change
