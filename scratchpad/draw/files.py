"""What `scratchpad analyze --out` leaves: the map of every token as PNG, the arrays as safetensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from scratchpad.draw.over import overlay
from scratchpad.errors import UserError
from scratchpad.records import Analysis


def write_analysis(analysis: Analysis, out: Path) -> None:
    """The map of every prompt and output token on every picture, and arrays.safetensors.

    Raises:
        UserError: the folder can't be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(analysis, out)
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error


def _write(analysis: Analysis, out: Path) -> None:
    run, weights, pictures = analysis.run, analysis.weights, analysis.question.pictures()
    rows = dict(zip(weights.tokens, weights.values, strict=True))
    for token in (t for t in run.tokens if t.role in ("prompt", "output")):
        for i, picture in enumerate(pictures):
            of = f"-image-{i}" if len(pictures) > 1 else ""
            overlay(picture, run.grid, rows[token.index], i).save(out / f"attention-{token.index}{of}.png")
    arrays = {
        "attention": run.attention,
        "queries": run.queries,
        "weights": weights.values,
        "weight_tokens": np.array(weights.tokens),
        "code_values": analysis.codes.values,
        "code_indices": analysis.codes.indices,
        "heatmap": analysis.heatmap.raw,
        "heatmap_tokens": np.array(analysis.heatmap.tokens),
        "heatmap_latents": np.array(analysis.heatmap.latents),
    }
    save_file({name: array for name, array in arrays.items() if array is not None}, out / "arrays.safetensors")
