"""Records as JSON and files: what the command line prints, what the page draws from, what `--out` keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image
from safetensors.numpy import save_file

from scratchpad.analysis import compare, controls
from scratchpad.draw.colours import sequential
from scratchpad.grid import Grid
from scratchpad.images import load_images
from scratchpad.records import Comparison, Control, Heatmap, Run, Sufficient, Token, Verified
from scratchpad.workbench import Analysis, Workbench


def analysis_json(bench: Workbench, analysis: Analysis) -> dict[str, Any]:
    """The object `scratchpad analyze --json` prints."""
    run = analysis.run
    return {
        "model": {"name": bench.vlm.name, "identity": bench.vlm.identity},
        "sae": {"name": bench.sae.name, "layer": bench.sae.layer, "d_sae": bench.sae.d_sae},
        "image": {"sha256": run.image_sha256, "size": list(run.grid.size)} | _several(run),
        "prompt": run.prompt,
        "answer": run.answer,
        "tokens": [token_json(token) for token in run.tokens],
        "grid": grid_json(run),
        "latents": [vars(row) for row in analysis.ranking],
        "heatmap": heatmap_json(analysis.heatmap),
        "fidelity": fidelity_json(analysis),
        "suggested": {"latents": list(analysis.suggested), "by": "gradient x activation, one backward pass"},
    }


def fidelity_json(analysis: Analysis) -> dict[str, Any] | None:
    """What the SAE declares beside this picture's numbers; None where it declares nothing."""
    found = analysis.fidelity
    return None if found is None else {"declared": found.declared, "here": found.here, "fits": found.fits, "says": found.says}


def _several(run: Run) -> dict[str, Any]:
    """What is said of several images, of which the hash is one of all."""
    return {} if len(run.grid.sizes) == 1 else {"sizes": [list(size) for size in run.grid.sizes]}


def token_json(token: Token) -> dict[str, Any]:
    return {"index": token.index, "text": token.text, "role": token.role, "logprob": token.logprob}


def grid_json(run: Run) -> dict[str, Any]:
    several = len(run.grid.sizes) > 1
    tiles = [{"box": list(t.box), "rows": t.rows, "cols": t.cols} | ({"image": t.image} if several else {}) for t in run.grid.tiles]
    return {"tiles": tiles, "image_tokens": run.grid.image_tokens, "patches": run.grid.patches}


def heatmap_json(heatmap: Heatmap) -> dict[str, Any]:
    return {
        "tokens": list(heatmap.tokens),
        "latents": list(heatmap.latents),
        "values": np.round(heatmap.values, 4).tolist(),
        "clusters": [{"id": c.id, "latents": list(c.latents)} for c in heatmap.clusters],
    }


def comparison_json(bench: Workbench, comparison: Comparison) -> dict[str, Any]:
    """The object `scratchpad ablate --json` prints, its control apart."""
    toward, drawn = comparison.toward, comparison.sampled
    told: dict[str, Any] = {}
    if drawn is not None:
        told["sampled"] = vars(drawn.how) | {"before": drawn.before, "after": drawn.after, "diff": [list(part) for part in drawn.diff]}
    return told | {
        "before": {"answer": comparison.before_answer, "tokens": [token_json(t) for t in comparison.before]},
        "after": {"answer": comparison.after_answer, "tokens": [token_json(t) for t in comparison.after]},
        "changed": comparison.changed,
        "delta_logprob": {"answer": float(sum(comparison.delta_logprob)), "tokens": list(comparison.delta_logprob)},
        "diff": [list(part) for part in comparison.diff],
        "keep_error": comparison.edit.keep_error,
        "alternatives": [
            {"before": [list(a) for a in one.before], "after": [list(a) for a in one.after]} for one in comparison.alternatives
        ],
        "inactive": list(comparison.inactive),
        "risen": [{"id": r.latent, "name": bench.name(r.latent), "before": r.before, "after": r.after} for r in comparison.risen],
        "target": None if toward is None else vars(toward) | {"delta_logprob": toward.after - toward.before},
    }


