"""The sweep: the needle planted at every position, every method's map measured. Resumable: one line per image in images.jsonl.

In: a loaded model, what to draw, which methods. Out: images.jsonl while it runs, then results.parquet (a row per image and
method) and summary.json. Memory doesn't grow with the number of images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from scratchpad.draw.emoji import font_path
from scratchpad.errors import UserError
from scratchpad.files import whole_file, whole_lines, write_whole
from scratchpad.needle.datasets import DATASETS, Haystack, aligned, check_letters, draw, every_position
from scratchpad.needle.own import own_size
from scratchpad.needle.subject import Subject
from scratchpad.needle.summary import Tally
from scratchpad.needle.symbols import needle_of
from scratchpad.progress import step
from scratchpad.records import dump
from scratchpad.records.sweep import Plan, SweepSummary, summary_text
from scratchpad.saliency.methods import named
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.spread import Cluster, spread

__all__ = ["INKS", "Plan", "sweep"]

INKS = 60  # the darkest ink is black, the lightest this grey


def sweep(
    subject: Subject,
    plan: Plan,
    out: Path,
    say: Callable[[int, int], None] = lambda done, of: None,
    cluster: Cluster | None = None,
    setup: Callable[[], Subject] | None = None,
) -> SweepSummary:
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
    maps = spread(rest, setup if cluster and setup else lambda: subject, work, cluster, size=8 if cluster else 1)
    with open(log, "a") as file:
        for n, (key, _) in enumerate(rest):
            step("measuring", n, len(rest))
            file.write(json.dumps({"key": key, "maps": next(maps)}) + "\n")
            file.flush()
            say(len(jobs) - len(rest) + n + 1, len(jobs))
    return _finish(out, log, plan, subject, size)


def _place(subject: Subject, plan: Plan) -> tuple[tuple[int, int], Int[np.ndarray, " v"]]:
    """The size (h, w) in pixels and which cell every image token lies in."""
    for dataset in plan.datasets:
        if dataset not in DATASETS:
            raise UserError(f"The data set {dataset!r} was asked for; expected some of {', '.join(DATASETS)}.")
    if min(plan.cells) < 2 or plan.runs < 1:
        raise UserError(f"{plan.cells[0]}x{plan.cells[1]} cells and {plan.runs} runs were asked for; expected 2x2 or more, and 1 or more.")
    if plan.seed < 0:
        raise UserError(f"The seed {plan.seed} was given; expected 0 or more.")
    if "symbols" in plan.datasets:
        font_path()  # it's missing now rather than in the middle
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
            needle = needle_of(plan.needle, seed) if dataset == "symbols" else plan.needle
            base = Haystack(dataset, plan.cells, size, None, needle, plan.distractor, (grey,) * 3, small=plan.small, font=plan.font)
            for stack in every_position(replace(base, seed=seed)):
                assert stack.at is not None
                yield f"{dataset}/{run}/{stack.at[0]}/{stack.at[1]}", stack
            yield f"{dataset}/{run}/none", replace(base, seed=seed)


def _maps(subject: Subject, plan: Plan, stack: Haystack, cell_of: Int[np.ndarray, " v"]) -> dict[str, list[float]]:
    """Every method's mean over each cell's image tokens."""
    cells = tuple(stack.box((r, c)) for r in range(plan.cells[0]) for c in range(plan.cells[1]))
    text = subject.asked(stack.dataset, stack.needle, plan.prompt)
    maps = subject.maps(plan.methods, SaliencyRequest(draw(stack), text, stack.needle, cells, cell_of, _noise(stack)))
    return {name: _by_cell(values, cell_of, len(cells)) for name, values in maps.items()}


def _by_cell(values: Float[np.ndarray, " v"], cell_of: Int[np.ndarray, " v"], cells: int) -> list[float]:
    inside = cell_of >= 0
    total = np.bincount(cell_of[inside], values[inside], cells) / np.bincount(cell_of[inside], minlength=cells)
    if not np.isfinite(total).all():
        raise UserError("A map has values that aren't finite; the model may overflow in this precision: try --dtype float32.")
    return [float(f"{x:.6g}") for x in total]


def _noise(stack: Haystack) -> int:
    """A seed of its own for every image, the same in every process."""
    row, col = stack.at or (stack.cells[0], stack.cells[1])
    return int(np.random.SeedSequence([stack.seed, DATASETS.index(stack.dataset), row, col]).generate_state(1)[0])


def _opened(out: Path, subject: Subject, plan: Plan, size: tuple[int, int]) -> Path:
    """The log to go on with."""
    head = {"model": subject.identity, "sae": subject.sae.identity if subject.sae else None, "plan": dump(plan), "size": list(size)}
    path, about = out / "images.jsonl", out / "plan.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if about.is_file() and json.loads(about.read_text()) != head:
            raise UserError(f"{out} holds another sweep (see plan.json there); give another folder with --out.")
        write_whole(about, json.dumps(head, indent=1))
        path.touch()
    except (OSError, ValueError) as error:
        raise UserError(f"{out} can't be used for the results: {error}.") from error
    whole_lines(path)  # what a kill cut short is computed again
    return path


def _lines(log: Path) -> Iterator[tuple[str, dict[str, list[float]]]]:
    with open(log) as file:
        for line in file:
            row = json.loads(line)
            yield row["key"], row["maps"]


def _finish(out: Path, log: Path, plan: Plan, subject: Subject, size: tuple[int, int]) -> SweepSummary:
    """Measures the maps that were logged; writes results.parquet and summary.json."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = {key for key, _ in _jobs(plan, size)}
    tally = Tally(plan)
    for key, maps in _lines(log):
        if key in wanted:
            tally.add(key, maps)
    with whole_file(out / "results.parquet") as aside:
        pq.write_table(pa.Table.from_pylist([row.flat() for row in tally.rows]), aside)
    summary = tally.summary(subject, size)
    write_whole(out / "summary.json", summary_text(summary))
    return summary
