"""How a picture becomes what a map is drawn over, step by step (Needle in a Patched Haystack, "transparent processing").

In: a picture with its run, or a page with its query. Out: `Stage`s, each one picture with what it shows. Embeddings are shown
as the mean over their dimension, which says where they differ and nothing of what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from scratchpad.colours import sequential
from scratchpad.grid import Grid
from scratchpad.records import Run
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.page_states import taken_in
from scratchpad.vlm.pixels import shown
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.retrieval import Page, Retriever, page_inputs
from scratchpad.vlm.states import hidden_states

SIDE = 320  # px of a stage's longer side
GAP = 4  # px between tiles


@dataclass(frozen=True)
class Stage:
    """One step."""

    title: str
    says: str
    picture: Image.Image = field(repr=False)


def of_answer(vlm: Vlm, picture: Image.Image, prepared: Prepared, run: Run) -> list[Stage]:
    """From the file to what the language model leaves of every image token."""
    processor = vlm.processor.image_processor  # type: ignore[attr-defined]
    layers = hidden_states(vlm, prepared, run.answer_ids)
    at = prepared.image_positions
    before, after = (layers[i][at].float().cpu().numpy() for i in (0, -1))
    return [
        *_pixels(picture, run.grid, shown(prepared.inputs["pixel_values"], processor, run.grid.tiles)),
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
        *_pixels(picture, grid, shown(inputs["pixel_values"], processor, grid.tiles)),
        _embeddings("Image tokens, going in", "as the language model takes them in", given, grid),
        _embeddings("Image tokens, coming out", "after the model's forward pass, length one", page.of_image, grid),
    ]


def mapped(values: Float[np.ndarray, " v"], grid: Grid, says: str) -> Stage:
    """The last step: a value per image token."""
    return Stage("The map", f"{says} ({values.min():.3g} to {values.max():.3g})", _map(values, grid, tokens=True))


def _pixels(picture: Image.Image, grid: Grid, tiles: list[Image.Image]) -> list[Stage]:
    h, w = picture.height, picture.width
    seen = grid.tiles[0]
    tile = f"{len(grid.tiles)} tiles of " if len(grid.tiles) > 1 else ""
    return [
        Stage("The file", f"{h} x {w} px", _small(picture)),
        Stage("As the encoder sees it", f"{tile}{tiles[0].height} x {tiles[0].width} px", _beside(tiles)),
        Stage("Cut into patches", f"{tile}{seen.rows} x {seen.cols} patches, {grid.image_tokens} image tokens", _gridded(picture, grid)),
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
    h, w = grid.size
    scale = SIDE / max(h, w)
    rows, cols = max(1, round(h * scale)), max(1, round(w * scale))
    drawn = np.asarray(grid.raster(rows, cols) @ even).reshape(rows, cols)
    return Image.fromarray(sequential(drawn).round().astype(np.uint8))


def _small(picture: Image.Image) -> Image.Image:
    scale = SIDE / max(picture.size)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS)


def _beside(tiles: list[Image.Image]) -> Image.Image:
    """Tiles in rows of up to four."""
    across = min(len(tiles), 4)
    w, h = tiles[0].size
    whole = Image.new("RGB", (across * (w + GAP) - GAP, -(-len(tiles) // across) * (h + GAP) - GAP), (128, 128, 128))
    for n, tile in enumerate(tiles):
        whole.paste(tile, (n % across * (w + GAP), n // across * (h + GAP)))
    return _small(whole)


def _gridded(picture: Image.Image, grid: Grid) -> Image.Image:
    drawn = _small(picture).copy()
    scale = SIDE / max(picture.size)
    pen = ImageDraw.Draw(drawn, "RGBA")
    for (y0, x0, y1, x1), image in zip(grid.patch_boxes(), grid.patch_images(), strict=True):
        if image == 0:
            pen.rectangle((x0 * scale, y0 * scale, x1 * scale, y1 * scale), outline=(255, 255, 255, 150))
    return drawn
