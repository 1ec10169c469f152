"""Whether maps of a model of any size are true of it: `python -m benchmarks.geometry MODEL NEW_TOKENS`, printed in one line.

Attention captured beside the model's own eager attention; an edit of nothing; a square that is painted white, and whether the image
tokens that change most are those that the grid says lie under it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn

from scratchpad.grid import Box
from scratchpad.records import Run
from scratchpad.records.hookpoint import vision
from scratchpad.vlm.attention import instead
from scratchpad.vlm.check import embeddings
from scratchpad.vlm.forcing import force_all
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.run import generate, run

SIZE = (768, 1024)  # h, w of the picture
QUESTION = "What is in the picture?"


def apart(vlm: Vlm, prepared: Prepared, captured: Run) -> float:
    """The largest difference of an attention weight, over layers and the prompt's text tokens, between captured and eager."""
    rows: list[torch.Tensor] = []
    asked = captured.queries
    assert asked is not None, "a run made here has its rows"
    queries = [int(q) for q in asked if q < prepared.length]

    def keep(module: nn.Module, args: object, output: Any) -> None:
        weights = output[1]
        if weights is not None and weights.shape[-2] == prepared.length:
            rows.append(weights[0].mean(0)[queries][:, list(prepared.image_positions)])

    parts = [m for m in vlm.adapter.language_model.modules() if type(m).__name__.endswith("Attention")]
    handles = [part.register_forward_hook(keep) for part in parts]
    with instead(vlm.model, "eager"), torch.no_grad():
        vlm.model(**prepared.inputs)
    for handle in handles:
        handle.remove()
    eager = torch.stack(rows, 1).float().numpy()  # q y v
    return float(np.abs(captured.rows()[: len(queries)] - eager).max())


def under_square(vlm: Vlm, prepared: Prepared, picture: Image.Image, square: Box) -> tuple[int, int]:
    """Of the image tokens under a square, how many are among as many that change most when it is painted white; and how many there are."""
    painted = picture.copy()
    y0, x0, y1, x1 = square
    ImageDraw.Draw(painted).rectangle((x0, y0, x1 - 1, y1 - 1), fill=(255, 255, 255))
    with torch.no_grad():
        before = embeddings(vlm, prepared)
        after = embeddings(vlm, prepare(vlm, painted, QUESTION))
    change = (after - before).norm(dim=1).float().numpy()
    grid = prepared.grid
    share = np.asarray(grid.token_patches @ grid.patches_in(square).astype(np.float32)).ravel()
    inside = np.flatnonzero(share > 0.99 * np.asarray(grid.token_patches.sum(1)).ravel())  # tokens that lie in it wholly
    most = np.argsort(-change, kind="stable")[: max(len(inside), int((share > 0).sum()))]
    return int(np.isin(inside, most).sum()), len(inside)


def main(folder: str, new_tokens: str) -> None:
    vlm = load_vlm(folder)
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (*SIZE, 3), dtype=np.uint8))
    prepared = prepare(vlm, picture, QUESTION)
    captured = run(vlm, prepared, vision(vlm.read_layer), int(new_tokens))
    nothing = np.zeros_like(captured.states())
    plain = force_all(vlm, prepared, captured.answer_ids, vision(vlm.read_layer), [nothing])
    said = generate(vlm, prepared, int(new_tokens))
    same = said.ids == captured.answer_ids and bool(plain.unchanged[0])
    hit, of = under_square(vlm, prepared, picture, (192.0, 256.0, 512.0, 640.0))
    print(
        f"attention within {apart(vlm, prepared, captured):.1e} of eager; an empty edit {'is' if same else 'is NOT'} the identity; ", end=""
    )
    print(f"{hit} of {of} tokens under a white square are among those that change most")


if __name__ == "__main__":
    main(*sys.argv[1:])
