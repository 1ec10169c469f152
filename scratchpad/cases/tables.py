"""A case as tables (CSV) and as a picture: for papers and spreadsheets. Needs no model."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from scratchpad.cases.bundle import Bundle
from scratchpad.cases.schema import Shown
from scratchpad.grid import Grid, Tile, one_to_one
from scratchpad.images import beside, thumbnail
from scratchpad.views import over_small, overlay

SIDE = 1024  # px of the longer side of each of several pictures


def tables(made: Bundle) -> dict[str, str]:
    """{file name: CSV}: tokens, latents with their score for every token, the heatmap, the tests."""
    case = made.case
    shown = case.shown
    scores = unpacked(shown.scores).reshape(len(shown.rows), len(shown.active))
    text = {token.index: token.text for token in shown.tokens}
    latents = [shown.latents[str(i)] for i in shown.active]
    tests = [
        (
            n,
            i.latent,
            i.op,
            i.value,
            i.region,
            i.image,
            run.before.answer,
            run.after.answer,
            run.delta_logprob.answer,
            run.control.flipped,
            run.control.n,
        )
        for n, run in enumerate(case.runs, 1)
        for i in run.items
    ]
    return {
        "tokens.csv": _csv(("index", "text", "role", "logprob"), ((t.index, t.text, t.role, t.logprob) for t in shown.tokens)),
        "latents.csv": _csv(
            ("id", "name", "mean", "sparsity", "mean_activation", "auroc", *(f"{i} {text[i]}" for i in shown.rows)),
            (
                (x.id, x.name, x.mean_score, x.sparsity, x.mean_activation, x.auroc, *c)
                for x, c in zip(latents, scores.T.tolist(), strict=True)
            ),
        ),
        "heatmap.csv": _csv(
            ("token", *shown.heatmap.latents),
            ((text[i], *row) for i, row in zip(shown.heatmap.tokens, shown.heatmap.values, strict=True)),
        ),
        "tests.csv": _csv(
            ("test", "latent", "op", "value", "region", "image", "before", "after", "delta_logprob", "controls_flipped", "controls"), tests
        ),
    }


def attention_png(made: Bundle) -> bytes:
    """The map of the token that the page opens on, over the pictures."""
    shown = made.case.shown
    maps = unpacked(shown.maps).reshape(len(shown.rows), -1)
    row = shown.rows.index(shown.nameToken) if shown.nameToken in shown.rows else len(shown.rows) - 1
    pictures, buffer, top = made.pictures(), io.BytesIO(), float(maps[row].max())
    where = grid(shown, [(p.height, p.width) for p in pictures])
    if len(pictures) == 1:
        whole = overlay(pictures[0], where.picture(maps[row]), top)
    else:
        whole = beside([over_small(thumbnail(picture, SIDE), where, maps[row], i) for i, picture in enumerate(pictures)])
    whole.save(buffer, "PNG")
    return buffer.getvalue()


def grid(shown: Shown, sizes: Sequence[tuple[int, int]]) -> Grid:
    """Where a case's patches lie; which image token each belongs to isn't kept."""
    tiles = tuple(Tile((t.box[0], t.box[1], t.box[2], t.box[3]), t.rows, t.cols, t.image) for t in shown.tiles)
    return Grid(tuple(sizes), tiles, one_to_one(sum(t.patches for t in tiles)))


def unpacked(text: str) -> Float[np.ndarray, " n"]:
    return np.frombuffer(base64.b64decode(text), "<f4")


def _csv(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_tame(cell) for cell in head)
    writer.writerows([_tame(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _tame(cell: object) -> object:
    """Text that a spreadsheet would run as a formula stays text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
