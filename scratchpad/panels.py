"""Records -> what the page draws from, as JSON text. Large arrays travel as base64 of little-endian float32 or int32."""

from __future__ import annotations

import base64
import io
import json
import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from scratchpad import views
from scratchpad.analysis import rank
from scratchpad.errors import UserError
from scratchpad.images import beside, thumbnail
from scratchpad.records import Comparison, Control
from scratchpad.saliency.stages import Stage
from scratchpad.saliency.trust import OF_SAE, trust
from scratchpad.vlm.retrieval import Page, Query, score, similarity
from scratchpad.workbench import Analysis, Workbench

THUMB = 112  # px of the longer side of a small map
SHOWN_MAPS = ("attention", OF_SAE, "cosine")  # the kinds of maps that pages show
SHOWN = 896  # px of the longer side of the picture the page shows


def analysis(bench: Workbench, found: Analysis, pictures: Sequence[Image.Image], foreign: bool) -> str:
    """Everything the panels need; they compute no score of their own."""
    run, codes = found.run, found.codes
    active, scores = rank.scores(codes, found.weights.values)
    _, means = rank.mean_scores(codes)
    value = {
        "key": f"{run.model}/{bench.sae.name}/{run.image_sha256}/{run.prompt}",
        "sae": bench.sae.name,
        "answer": run.answer,
        "note": " ".join(said for said in (bench.vlm.own_world if foreign else None, found.fidelity and found.fidelity.says) if said)
        or None,
        "images": [data_url(picture) for picture in pictures],
        "sizes": [list(size) for size in run.grid.sizes],
        "tiles": views.grid_json(run)["tiles"],
        "tokens": [views.token_json(token) for token in run.text_tokens()],
        "rows": list(found.weights.tokens),
        "maps": _pack(found.weights.values, np.float32),
        "active": active.tolist(),
        "scores": _pack(scores, np.float32),
        "means": _pack(means, np.float32),
        "codeValues": _pack(codes.values, np.float32),
        "codeIndices": _pack(codes.indices, np.int32),
        "latents": {row.id: vars(row) for row in found.ranking},
        "heatmap": views.heatmap_json(found.heatmap),
        "suggested": list(found.suggested),
        "nameToken": _telling_token(found),
        "trust": trust(run.model),
    }
    return json.dumps(value)


def comparison(bench: Workbench, found: Comparison, control: Control) -> dict[str, Any]:
    """A comparison with its control beside it."""
    return {
        **views.comparison_json(bench, found),
        "nonce": secrets.token_hex(4),  # the page notices a new result even when it equals the last
        "latents": len(found.edit.items),
        "items": [vars(item) | {"region": list(item.region) if item.region else None} for item in found.edit.items],
        "control": views.control_json(control, sum(found.delta_logprob)),
    }


def detail(bench: Workbench, latent: int, most: int = 9) -> dict[str, Any]:
    """A latent's reference images."""
    references = bench.index.references(latent, most) if bench.index else []
    return {
        "references": [
            {
                "src": "data:image/webp;base64," + base64.b64encode(r.thumbnail).decode(),
                "labels": r.labels,
                "rows": r.mask.shape[0],
                "cols": r.mask.shape[1],
                "mask": base64.b64encode(np.round(r.mask * 255).astype(np.uint8).tobytes()).decode(),
            }
            for r in references
        ]
    }


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
    told = bench.index.detail(number)
    near = [
        {"id": i, "name": bench.name(i), "cosine": c} for i, c in zip(told.pop("neighbours", []), told.pop("similarity", []), strict=True)
    ]
    return vars(row) | told | {"neighbours": near} | detail(bench, number)


def stages(found: list[Stage]) -> dict[str, Any]:
    """The stages a picture goes through."""
    return {"stages": [{"title": stage.title, "says": stage.says, "src": data_url(stage.picture)} for stage in found]}


