"""How a picture becomes what a map is drawn over, step by step (Needle in a Patched Haystack, "transparent processing").

In: pictures with their run, or a page with its query. Out: `Stage`s, each one picture with what it shows. Embeddings are shown
as the mean over their dimension, which says where they differ and nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from scratchpad.draw.colours import sequential
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
    """One step."""

    title: str
    says: str
    picture: Image.Image = field(repr=False)


def of_answer(vlm: Vlm, pictures: Sequence[Image.Image], prepared: Prepared, run: Run) -> list[Stage]:
    """From the file to what the language model leaves of every image token."""
    processor = vlm.processor.image_processor  # type: ignore[attr-defined]
    layers = hidden_states(vlm, prepared, run.answer_ids)
    at = prepared.image_positions
    before, after = (layers[i][at].float().cpu().numpy() for i in (0, -1))
    return [
        *_pixels(pictures, run.grid, shown(prepared.inputs["pixel_values"], processor, run.grid.tiles)),
        _embeddings("Patches", f"in the vision encoder, after layer {run.layer}", run.activations, run.grid, tokens=False),
        _embeddings("Image tokens, going in", "as the language model takes them in", before, run.grid),
        _embeddings("Image tokens, coming out", "after the language model's last layer", after, run.grid),
    ]


def of_page(retriever: Retriever, picture: Image.Image, page: Page) -> list[Stage]:
    """From the file to the vectors that a query is compared with."""
    inputs, grid = page_inputs(retriever, picture)
    processor = retriever.processor.image_processor  # type: ignore[attr-defined]
    given, _ = taken_in(retriever, inputs)
    return [
        *_pixels([picture], grid, shown(inputs["pixel_values"], processor, grid.tiles)),
        _embeddings("Image tokens, going in", "as the language model takes them in", given, grid),
        _embeddings("Image tokens, coming out", "after the model's forward pass, length one", page.of_image, grid),
    ]


def mapped(values: Float[np.ndarray, " v"], grid: Grid, says: str) -> Stage:
    """The last step: a value per image token."""
    return Stage("The map", f"{says} ({values.min():.3g} to {values.max():.3g})", _map(values, grid, tokens=True))


def _pixels(pictures: Sequence[Image.Image], grid: Grid, tiles: list[Image.Image]) -> list[Stage]:
    files = ", ".join(f"{one.height} x {one.width}" for one in pictures)
    shapes = dict.fromkeys(f"{one.rows} x {one.cols}" for one in grid.tiles)
    seen = dict.fromkeys(f"{one.height} x {one.width}" for one in tiles)
    count = len(grid.tiles)
    tile = f"{count} tiles of " if count > 1 else ""
    part = tile if len(tiles) == count else f"{len(tiles)} of {count} tiles of "
    gridded = [_gridded(picture, grid, i) for i, picture in enumerate(pictures)]
    return [
        Stage("The file" if len(pictures) == 1 else "The files", f"{files} px", _small(beside([_small(one) for one in pictures]))),
        Stage("As the encoder sees it", f"{part}{', '.join(seen)} px", _small(beside(tiles))),
        Stage("Cut into patches", f"{tile}{', '.join(shapes)} patches, {grid.image_tokens} image tokens", _small(beside(gridded))),
    ]


def _embeddings(title: str, where: str, values: Float[np.ndarray, "n d"], grid: Grid, tokens: bool = True) -> Stage:
    mean = values.mean(1)
    n, d = values.shape
    return Stage(
        title, f"{where}: {n} x {d}, mean over the {d} dimensions ({mean.min():.3g} to {mean.max():.3g})", _map(mean, grid, tokens)
    )


def _map(values: Float[np.ndarray, " n"], grid: Grid, tokens: bool) -> Image.Image:
    """Lowest dark, highest bright."""
    spread = float(values.max() - values.min())
    even = (values - values.min()) / spread if spread > 0 else np.zeros_like(values)
    if tokens:  # each patch as bright as its token
        share = np.asarray(grid.token_patches.sum(0)).ravel()
        even = np.asarray(grid.token_patches.T @ even) / np.where(share > 0, share, 1)
    drawn = []
    for i, (h, w) in enumerate(grid.sizes):
        scale = SIDE / max(h, w)
        rows, cols = max(1, round(h * scale)), max(1, round(w * scale))
        one = np.asarray(grid.raster(rows, cols, i) @ even).reshape(rows, cols)
        drawn.append(Image.fromarray(sequential(one).round().astype(np.uint8)))
    return beside(drawn) if len(drawn) == 1 else _small(beside(drawn))


def _small(picture: Image.Image) -> Image.Image:
    scale = SIDE / max(picture.size)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS)


def _gridded(picture: Image.Image, grid: Grid, number: int) -> Image.Image:
    drawn = _small(picture).copy()
    scale = SIDE / max(picture.size)
    pen = ImageDraw.Draw(drawn, "RGBA")
    for (y0, x0, y1, x1), image in zip(grid.patch_boxes(), grid.patch_images(), strict=True):
        if image == number:
            pen.rectangle((x0 * scale, y0 * scale, x1 * scale, y1 * scale), outline=(255, 255, 255, 150))
    return drawn
