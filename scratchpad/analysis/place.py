"""Which latents fire in a region of a picture and not elsewhere in it.

In: codes, their geometry, a box. Out: latents with their mean activation inside and outside. Knows no names and no model.
"""

from __future__ import annotations

import numpy as np

from scratchpad.errors import UserError
from scratchpad.grid import Box, Places
from scratchpad.records import Codes


def at_place(codes: Codes, places: Places, region: Box | None, image: int = 0, most: int = 50) -> list[tuple[int, float, float]]:
    """(latent, mean activation of the patches or image tokens in a region, and of the image's others), the largest difference first.

    Args:
        region: y0, x0, y1, x1 in pixels of the original image; the whole of it by default.

    Raises:
        UserError: there is no such image, or the region holds no patch of it.
    """
    sizes = places.grid.sizes
    if not 0 <= image < len(sizes):
        raise UserError(f"Image {image} was given; there are {len(sizes)}, counted from 0.")
    own = places.of_image(image)
    inside = own if region is None else places.within(region, image)
    if not inside.any():
        height, width = sizes[image]
        raise UserError(f"The region {region} holds no patch; expected y0,x0,y1,x1 inside an image of {(height, width)} pixels.")
    active, outside = codes.active(), own & ~inside
    dense = codes.dense(active)
    here = dense[inside].mean(0)
    elsewhere = dense[outside].mean(0) if outside.any() else np.zeros_like(here)
    order = [i for i in np.argsort(elsewhere - here, kind="stable") if here[i] > 0][:most]
    return [(int(active[i]), float(here[i]), float(elsewhere[i])) for i in order]
