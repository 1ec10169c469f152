"""Vision activations of many images, several layers in one pass, without running the language model.

In: a `Vlm`, pictures, layers. Out: per batch and layer an array of patches. Stops the encoder after the last layer asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from scratchpad.vlm.hooks import recording
from scratchpad.vlm.load import Vlm


@torch.no_grad()
def harvest(vlm: Vlm, images: Iterable[Image.Image], layers: Sequence[int], size: int = 16) -> Iterator[dict[int, Float[Tensor, "n p d"]]]:
    """Yields {layer: activations of a batch of n images}, patches in the grid's order, class token left out."""
    source = iter(images)
    model: Any = vlm.model
    while batch := list(islice(source, size)):
        pixels = vlm.processor.image_processor(batch, return_tensors="pt")["pixel_values"].to(vlm.model.device, vlm.model.dtype)
        with ExitStack() as stack:
            seen = {layer: stack.enter_context(recording(vlm.block(layer), vlm.leading)) for layer in layers}
            model.get_image_features(pixel_values=pixels)
        yield {layer: rows[0].reshape(len(batch), -1, rows[0].shape[-1]).float().cpu() for layer, rows in seen.items()}