def cosines(query: Query, page: Page, model: str) -> dict[str, Any]:
    """Where every token of a query finds its like on a page; a map is carried to patches, each as its token.

    Args:
        model: the identity of the model that they are of.
    """
    share = np.asarray(page.grid.token_patches.sum(0)).ravel()
    maps = np.asarray((page.grid.token_patches.T @ similarity(query, page).T).T) / np.where(share > 0, share, 1)
    return {
        "query": query.text,
        "tokens": [vars(token) for token in query.tokens],
        "cosines": _pack(maps, np.float32),
        "score": score(query, page),
        "trust": trust(model, "cosine"),
        "size": list(page.grid.size),
        "tiles": [{"box": list(t.box), "rows": t.rows, "cols": t.cols} for t in page.grid.tiles],
    }


def layer(bench: Workbench, found: Analysis, pictures: Sequence[Image.Image], most: int = 6, common: float = 0.5) -> dict[str, Any]:
    """The concepts that an answer weighs most at one layer, each with where it fires; those that fire nearly everywhere left out."""
    rows = [row for row in found.ranking if row.sparsity is None or row.sparsity <= common][:most]
    small = [thumbnail(picture, THUMB) for picture in pictures]
    grid, fired = found.run.grid, [found.codes.of(row.id) for row in rows]
    maps = [beside([views.over_small(one, grid, values, i) for i, one in enumerate(small)], 2) for values in fired]
    return {
        "sae": bench.sae.name,
        "layer": bench.sae.layer,
        "explained": found.fidelity.here["variance_explained"] if found.fidelity else None,
        "trust": trust(bench.vlm.identity, OF_SAE, bench.sae.identity),
        "latents": [{"id": r.id, "name": r.name, "score": r.score, "src": data_url(m)} for r, m in zip(rows, maps, strict=True)],
    }


def needle(summary: dict[str, Any]) -> dict[str, Any]:
    """A sweep's grid maps, most accurate method first."""
    dataset = summary["plan"]["datasets"][0]
    found = summary["results"][dataset]
    rows = [
        {
            "method": name,
            "accuracy": one["accuracy"]["mean"],
            "grid": one["accuracy"]["grid"],
            "biases": [b["towards"] for b in one["biases"][:2]],
        }
        for name, one in found.items()
    ]
    return {
        "model": summary["model"]["name"],
        "dataset": dataset,
        "trust": {method: trust(summary["model"]["identity"], method, (summary["sae"] or {}).get("identity")) for method in SHOWN_MAPS},
        "cells": list(summary["plan"]["cells"]),
        "chance": summary["chance"],
        "rows": sorted(rows, key=lambda row: -row["accuracy"]),
    }


def before(summary: dict[str, Any] | None) -> dict[str, dict[str, float]]:
    """Accuracy by method and data set, of a summary that was kept."""
    table: dict[str, dict[str, float]] = {}
    for dataset, found in (summary or {"results": {}})["results"].items():
        for method, one in found.items():
            table.setdefault(method, {})[dataset] = float(one["accuracy"]["mean"])
    return table


def data_url(image: Image.Image) -> str:
    """The picture, scaled down for the page; metadata stays behind."""
    shown = image.copy()
    shown.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    shown.save(buffer, "PNG" if max(shown.size) <= 256 else "JPEG", quality=90)
    kind = "png" if max(shown.size) <= 256 else "jpeg"
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


def _telling_token(found: Analysis) -> int | None:
    """The output token the page opens on: the one whose weighted concepts stand out most from the plain mean."""
    outputs = [t.index for t in found.run.outputs() if t.text.strip().isalpha()]
    if not outputs:
        return None
    place = {index: row for row, index in enumerate(found.weights.tokens)}
    peaks = [float(found.weights.values[place[i]].max()) for i in outputs]
    return outputs[int(np.argmax(peaks))]


def _pack(values: np.ndarray, kind: type) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).astype(np.dtype(kind).newbyteorder("<")).tobytes()).decode()
