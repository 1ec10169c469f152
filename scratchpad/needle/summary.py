"""What a sweep's maps say: every map measured against its needle, then means with intervals, grids, biases and the winner.

In: a map's means by cell, image after image. Out: a `SweepSummary`. Asks no model and writes no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from scratchpad.needle.bias import biases
from scratchpad.needle.datasets import font_file
from scratchpad.needle.intervals import clearly_more, of_mean, of_share
from scratchpad.needle.metrics import Measured, measure
from scratchpad.needle.subject import Subject
from scratchpad.records.sweep import METRICS, Cells, Identified, MethodResult, Metric, MetricName, Plan, SweepSummary, Winner
from scratchpad.saliency.trust import DRAWING


@dataclass(frozen=True)
class Row:
    """One map of one image that has a needle."""

    dataset: str
    run: int
    at: tuple[int, int]  # the needle's cell: row, column
    method: str
    measured: Measured

    def flat(self) -> dict[str, object]:
        """As a row of results.parquet."""
        head = {"dataset": self.dataset, "run": self.run, "row": self.at[0], "col": self.at[1], "method": self.method}
        return head | asdict(self.measured)


class Tally:
    """What is known of a sweep's maps so far; memory grows by a few numbers an image."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.rows: list[Row] = []
        self._sums: dict[tuple[str, str], Float[np.ndarray, "H W"]] = {}

    def add(self, key: str, maps: Mapping[str, Sequence[float]]) -> None:
        """One image.

        Args:
            key: dataset/run/row/col of the needle, or dataset/run/none.
            maps: by method, the map's mean of every cell, row by row.
        """
        dataset, run, *at = key.split("/")
        for method, values in maps.items():
            s = np.array(values).reshape(self.plan.cells)
            self._sums[dataset, method] = self._sums.get((dataset, method), np.zeros(self.plan.cells)) + _standardised(s)
            if at == ["none"]:
                continue
            cell = int(at[0]), int(at[1])
            needle = np.zeros(self.plan.cells, bool)
            needle[cell] = True
            self.rows.append(Row(dataset, int(run), cell, method, measure(s, needle)))

    def summary(self, subject: Subject, size: tuple[int, int]) -> SweepSummary:
        """The results of all images added.

        Args:
            size: of the images, (h, w) in pixels.
        """
        plan, sae = self.plan, subject.sae
        results = {dataset: {method: self._result(dataset, method) for method in plan.methods} for dataset in plan.datasets}
        return SweepSummary(
            model=Identified(subject.name, subject.identity),
            sae=Identified(sae.name, sae.identity) if sae else None,
            plan=replace(plan, font=Path(font_file(plan.font)).name, size=size),
            drawing=DRAWING,
            chance=1 / math.prod(plan.cells),
            results=results,
            winner={dataset: self._winner(dataset, results[dataset]) for dataset in plan.datasets},
        )

    def _of(self, dataset: str, method: str) -> list[Row]:
        return [row for row in self.rows if row.dataset == dataset and row.method == method]

    def _result(self, dataset: str, method: str) -> MethodResult:
        """Every metric with its interval and its grid, the mean map, the biases."""
        plan, rows = self.plan, self._of(dataset, method)
        accuracy, score, rank, distance = (self._metric(rows, name) for name in METRICS)
        mean = self._sums[dataset, method] / max(1, len(rows) + plan.runs)  # the images without a needle are in it
        return MethodResult(accuracy, score, rank, distance, len(rows), _listed(mean), tuple(biases(mean, plan.seed)))

    def _metric(self, rows: Sequence[Row], name: MetricName) -> Metric:
        plan, cells, values = self.plan, self._cells(rows), _values(rows, name)
        low, high = of_share(values) if name == "accuracy" else of_mean(values, cells, plan.seed)
        grid = (np.bincount(cells, values, math.prod(plan.cells)) / plan.runs).reshape(plan.cells)
        return Metric(float(values.mean()), low, high, _listed(grid))

    def _cells(self, rows: Sequence[Row]) -> Int[np.ndarray, " n"]:
        """Which cell each image's needle lies in, counted row by row."""
        return np.array([row.at[0] * self.plan.cells[1] + row.at[1] for row in rows], int)

    def _winner(self, dataset: str, results: Mapping[str, MethodResult]) -> Winner:
        """The most accurate method; whether it's clearly better than the second on the same images."""
        order = sorted(results, key=lambda name: (-results[name].accuracy.mean, results[name].rank.mean))
        if len(order) < 2:
            return Winner(order[0], True)
        first, second = (self._of(dataset, name) for name in order[:2])
        clear = clearly_more(_values(first, "accuracy"), _values(second, "accuracy"), self._cells(first), self.plan.seed)
        return Winner(order[0], bool(clear))


def _values(rows: Sequence[Row], name: MetricName) -> Float[np.ndarray, " n"]:
    return np.array([float(getattr(row.measured, name)) for row in rows])


def _standardised(s: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    """Mean 0, deviation 1, so that maps of any scale weigh alike in their mean."""
    spread = s.std()
    return (s - s.mean()) / spread if spread > 0 else np.zeros_like(s)


def _listed(grid: Float[np.ndarray, "H W"]) -> Cells:
    return tuple(tuple(row) for row in np.round(grid, 4).tolist())
