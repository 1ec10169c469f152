"""What the page's lookups and studies show, as plain values: tables of the index, stages, layers, sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PIL import Image

from scratchpad.draw.over import over_all
from scratchpad.needle.live import trusts
from scratchpad.records import Analysis, dump
from scratchpad.records.lookup import PageStudy
from scratchpad.ui.envelope import data_url

EVERYWHERE = 0.5  # of the index's pictures: a latent that fires on more tells little of one
THUMB = 112  # px of the longer side of a small map


class Shown(Protocol):
    """A stage that a picture goes through."""

    @property
    def title(self) -> str: ...
    @property
    def says(self) -> str: ...
    @property
    def picture(self) -> Image.Image: ...


def stages(made: Sequence[Shown]) -> dict[str, Any]:
    """The stages a picture goes through."""
    return {"stages": [{"title": stage.title, "says": stage.says, "src": data_url(stage.picture)} for stage in made]}


def page_study(study: PageStudy) -> dict[str, Any]:
    """Where every token of a query finds its like on a page."""
    tiles = [{"box": list(t.box), "rows": t.rows, "cols": t.cols} for t in study.grid.tiles]
    return dump(study) | {"size": list(study.grid.size), "tiles": tiles}


def layer(analysis: Analysis, most: int = 6) -> dict[str, Any]:
    """The concepts that an answer weighs most at one layer, each with where it fires; those that fire everywhere are left out."""
    pictures, grid = analysis.question.pictures(), analysis.run.grid
    rows = [row for row in analysis.latents if row.sparsity is None or row.sparsity <= EVERYWHERE][:most]
    worth = analysis.concept_trust
    return {
        "sae": analysis.sae.name,
        "layer": analysis.sae.layer,
        "explained": analysis.fidelity.variance_explained,
        "trust": None if worth is None else dump(worth),
        "latents": [dump(row) | {"src": data_url(over_all(pictures, grid, analysis.codes.of(row.id), THUMB, 2))} for row in rows],
    }


def needle(summary: dict[str, Any]) -> dict[str, Any]:
    """A sweep's grid maps, most accurate method first."""
    dataset = summary["plan"]["datasets"][0]
    rows = [
        {
            "method": name,
            "accuracy": row["accuracy"]["mean"],
            "low": row["accuracy"]["low"],
            "high": row["accuracy"]["high"],
            "grid": row["accuracy"]["grid"],
            "biases": [b["towards"] for b in row["biases"][:2]],
        }
        for name, row in summary["results"][dataset].items()
    ]
    return {
        "model": summary["model"]["name"],
        "dataset": dataset,
        "trust": {method: None if worth is None else dump(worth) for method, worth in trusts(summary).items()},
        "cells": list(summary["plan"]["cells"]),
        "chance": summary["chance"],
        "rows": sorted(rows, key=lambda row: -row["accuracy"]),
    }


def before(summary: dict[str, Any] | None) -> dict[str, dict[str, float]]:
    """Accuracy by method and data set, of a summary that was kept."""
    table: dict[str, dict[str, float]] = {}
    for dataset, rows in (summary or {"results": {}})["results"].items():
        for method, row in rows.items():
            table.setdefault(method, {})[dataset] = float(row["accuracy"]["mean"])
    return table
