"""What the vision encoder is really shown: the processor's pixel values as pictures again, one a tile.

In: pixel values and the processor that made them. Out: pictures. Runs no model.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scratchpad.grid import Tile
from scratchpad.vlm.protocols import ImageProcessor, PatchRows
from scratchpad.vlm.ramps import unnormalised


def shown(pixel_values: Tensor, image_processor: ImageProcessor, tiles: tuple[Tile, ...], most: int = 8) -> list[Image.Image]:
    """Up to `most` tiles, as many of every image, as the encoder takes them in, resized, cropped and padded as the processor does."""
    values = pixel_values.detach().float().cpu()
    if values.ndim >= 4:
        entries = values.flatten(0, -4)
        real = [entry for entry in entries if entry.any()]  # padding to as many tiles an image is all zeros
        frames = list(unnormalised(torch.stack(real) if len(real) == len(tiles) else entries, image_processor))
    else:
        rows = values.reshape(-1, values.shape[-1]).split([tile.patches for tile in tiles])
        frames = [_whole(part, cast(PatchRows, image_processor), tile) for part, tile in zip(rows, tiles, strict=True)]
    chosen = [frames[i] for i in _chosen(tiles, most) if i < len(frames)]
    pictures = [frame.clamp(0, 255).round().to(torch.uint8).permute(1, 2, 0).numpy() for frame in chosen]
    return [Image.fromarray(np.ascontiguousarray(picture)) for picture in pictures]


def _chosen(tiles: tuple[Tile, ...], most: int) -> list[int]:
    """The first tiles of every image, as many of each."""
    images = dict.fromkeys(tile.image for tile in tiles)
    each = max(1, most // len(images))
    return [i for image in images for i in [n for n, tile in enumerate(tiles) if tile.image == image][:each]]


def _whole(rows: Tensor, image_processor: PatchRows, tile: Tile) -> Tensor:
    """Qwen's processors hand out one row a patch (channel, time, y, x), blocks of merge_size x merge_size in turn."""
    side, patch = image_processor.merge_size, image_processor.patch_size
    first = rows[: tile.patches].reshape(tile.patches, 3, -1, patch, patch)[:, :, 0]
    blocks = first.reshape(tile.rows // side, tile.cols // side, side, side, 3, patch, patch)
    whole = blocks.permute(4, 0, 2, 5, 1, 3, 6).reshape(3, tile.rows * patch, tile.cols * patch)
    return unnormalised(whole, image_processor)
