"""An `Edit` as a change of activations, a row for each patch, image token or token: delta[n] = sum over edited latents of
(a' - a) * decoder row, times the row's scale where the SAE normalises its input.

The SAE's reconstruction error is kept, so an empty edit changes nothing; with `keep_error` off, delta also takes the
error away, which puts the reconstruction in place of the activations.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from scratchpad.errors import UserError
from scratchpad.grid import Places
from scratchpad.records import Codes, Edit, LatentEdit
from scratchpad.sae.load import Sae


def delta(sae: Sae, codes: Codes, edit: Edit, places: Places, activations: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"] | None:
    """The change per row, or None where there is none to make.

    Raises:
        UserError: an unknown latent, a latent edited twice in one place, or a region outside every patch.
    """
    if not edit.items and edit.keep_error:
        return None
    out = np.zeros_like(activations)
    if not edit.keep_error:
        out += sae.reconstruct(codes, activations) - activations
    taken: dict[int, np.ndarray] = {}
    directions, scales = sae.directions().cpu().numpy(), sae.scales(activations)
    for item in edit.items:
        where = _where(item, sae, places)
        if (taken.get(item.latent, np.zeros_like(where)) & where).any():
            raise UserError(f"Latent {item.latent} is edited twice in the same place; keep one of the edits.")
        taken[item.latent] = taken.get(item.latent, np.zeros_like(where)) | where
        change = np.where(where, _moved(item, codes), 0).astype(np.float32)
        out += change[:, None] * scales * directions[item.latent]
    return out if out.any() else None


def _moved(item: LatentEdit, codes: Codes) -> Float[np.ndarray, " n"]:
    """a' - a, were it everywhere."""
    a = codes.of(item.latent)
    after = {"set": np.full_like(a, item.value), "scale": a * item.value, "add": a + item.value}[item.op]
    return np.asarray(after - a)


def covered(edit: Edit, sae: Sae, places: Places) -> Bool[np.ndarray, " n"]:
    """The rows on which any of an edit's items acts."""
    return np.any([_where(item, sae, places) for item in edit.items], 0) if edit.items else np.ones(places.count, bool)


def idle(edit: Edit, sae: Sae, codes: Codes, places: Places) -> tuple[int, ...]:
    """Edited latents of which no item changes anything: they aren't active where it acts, and stay so."""
    moved = {item.latent: False for item in edit.items}
    for item in edit.items:
        moved[item.latent] |= bool(_moved(item, codes)[_where(item, sae, places)].any())
    return tuple(latent for latent, any_moved in moved.items() if not any_moved)


def _where(item: LatentEdit, sae: Sae, places: Places) -> np.ndarray:
    sizes = places.grid.sizes
    if not 0 <= item.latent < sae.d_sae:
        raise UserError(f"Latent {item.latent} was given, but {sae.name} has latents 0 to {sae.d_sae - 1}.")
    if item.image is not None and not 0 <= item.image < len(sizes):
        raise UserError(f"Image {item.image} was given for latent {item.latent}, but there are images 0 to {len(sizes) - 1}.")
    if item.region is None:
        return np.ones(places.count, bool) if item.image is None else places.of_image(item.image)
    where = places.within(item.region, item.image or 0)
    if not where.any():
        raise UserError(f"The region {item.region} holds no patch; expected y0,x0,y1,x1 inside an image of {sizes[0]} pixels.")
    return where
