"""Maps against things whose masks are known: pointing game, overlap, deletion and insertion, and whether they show the model at all.

In: pictures, each with a question about a thing and the thing's mask. Out: a `MethodResult` for each method, as of a data set of needles;
every map of every picture is a line of scenes.jsonl, so that what was stopped goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypedDict

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image
from scipy.stats import spearmanr

from scratchpad.errors import UserError
from scratchpad.files import whole_lines
from scratchpad.grid import Grid
from scratchpad.needle.datasets import cells_of
from scratchpad.needle.intervals import clearly_more, of_mean, of_share
from scratchpad.needle.metrics import measure
from scratchpad.needle.perturb import FILLINGS, areas, filled, perturbed, ranked
from scratchpad.needle.subject import Subject
from scratchpad.records.sweep import MethodResult, Metric, OnMasks, Winner
from scratchpad.saliency.request import SaliencyRequest

RASTER = 56  # a map is compared with a mask on so many x so many points of the picture
CELLS = (7, 7)  # what occlusion paints over
Numbers = Mapping[str, float]  # by name, of one map of one picture


class Made(TypedDict, total=False):
    """What is known of one picture's maps, by method."""

    maps: dict[str, list[float]]  # a value per image token
    numbers: dict[str, dict[str, float]]  # of the maps as they are, not of those of shuffled weights


class Line(TypedDict):
    """One line of the log."""

    of: list[str]  # model, SAE, methods
    key: str
    value: Made


@dataclass(frozen=True, eq=False)
class Masked:
    """A picture, what is asked about a thing on it, and where the thing is."""

    key: str  # tells it from the others
    picture: Image.Image = field(repr=False)
    text: str  # the question
    word: str  # what the thing is called there
    mask: Bool[np.ndarray, "h w"] = field(repr=False)


def on_masks(
    subject: Subject, pictures: Iterable[Masked], methods: Sequence[str], out: Path, say: Callable[[int], None] = lambda done: None
) -> tuple[dict[str, MethodResult], Winner]:
    """Every method measured on all pictures, and which points best; first as it is, then once more with the weights shuffled.

    Args:
        out: a folder; what its scenes.jsonl holds of the same model, SAE and methods isn't computed again.
        say: told how many maps were made, after each picture.

    Raises:
        UserError: a picture can't be asked about, or the weights can't be shuffled.
    """
    every = list(pictures)
    log = _Log(out / "scenes.jsonl", [subject.identity, subject.sae.identity if subject.sae else "", *methods])
    for n, masked in enumerate(every):
        log.once(masked.key, partial(_as_it_is, subject, masked, methods))
        say(n + 1)
    if any(f"shuffled/{masked.key}" not in log.rows for masked in every):
        with subject.shuffled():
            for n, masked in enumerate(every):
                log.once(f"shuffled/{masked.key}", partial(_maps, subject, masked, methods))
                say(len(every) + n + 1)
    measured = {name: [_measured(log, masked, name) for masked in every] for name in methods}
    results = {name: _result(rows) for name, rows in measured.items()}
    order = sorted(results, key=lambda name: (-results[name].accuracy.mean, results[name].rank.mean))
    first, second = (np.array([row["accuracy"] for row in measured[name]]) for name in (order[0], order[-1 if len(order) < 2 else 1]))
    clear = len(order) < 2 or (len(every) > 1 and clearly_more(first, second, np.arange(len(first))))
    return results, Winner(order[0], clear)


def _as_it_is(subject: Subject, masked: Masked, methods: Sequence[str]) -> Made:
    request, grid = _request(subject, masked)
    maps = subject.maps(methods, request)
    orders = {name: ranked(values, grid, request.seed) for name, values in maps.items()}
    changed = {(name, filling): perturbed(masked.picture, grid, orders[name], filling) for name in maps for filling in FILLINGS}
    plain = [masked.picture, *(Image.fromarray(filled(masked.picture, filling)) for filling in FILLINGS)]
    scores = subject.scores(request, [*plain, *(picture for part in changed.values() for picture in part)])
    whole, empty = float(scores[0]), dict(zip(FILLINGS, scores[1:], strict=False))
    parts = dict(zip(changed, np.split(scores[len(plain) :], len(changed)), strict=True))
    numbers: dict[str, dict[str, float]] = {}
    for name, values in maps.items():
        numbers[name] = _pointing(values, grid, masked.mask)
        for filling in FILLINGS:
            deletion, insertion = areas(parts[name, filling], whole, float(empty[filling]))
            numbers[name] |= {f"deletion {filling}": deletion, f"insertion {filling}": insertion}
    return {"numbers": numbers, "maps": {name: _listed(values) for name, values in maps.items()}}


