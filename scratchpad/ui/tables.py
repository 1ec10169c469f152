"""What the page's lookups and studies show, as plain values: tables of the index, stages, layers, sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchpad.draw.over import over_all
from scratchpad.errors import UserError
from scratchpad.records import Analysis, dump
from scratchpad.records.codec import F4
from scratchpad.saliency.stages import Stage
from scratchpad.saliency.trust import OF_SAE, trust
from scratchpad.ui.envelope import data_url
from scratchpad.vlm.retrieval import Page, Query, score, similarity
from scratchpad.workbench import Workbench

EVERYWHERE = 0.5  # of the index's pictures: a latent that fires on more tells little of one
THUMB = 112  # px of the longer side of a small map
SHOWN_MAPS = ("attention", OF_SAE, "cosine")  # the kinds of maps that pages show


def overview(bench: Workbench) -> dict[str, Any]:
    """Every latent of the SAE that fires: sparsity, mean activation, label entropy."""
    if bench.index is None:
        return {"ids": [], "sparsity": [], "mean": [], "entropy": [], "images": 0}
    table = bench.index.latents
    sparsity = np.array(table.column("sparsity").to_pylist())
    alive = np.flatnonzero(sparsity > 0)
    entropy = table.column("entropy").to_pylist()
    mean = np.array(table.column("mean_activation").to_pylist())
    least = float(sparsity[alive].min()) if len(alive) else 1.0
    return {
        "ids": alive.tolist(),
        "sparsity": np.round(sparsity[alive], 5).tolist(),
        "mean": np.round(mean[alive], 5).tolist(),
        "entropy": [entropy[i] for i in alive],
        "images": round(1 / least),
    }


def latent(bench: Workbench, number: int) -> dict[str, Any]:
    """Everything that the index knows of one latent.

    Raises:
        UserError: there is no index, or no such latent.
    """
    row = bench.index.row(number) if bench.index else None
    if bench.index is None or row is None:
        raise UserError(f"Latent {number} isn't in the index of {bench.sae.name}.")
    known = bench.index.detail(number)
    pairs = zip(known.pop("neighbours", []), known.pop("similarity", []), strict=True)
    near = [{"id": i, "name": bench.name(i), "cosine": c} for i, c in pairs]
    return vars(row) | known | {"neighbours": near} | references(bench, number)


def references(bench: Workbench, number: int, around: float | None = None) -> dict[str, Any]:
    """A latent's reference images."""
    return {"references": [dump(reference) for reference in bench.references(number, around=around)]}


def stages(made: list[Stage]) -> dict[str, Any]:
    """The stages a picture goes through."""
    return {"stages": [{"title": stage.title, "says": stage.says, "src": data_url(stage.picture)} for stage in made]}


def cosines(query: Query, page: Page, model: str) -> dict[str, Any]:
    """Where every token of a query finds its like on a page; a map is carried to patches, each as its token.

    Args:
        model: the identity of the model that they are of.
    """
    maps = page.grid.token_values_to_patches(similarity(query, page))
    worth = trust(model, "cosine")
    return {
        "query": query.text,
        "tokens": [vars(token) for token in query.tokens],
        "cosines": F4.pack(maps),
        "score": score(query, page),
        "trust": None if worth is None else dump(worth),
        "size": list(page.grid.size),
        "tiles": [{"box": list(t.box), "rows": t.rows, "cols": t.cols} for t in page.grid.tiles],
    }


def layer(bench: Workbench, analysis: Analysis, most: int = 6) -> dict[str, Any]:
    """The concepts that an answer weighs most at one layer, each with where it fires; those that fire everywhere are left out."""
    pictures, grid = analysis.question.pictures(), analysis.run.grid
    rows = [row for row in analysis.latents if row.sparsity is None or row.sparsity <= EVERYWHERE][:most]
    worth = trust(bench.vlm.identity, OF_SAE, bench.sae.identity)
    return {
        "sae": bench.sae.name,
        "layer": bench.sae.layer,
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
    worth = {method: trust(summary["model"]["identity"], method, (summary["sae"] or {}).get("identity")) for method in SHOWN_MAPS}
    return {
        "model": summary["model"]["name"],
        "dataset": dataset,
        "trust": {method: None if value is None else dump(value) for method, value in worth.items()},
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
