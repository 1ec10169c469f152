"""A latent by what it looks like: pictures on which it fires."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import UInt8

from scratchpad.records.codec import U1, Bytes, Text, record


@record
class Reference:
    """One of the index's pictures, with where a latent fires on it."""

    interval: Text  # of activation: top, upper, middle, lower, like this picture; or counter-example
    activation: float  # its maximum over the picture's patches
    labels: Text
    mask: Annotated[UInt8[np.ndarray, "rows cols"], U1]  # activation per patch, 255 for the picture's maximum
    thumbnail: Annotated[bytes, Bytes(2**18)]  # WebP
