"""The sweep: the needle planted at every position, every method's map measured. Resumable: one line per image in images.jsonl.

In: a loaded model, what to draw, which methods. Out: images.jsonl while it runs, then results.parquet (a row per image and
method) and summary.json. Memory doesn't grow with the number of images.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scratchpad.errors import UserError
from scratchpad.files import whole_file, write_whole
from scratchpad.needle.bias import biases
from scratchpad.needle.datasets import DATASETS, Haystack, aligned, check_letters, draw, every_position, font_file
from scratchpad.needle.intervals import clearly_more, of_mean, of_share
from scratchpad.needle.metrics import NAMES, measure
from scratchpad.needle.own import own_size
from scratchpad.needle.subject import Subject
from scratchpad.progress import step
from scratchpad.saliency.methods import named
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.saliency.trust import DRAWING
from scratchpad.spread import Cluster, spread

INKS = 60  # the darkest ink is black, the lightest this grey


@dataclass(frozen=True)
class Plan:
    """What a sweep measures."""

    methods: tuple[str, ...]
    datasets: tuple[str, ...] = DATASETS
    cells: tuple[int, int] = (7, 7)
    runs: int = 5
    seed: int = 0
    needle: str = "Black"
    distractor: str = "White"
    small: bool = False
    font: str | None = None
    size: tuple[int, int] | None = None  # pixels; by default the model's own resolution
    prompt: str | None = None  # {needle} stands for the word; by default one for each data set


def sweep(
    subject: Subject,
    plan: Plan,
    out: Path,
    say: Callable[[int, int], None] = lambda done, of: None,
    cluster: Cluster | None = None,
    setup: Callable[[], Subject] | None = None,
) -> dict[str, Any]:
    """Runs what is left of the sweep and writes results; the summary.

    Args:
        cluster: where to spread the images; with `setup`, which loads the subject on a worker.

    Raises:
        UserError: unknown names, cells that don't lie on whole tokens, a word that doesn't fit, a folder of another sweep.
    """
    size, cell_of = _place(subject, plan)
    jobs = list(_jobs(plan, size))
    log = _opened(out, subject, plan, size)
    known = {key for key, _ in _lines(log)}
    rest = [(key, stack) for key, stack in jobs if key not in known]

    def work(at: Subject, some: list[tuple[str, Haystack]]) -> list[dict[str, list[float]]]:
        return [_maps(at, plan, stack, cell_of) for _, stack in some]

    if cluster and setup is None:
        raise ValueError("a sweep on a cluster needs `setup`")
    found = spread(rest, setup if cluster and setup else lambda: subject, work, cluster, size=8 if cluster else 1)
    with open(log, "a") as file:
        for n, (key, _) in enumerate(rest):
            step("measuring", n, len(rest))
            file.write(json.dumps({"key": key, "maps": next(found)}) + "\n")
            file.flush()
            say(len(jobs) - len(rest) + n + 1, len(jobs))
    return _finish(out, log, plan, subject, size)


def _place(subject: Subject, plan: Plan) -> tuple[tuple[int, int], np.ndarray]:
    """The size in pixels and which cell every image token lies in."""
    for dataset in plan.datasets:
        if dataset not in DATASETS:
            raise UserError(f"The data set {dataset!r} was asked for; expected some of {', '.join(DATASETS)}.")
    if min(plan.cells) < 2 or plan.runs < 1:
        raise UserError(f"{plan.cells[0]}x{plan.cells[1]} cells and {plan.runs} runs were asked for; expected 2x2 or more, and 1 or more.")
    named(",".join(plan.methods), subject.methods)
    for word in (plan.needle, plan.distractor):
        check_letters(word, plan.font)
    size = plan.size or own_size(subject, plan.cells)
    return size, aligned(subject.grid(size), plan.cells, subject.name)


def _jobs(plan: Plan, size: tuple[int, int]) -> Iterator[tuple[str, Haystack]]:
    """Every image, the controls without a needle last of each run."""
    for dataset in plan.datasets:
        for run in range(plan.runs):
            seed = plan.seed + run
            grey = int(np.random.default_rng([seed, 1]).integers(0, INKS))
            base = Haystack(dataset, plan.cells, size, None, plan.needle, plan.distractor, (grey,) * 3, small=plan.small, font=plan.font)
            for stack in every_position(replace(base, seed=seed)):
                assert stack.at is not None
                yield f"{dataset}/{run}/{stack.at[0]}/{stack.at[1]}", stack
            yield f"{dataset}/{run}/none", replace(base, seed=seed)


def _maps(subject: Subject, plan: Plan, stack: Haystack, cell_of: np.ndarray) -> dict[str, list[float]]:
    """Every method's mean over each cell's image tokens."""
    cells = tuple(stack.box((r, c)) for r in range(plan.cells[0]) for c in range(plan.cells[1]))
    text = subject.asked(stack.dataset, stack.needle, plan.prompt)
    maps = subject.maps(plan.methods, SaliencyRequest(draw(stack), text, plan.needle, cells, cell_of, _noise(stack)))
    return {name: _by_cell(values, cell_of, len(cells)) for name, values in maps.items()}


def _by_cell(values: np.ndarray, cell_of: np.ndarray, cells: int) -> list[float]:
    kept = cell_of >= 0
    total = np.bincount(cell_of[kept], values[kept], cells) / np.bincount(cell_of[kept], minlength=cells)
    if not np.isfinite(total).all():
        raise UserError("A map has values that aren't finite; the model may overflow in this precision: try --dtype float32.")
    return [float(f"{x:.6g}") for x in total]


def _noise(stack: Haystack) -> int:
    """A seed of its own for every image, the same in every process."""
    row, col = stack.at or (stack.cells[0], stack.cells[1])
    return int(np.random.SeedSequence([stack.seed, DATASETS.index(stack.dataset), row, col]).generate_state(1)[0])


def _opened(out: Path, subject: Subject, plan: Plan, size: tuple[int, int]) -> Path:
    """The log to go on with."""
    head = {"model": subject.identity, "sae": subject.sae.identity if subject.sae else None, "plan": asdict(plan), "size": list(size)}
    path, about = out / "images.jsonl", out / "plan.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if about.is_file() and json.loads(about.read_text()) != json.loads(json.dumps(head)):
            raise UserError(f"{out} holds another sweep (see plan.json there); give another folder with --out.")
        write_whole(about, json.dumps(head, indent=1))
        path.touch()
    except (OSError, ValueError) as error:
        raise UserError(f"{out} can't be used for the results: {error}.") from error
    whole = "".join(line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n"))
    write_whole(path, whole)  # the line that a kill cut short is computed again
    return path


def _lines(log: Path) -> Iterator[tuple[str, dict[str, list[float]]]]:
    with open(log) as file:
        for line in file:
            row = json.loads(line)
            yield row["key"], row["maps"]


def _finish(out: Path, log: Path, plan: Plan, subject: Subject, size: tuple[int, int]) -> dict[str, Any]:
    """Measures the maps that were logged; writes results.parquet and summary.json."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = {key for key, _ in _jobs(plan, size)}
    rows: list[dict[str, Any]] = []
    sums: dict[tuple[str, str], np.ndarray] = {}
    for key, maps in _lines(log):
        if key not in wanted:
            continue
        dataset, run, *at = key.split("/")
        for method, values in maps.items():
            s = np.array(values).reshape(plan.cells)
            sums[dataset, method] = sums.get((dataset, method), np.zeros(plan.cells)) + _standardised(s)
            if at == ["none"]:
                continue
            needle = np.zeros(plan.cells, bool)
            needle[int(at[0]), int(at[1])] = True
            rows.append(
                {"dataset": dataset, "run": int(run), "row": int(at[0]), "col": int(at[1]), "method": method} | asdict(measure(s, needle))
            )
    with whole_file(out / "results.parquet") as aside:
        pq.write_table(pa.Table.from_pylist(rows), aside)
    summary = _summary(rows, sums, plan, subject, size)
    write_whole(out / "summary.json", json.dumps(summary, indent=1))
    return summary