def control_json(control: Control, effect: float) -> dict[str, Any]:
    """What stands beside the effect of an edit; `as_strong` counts random sets that do as much or more in its direction."""
    further = control.effects <= effect if effect < 0 else control.effects >= effect
    return {
        "n": len(control.effects),
        "effects": [round(float(e), 4) for e in control.effects],
        "flipped": control.flipped,
        "as_strong": int(further.sum()),
        "noise": {"n": len(control.noise), "effects": [round(float(e), 4) for e in control.noise], "flipped": control.noise_flipped},
        "reconstruction": {"effect": round(control.reconstruction, 4), "flipped": control.reconstruction_flips},
        "verdict": controls.no_evidence(control, effect),
    }


def sufficient_json(bench: Workbench, found: Sufficient) -> dict[str, Any]:
    """The object `scratchpad suffice --json` prints."""
    return {
        "latents": [{"id": latent, "name": bench.name(latent)} for latent in found.latents],
        "target": found.target,
        "before": found.before,
        "after": found.after,
        "flipped": found.flipped,
        "minimal": found.minimal,
        "tried": found.tried,
        "controls": {"n": found.controls, "flipped": found.control},
        "seconds": round(found.seconds, 3),
    }


def verified_json(bench: Workbench, verified: Verified) -> dict[str, Any]:
    """The object `scratchpad effects --json` prints."""
    rows = zip(verified.latents, verified.predicted.tolist(), verified.actual.tolist(), strict=True)
    return {
        "effects": [{"id": i, "name": bench.name(i), "predicted": p, "actual": a} for i, p, a in rows],
        "active": verified.active,
        "spearman": compare.rank_correlation(verified),
        "by": "gradient x activation" if verified.steps == 1 else f"integrated gradients, {verified.steps} steps",
    }


def write_analysis(analysis: Analysis, images: Sequence[str], out: Path) -> None:
    """The map of every prompt and output token on every image as PNG, arrays as safetensors."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = load_images(images)
    run, weights = analysis.run, analysis.weights
    rows = dict(zip(weights.tokens, weights.values, strict=True))
    for token in (t for t in run.tokens if t.role in ("prompt", "output")):
        for i, picture in enumerate(pictures):
            of = f"-image-{i}" if len(pictures) > 1 else ""
            drawn = overlay(picture, run.grid.picture(rows[token.index], i), float(rows[token.index].max()))
            drawn.save(out / f"attention-{token.index}{of}.png")
    save_file(
        {
            "attention": run.attention,
            "queries": run.queries,
            "weights": weights.values,
            "weight_tokens": np.array(weights.tokens),
            "code_values": analysis.codes.values,
            "code_indices": analysis.codes.indices,
            "heatmap": analysis.heatmap.raw,
            "heatmap_tokens": np.array(analysis.heatmap.tokens),
            "heatmap_latents": np.array(analysis.heatmap.latents),
        },
        out / "arrays.safetensors",
    )


def over_small(picture: Image.Image, grid: Grid, values: Float[np.ndarray, " p"], number: int) -> Image.Image:
    """A map over one of a run's pictures that was scaled down, coloured as strongly as over all of them."""
    drawn = np.asarray(grid.raster(picture.height, picture.width, number) @ values).reshape(picture.height, picture.width)
    return overlay(picture, drawn, float(values.max(initial=0)))


def overlay(picture: Image.Image, values: np.ndarray, top: float | None = None) -> Image.Image:
    """A map laid over the picture: grey where it's low, coloured where it's high, most where it is `top`, or its own most."""
    top = float(values.max()) if top is None else top
    strength = values / top if top > 0 else values
    grey = np.asarray(picture.convert("L"), np.float32)[..., None] * 0.75 + 50
    share = np.clip(strength, 0, 1)[..., None] * 0.85
    return Image.fromarray((grey * (1 - share) + sequential(strength) * share).clip(0, 255).astype(np.uint8))
