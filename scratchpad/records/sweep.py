"""A sweep of the needle as records: what was planned, what every map reached, how a summary of an older version is read.

Positions are (row, col) of cells, origin top left. An interval is one of 95%.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError

from scratchpad.records.analysis import Share
from scratchpad.records.codec import UNSAID, Count, Text, dumps, loads, record

MetricName = Literal["accuracy", "score", "rank", "distance"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
PAPER = ("patch", "single-word", "multi-words", "text")
DATASETS = (*PAPER, "symbols")
SCENES = "scenes"  # pictures whose things have known masks: no cells, so no plan draws them
Cells = tuple[tuple[float, ...], ...]  # a value per cell: rows of columns
UNMOVED = 0.5  # rank correlation with the map of shuffled weights from which on a map counts as unchanged


@record
class Plan:
    """What a sweep measures."""

    methods: tuple[Text, ...]
    datasets: tuple[Text, ...] = PAPER
    cells: tuple[int, int] = (7, 7)  # rows, columns
    runs: int = 5  # of every position, each with another haystack
    seed: int = 0  # of the first run; the next ones count on from it
    needle: Text = "Black"
    distractor: Text = "White"
    small: bool = False  # the needle at half its size
    font: Text | None = None  # a file; in a summary the name of the file that was drawn with
    size: tuple[int, int] | None = None  # height, width in pixels; None: the model's own resolution. In a summary always given
    prompt: Text | None = None  # {needle} stands for the word; None: one for each data set
    scenes: Annotated[Count | None, UNSAID] = None  # in a summary: so many pictures with known masks were measured too


@record
class Metric:
    """One metric of one map on one data set."""

    mean: float
    low: float
    high: float
    grid: Cells  # mean over runs, by the needle's cell


@record
class Bias:
    """A pattern that a map follows wherever the needle is."""

    towards: Text
    r: float  # correlation with the mean map
    p: float  # of reaching as much by chance, corrected for the number of patterns


@record
class OnMasks:
    """What was measured of one map on pictures whose things have known masks, means over pictures."""

    iou: Metric  # of the highest pixels, as many as the mask has, with the mask
    deletion: Metric  # area under the answer's score while the highest are painted over in the mean colour; low is good
    insertion: Metric  # the same while they are uncovered of a picture painted over; high is good
    deletion_blurred: Metric  # as deletion, blurred in place of painted over
    insertion_blurred: Metric
    shuffled: Metric  # rank correlation with the map under shuffled weights of the language model; 1: it doesn't change

    @property
    def unmoved(self) -> bool:
        """Whether the map hardly changes when the language model's weights are shuffled: it doesn't show what the model does."""
        return self.shuffled.low >= UNMOVED


@record
class MethodResult:
    """All that was measured of one map on one data set."""

    accuracy: Metric  # share of images whose highest cell is the needle
    score: Metric  # mean of the map on the needle, in the method's own units
    rank: Metric  # share of cells above the needle; 0 is best
    distance: Metric  # of the highest cell to the needle, in diagonals; 0 is best
    images: Count
    mean_map: Cells | None = None  # mean of standardised maps; None in a summary from before they were written down
    biases: tuple[Bias, ...] = ()  # strongest first
    masks: Annotated[OnMasks | None, UNSAID] = None  # of SCENES alone
    chance: Annotated[Share | None, UNSAID] = None  # accuracy of a map that knows nothing, where it isn't one cell in so many

    def metric(self, name: MetricName) -> Metric:
        """One of the four metrics by its name."""
        metrics: dict[MetricName, Metric] = {
            "accuracy": self.accuracy,
            "score": self.score,
            "rank": self.rank,
            "distance": self.distance,
        }
        return metrics[name]


@record
class Winner:
    """The most accurate map of a data set."""

    method: Text
    clear: bool  # whether it's better than the second on the same images, beyond chance


@record
class Identified:
    """A model or SAE: what it's called, and the hash by which it's told from others."""

    name: Text
    identity: Text


@record
class SweepSummary:
    """A sweep's results: summary.json."""

    model: Identified
    sae: Identified | None
    plan: Plan  # as carried out
    drawing: Annotated[int, Field(ge=1)]  # version of how images are drawn; accuracies on `text` compare within one
    chance: Share  # accuracy of a map that knows nothing
    results: Mapping[Text, Mapping[Text, MethodResult]]  # by data set, then by method
    winner: Mapping[Text, Winner]  # by data set

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its images in pixels."""
        assert self.plan.size is not None, "a summary's plan has a size"
        return self.plan.size


def summary_text(summary: SweepSummary) -> str:
    """summary.json: a value a line, for people."""
    return json.dumps(json.loads(dumps(summary)), indent=1)


def read_summary(text: str) -> SweepSummary:
    """A summary from summary.json, whichever version wrote it. What the first versions left out is filled in: the version of
    the drawing (they drew the first way) and the SAE (they had none).

    Raises:
        ValueError: it's no summary.
    """
    try:
        return loads(SweepSummary, text)  # of this version, as nearly all are: parsed once
    except ValidationError:
        value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("a summary is a JSON object")
    return loads(SweepSummary, json.dumps({"drawing": 1, "sae": None} | value))