def _standardised(s: np.ndarray) -> np.ndarray:
    """Mean 0, deviation 1, so that maps of any scale weigh alike in their mean."""
    spread = s.std()
    return (s - s.mean()) / spread if spread > 0 else np.zeros_like(s)


def _summary(
    rows: Sequence[dict[str, Any]], sums: dict[tuple[str, str], np.ndarray], plan: Plan, subject: Subject, size: tuple[int, int]
) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for dataset in plan.datasets:
        results[dataset] = {}
        for method in plan.methods:
            mine = [r for r in rows if r["dataset"] == dataset and r["method"] == method]
            results[dataset][method] = _measured(mine, sums[dataset, method], plan)
    return {
        "model": {"name": subject.name, "identity": subject.identity},
        "sae": {"name": subject.sae.name, "identity": subject.sae.identity} if subject.sae else None,
        "plan": asdict(plan) | {"font": Path(font_file(plan.font)).name, "size": list(size)},
        "drawing": DRAWING,
        "chance": 1 / math.prod(plan.cells),
        "results": results,
        "winner": {dataset: _winner(results[dataset], [r for r in rows if r["dataset"] == dataset], plan) for dataset in plan.datasets},
    }


def _measured(rows: Sequence[dict[str, Any]], total: np.ndarray, plan: Plan) -> dict[str, Any]:
    """One method on one data set: every metric with its interval and its grid, the mean map, the biases."""
    cells = _cells(rows, plan)
    out: dict[str, Any] = {}
    for name in NAMES:
        values = np.array([r[name] for r in rows])
        low, high = of_share(values) if name == "accuracy" else of_mean(values, cells, plan.seed)
        grid = (np.bincount(cells, values, math.prod(plan.cells)) / plan.runs).reshape(plan.cells)
        out[name] = {"mean": float(values.mean()), "low": low, "high": high, "grid": np.round(grid, 4).tolist()}
    mean = total / max(1, len(rows) + plan.runs)  # the images without a needle are in it
    return out | {"images": len(rows), "mean_map": np.round(mean, 4).tolist(), "biases": biases(mean, plan.seed)}


def _cells(rows: Sequence[dict[str, Any]], plan: Plan) -> np.ndarray:
    """Which cell each image's needle lies in."""
    return np.array([r["row"] * plan.cells[1] + r["col"] for r in rows], int)


def _winner(results: dict[str, Any], rows: Sequence[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    """The most accurate method; whether it's clearly better than the second on the same images."""
    order = sorted(results, key=lambda name: (-results[name]["accuracy"]["mean"], results[name]["rank"]["mean"]))
    if len(order) < 2:
        return {"method": order[0], "clear": True}
    first, second = ([r for r in rows if r["method"] == name] for name in order[:2])
    values = (np.array([r["accuracy"] for r in part]) for part in (first, second))
    return {"method": order[0], "clear": clearly_more(*values, _cells(first, plan), plan.seed)}