def _maps(subject: Subject, masked: Masked, methods: Sequence[str]) -> Made:
    request, _ = _request(subject, masked)
    return {"maps": {name: _listed(values) for name, values in subject.maps(methods, request).items()}}


def _request(subject: Subject, masked: Masked) -> tuple[SaliencyRequest, Grid]:
    grid = subject.grid((masked.picture.height, masked.picture.width))
    cell_of = cells_of(grid, CELLS)
    h, w = masked.picture.height / CELLS[0], masked.picture.width / CELLS[1]
    boxes = tuple((round(r * h), round(c * w), round((r + 1) * h), round((c + 1) * w)) for r in range(CELLS[0]) for c in range(CELLS[1]))
    seed = int.from_bytes(masked.key.encode()[-4:], "big")
    if cell_of is None:  # then occlusion says that it has no cells
        return SaliencyRequest(masked.picture, masked.text, masked.word, seed=seed), grid
    return SaliencyRequest(masked.picture, masked.text, masked.word, boxes, cell_of, seed), grid


def _pointing(values: Float[np.ndarray, " v"], grid: Grid, mask: Bool[np.ndarray, "h w"]) -> dict[str, float]:
    """The needle's four numbers with the mask as needle, the overlap of as many highest points, and the mask's share of the picture."""
    s = (grid.raster(RASTER, RASTER) @ grid.token_values_to_patches(values)).reshape(RASTER, RASTER)
    rows, cols = (((np.arange(RASTER) + 0.5) * side / RASTER).astype(int) for side in mask.shape)
    needle = mask[np.ix_(rows, cols)]
    if not np.isfinite(s).all():
        raise UserError("A map has values that aren't finite; the model may overflow in this precision: try --dtype float32.")
    measured = measure(s, needle)
    highest = s >= np.sort(s, axis=None)[-int(needle.sum())]
    overlap = float((highest & needle).sum() / (highest | needle).sum())
    four = {"accuracy": measured.accuracy, "score": measured.score, "rank": measured.rank, "distance": measured.distance}
    return four | {"iou": overlap, "area": float(needle.mean())}


def _measured(log: _Log, masked: Masked, name: str) -> Numbers:
    value, again = log.rows[masked.key], log.rows[f"shuffled/{masked.key}"]
    a, b = (np.array(row["maps"][name]) for row in (value, again))
    constant = a.std() == 0 or b.std() == 0
    return value["numbers"][name] | {"shuffled": float(np.array_equal(a, b)) if constant else float(spearmanr(a, b)[0])}


def _result(rows: Sequence[Numbers]) -> MethodResult:
    def metric(name: str) -> Metric:
        values = np.array([row[name] for row in rows])
        low, high = of_share(values) if name == "accuracy" else of_mean(values, np.arange(len(values)))
        return Metric(float(values.mean()), low, high, ())

    four = metric("accuracy"), metric("score"), metric("rank"), metric("distance")
    names = ("iou", "deletion mean", "insertion mean", "deletion blurred", "insertion blurred", "shuffled")
    return MethodResult(*four, images=len(rows), masks=OnMasks(*(metric(name) for name in names)), chance=metric("area").mean)


def _listed(values: Float[np.ndarray, " v"]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


class _Log:
    """Lines of {"of", "key", "value"}; those of another model or other methods are left out."""

    def __init__(self, path: Path, of: list[str]):
        self.path, self.of = path, of
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        lines: list[Line] = [json.loads(line) for line in whole_lines(path)]
        self.rows: dict[str, Made] = {line["key"]: line["value"] for line in lines if line["of"] == of}

    def once(self, key: str, make: Callable[[], Made]) -> None:
        """Makes and writes what isn't there yet."""
        if key in self.rows:
            return
        self.rows[key] = make()
        with open(self.path, "a") as file:
            file.write(json.dumps(Line(of=self.of, key=key, value=self.rows[key])) + "\n")
