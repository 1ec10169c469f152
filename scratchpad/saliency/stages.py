"""How a picture becomes what a map is drawn over, step by step (Needle in a Patched Haystack, "transparent processing").

In: pictures with their run, or a page with its query. Out: `Stage`s, each one picture with what it shows. Embeddings are shown
as the mean over their dimension, which says where they differ and nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from PIL import Image

from scratchpad.draw.over import alone, resized, ruled
from scratchpad.grid import Grid
from scratchpad.images import beside
from scratchpad.records import Run
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.page_states import taken_in
from scratchpad.vlm.pixels import shown
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.retrieval import Page, Retriever, page_inputs
from scratchpad.vlm.states import hidden_states

SIDE = 320  # px of a stage's longer side


@dataclass(frozen=True)
class Stage:
    """One step: what it is, a caption with its numbers, and a picture of it."""

    title: str
    says: str
    picture: Image.Image = field(repr=False)


def of_answer(vlm: Vlm, pictures: Sequence[Image.Image], prepared: Prepared, run: Run) -> list[Stage]:
    """From the file to what the language model leaves of every image token.

    Args:
        pictures: those that `prepared` was made of, in order.
        run: the answer to it.
    """
    processor = vlm.processor.image_processor
    layers = hidden_states(vlm, prepared, run.answer_ids)
    at = prepared.image_positions
    before, after = (layers[i][at].float().cpu().numpy() for i in (0, -1))
    patches = (
        [] if run.place else [_embeddings("Patches", f"in the vision encoder, after layer {run.layer}", run.states(), run.grid, False)]
    )
    return [
        *_pixels(pictures, run.grid, shown(prepared.inputs["pixel_values"], processor, run.grid.tiles)),
        *patches,
        _embeddings("Image tokens, going in", "as the language model takes them in", before, run.grid),
        _embeddings("Image tokens, coming out", "after the language model's last layer", after, run.grid),
    ]


def of_page(retriever: Retriever, picture: Image.Image, page: Page) -> list[Stage]:
    """From the file to the vectors that a query is compared with."""
    inputs, grid = page_inputs(retriever, picture)
    processor = retriever.processor.image_processor
    given, _ = taken_in(retriever, inputs)
    return [
        *_pixels([picture], grid, shown(inputs["pixel_values"], processor, grid.tiles)),
        _embeddings("Image tokens, going in", "as the language model takes them in", given, grid),
        _embeddings("Image tokens, coming out", "after the model's forward pass, length one", page.of_image, grid),
    ]


def mapped(values: Float[np.ndarray, " v"], grid: Grid, says: str) -> Stage:
    """The last step: a map, a value per image token. `says` is what the values are."""
    return Stage("The map", f"{says} ({values.min():.3g} to {values.max():.3g})", _map(values, grid, tokens=True))


def _pixels(pictures: Sequence[Image.Image], grid: Grid, tiles: list[Image.Image]) -> list[Stage]:
    files = ", ".join(f"{picture.height} x {picture.width}" for picture in pictures)
    shapes = dict.fromkeys(f"{tile.rows} x {tile.cols}" for tile in grid.tiles)
    sides = dict.fromkeys(f"{tile.height} x {tile.width}" for tile in tiles)
    count = len(grid.tiles)
    many = f"{count} tiles of " if count > 1 else ""
    part = many if len(tiles) == count else f"{len(tiles)} of {count} tiles of "
    patched = [ruled(picture, grid, i, SIDE) for i, picture in enumerate(pictures)]
    small = [resized(picture, SIDE) for picture in pictures]
    return [
        Stage("The file" if len(pictures) == 1 else "The files", f"{files} px", resized(beside(small), SIDE)),
        Stage("As the encoder sees it", f"{part}{', '.join(sides)} px", resized(beside(tiles), SIDE)),
        Stage("Cut into patches", f"{many}{', '.join(shapes)} patches, {grid.image_tokens} image tokens", resized(beside(patched), SIDE)),
    ]


def _embeddings(title: str, where: str, values: Float[np.ndarray, "n d"], grid: Grid, tokens: bool = True) -> Stage:
    mean = values.mean(1)
    n, d = values.shape
    return Stage(
        title, f"{where}: {n} x {d}, mean over the {d} dimensions ({mean.min():.3g} to {mean.max():.3g})", _map(mean, grid, tokens)
    )


def _map(values: Float[np.ndarray, " n"], grid: Grid, tokens: bool) -> Image.Image:
    """Lowest dark, highest bright; each patch as bright as its token."""
    spread = float(values.max() - values.min())
    even = (values - values.min()) / spread if spread > 0 else np.zeros_like(values)
    patches = grid.token_values_to_patches(even) if tokens else even
    drawn = [alone(grid, patches, image, SIDE) for image in range(len(grid.sizes))]
    return beside(drawn) if len(drawn) == 1 else resized(beside(drawn), SIDE)
