"""What the page's lookups and studies show, as plain values: tables of the index, stages, layers, sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PIL import Image

from scratchpad.draw.over import spotlights
from scratchpad.needle.live import trusts
from scratchpad.records import Analysis, dump
from scratchpad.records.influence import Influence
from scratchpad.records.lookup import PageStudy
from scratchpad.records.sweep import MethodResult, SweepSummary
from scratchpad.records.views import InfluenceShown, LayerConcept, LayerReading, Stages, StageShown
from scratchpad.ui.envelope import data_url

EVERYWHERE = 0.5  # of the index's pictures: a latent that fires on more tells little of one
THUMB = 112  # px of the longer side of a small map


class Shown(Protocol):
    """A stage that a picture goes through."""

    @property
    def title(self) -> str:
        """What the stage is called."""
        ...

    @property
    def says(self) -> str:
        """A caption with its numbers."""
        ...

    @property
    def picture(self) -> Image.Image:
        """What it looks like."""
        ...


def stages(made: Sequence[Shown]) -> Stages:
    """The stages a picture goes through."""
    return Stages(tuple(StageShown(stage.title, stage.says, data_url(stage.picture)) for stage in made))


def page_study(study: PageStudy) -> dict[str, object]:
    """Where every token of a query finds its like on a page."""
    tiles = [{"box": list(t.box), "rows": t.rows, "cols": t.cols} for t in study.grid.tiles]
    return dump(study) | {"size": list(study.grid.size), "tiles": tiles}


def layer(analysis: Analysis, most: int = 6) -> LayerReading:
    """The concepts that an answer weighs most at one layer, each with where it fires; those that fire everywhere are left out."""
    rows = [row for row in analysis.latents if row.sparsity is None or row.sparsity <= EVERYWHERE][:most]
    drawn = firing(analysis, [row.id for row in rows])
    return LayerReading(
        sae=analysis.sae.name,
        layer=analysis.sae.layer,
        place=analysis.sae.place,
        explained=analysis.fidelity.variance_explained,
        trust=analysis.concept_trust,
        concepts=tuple(LayerConcept(row, src) for row, src in zip(rows, drawn, strict=True)),
    )


def firing(analysis: Analysis, latents: Sequence[int]) -> tuple[str, ...]:
    """Where each fires, as small pictures that are lit there."""
    pictures, grid = analysis.question.pictures(), analysis.run.grid
    return tuple(data_url(spotlights(pictures, grid, analysis.codes.of(latent), THUMB, 2)) for latent in latents)


def influence(measured: Influence, here: Analysis, there: Analysis) -> InfluenceShown:
    """A matrix of effects with where its latents fire.

    Args:
        here, there: the answer as the sources' SAE and as the targets' reads it.
    """
    sources, targets = ([row.latent.id for row in side] for side in (measured.sources, measured.targets))
    return InfluenceShown(measured, firing(here, sources), firing(there, targets))


def needle(summary: SweepSummary, prompt: str = "") -> dict[str, object]:
    """A sweep's grid maps, most accurate method first; `prompt` is the question on show."""
    dataset = summary.plan.datasets[0]
    results = summary.results[dataset]
    order = sorted(results, key=lambda name: -results[name].accuracy.mean)
    return {
        "model": summary.model.name,
        "dataset": dataset,
        "trust": {method: None if worth is None else dump(worth) for method, worth in trusts(summary, prompt).items()},
        "cells": list(summary.plan.cells),
        "chance": summary.chance,
        "rows": [_row(name, results[name]) for name in order],
    }


def _row(method: str, result: MethodResult) -> dict[str, object]:
    a = result.accuracy
    drawn = [bias.towards for bias in result.biases[:2]]
    return {"method": method, "accuracy": a.mean, "low": a.low, "high": a.high, "grid": a.grid, "biases": drawn}


def before(measured: Mapping[str, Mapping[str, MethodResult]]) -> dict[str, dict[str, float]]:
    """Accuracy by method and data set, of results by data set and method."""
    table: dict[str, dict[str, float]] = {}
    for dataset, rows in measured.items():
        for method, row in rows.items():
            table.setdefault(method, {})[dataset] = row.accuracy.mean
    return table
