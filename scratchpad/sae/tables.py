"""An index's tables, as they are written: what was gathered of every latent, its reference pictures, and counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from scratchpad.sae.claims import Counts
from scratchpad.sae.decoder import clusters, neighbours
from scratchpad.sae.gallery import Gallery, Row
from scratchpad.sae.load import Sae
from scratchpad.sae.masks import Masks
from scratchpad.stats import auroc

if TYPE_CHECKING:
    from scratchpad.sae.build import Peaks, Running


def latents(sae: Sae, running: Running, labels: Sequence[set[str]], masks: Masks | None) -> pa.Table:
    """A row per latent."""
    d_sae, alive = running.d_sae, running.fires > 0
    if masks:
        best, area = running.evidence.names(d_sae)
        named = [masks.name(int(number)) for number in best]
    else:
        named, area = best_labels(running.sampled, d_sae, labels)
    near, similarity = neighbours(sae)
    entropy = label_entropy(running.gallery, labels) if labels else np.full(d_sae, np.nan)
    known = alive & (area > 0)
    return pa.table(
        {
            "id": np.arange(d_sae),
            "name": [named[i] if known[i] else "" for i in range(d_sae)],
            "source": ["" if not known[i] else "masks" if masks else "labels" for i in range(d_sae)],
            "auroc": [float(area[i]) if known[i] else None for i in range(d_sae)],
            "sparsity": running.fires / max(1, running.images),
            "mean_activation": np.divide(running.mass, running.fires, out=np.zeros(d_sae), where=alive),
            "entropy": [float(e) if alive[i] and np.isfinite(e) else None for i, e in enumerate(entropy)],
            "histogram": running.histogram.tolist(),
            "neighbours": near.tolist(),
            "similarity": np.round(similarity, 4).tolist(),
            "cluster": clusters(sae),
        }
    )


def best_labels(sampled: Sequence[Peaks], d_sae: int, labels: Sequence[set[str]]) -> tuple[list[str], Float[np.ndarray, " l"]]:
    """For every latent the label that its maximum over an image tells best, and the AUROC; 0 where there are no labels."""
    words = sorted(set().union(*(labels[image] for image, _, _ in sampled))) if labels and sampled else []
    best, area = [""] * d_sae, np.zeros(d_sae, np.float32)
    if not words:
        return best, area
    present = np.array([[word in labels[image] for word in words] for image, _, _ in sampled])
    for start in range(0, d_sae, 512):
        block = np.zeros((len(sampled), min(512, d_sae - start)), np.float32)
        for row, (_, active, peaks) in enumerate(sampled):
            inside = (active >= start) & (active < start + block.shape[1])
            block[row, active[inside] - start] = peaks[inside]
        # a label that every image carries tells nothing: 0.5
        areas = np.nan_to_num(np.stack([auroc(block, present[:, i]) for i in range(len(words))]), nan=0.5)
        area[start : start + block.shape[1]] = areas.max(0)
        best[start : start + block.shape[1]] = [words[i] for i in areas.argmax(0)]
    return best, area


def label_entropy(gallery: Gallery, labels: Sequence[set[str]]) -> Float[np.ndarray, " l"]:
    """-sum_c p_c log p_c over labels, p_c = c's share of the summed activation of a latent's `top` reference pictures.

    Their activation is what orders them, the maximum over patches. An image with several labels shares it equally among them.
    """
    out = np.zeros(gallery.d_sae, np.float32)
    for latent, top in enumerate(gallery.tops):
        mass: dict[str, float] = {}
        for value, image, _ in top:
            for label in labels[image]:
                mass[label] = mass.get(label, 0.0) + value / len(labels[image])
        p = np.array([m for m in mass.values() if m > 0])
        p = p / p.sum() if len(p) else p
        out[latent] = -float((p * np.log(p)).sum())
    return out


def references(rows: Sequence[Row], row_of: dict[int, int]) -> pa.Table:
    """Reference pictures, by latent; `row_of`: an image's row in the table of images."""
    return pa.table(
        {
            "latent": pa.array([row.latent for row in rows], pa.int32()),
            "interval": pa.array([row.interval for row in rows], pa.string()),
            "activation": pa.array([row.activation for row in rows], pa.float32()),
            "image": pa.array([row_of[row.image] for row in rows], pa.int32()),
            "rows": pa.array([row.mask[1][0] for row in rows], pa.int16()),
            "cols": pa.array([row.mask[1][1] for row in rows], pa.int16()),
            "mask": pa.array([row.mask[0].tobytes() for row in rows], pa.binary()),
        }
    )


def images(running: Running, shown: Sequence[int], labels: Sequence[set[str]], names: Sequence[str]) -> pa.Table:
    """Thumbnails of the images that are shown."""
    return pa.table(
        {
            "image": pa.array(range(len(shown)), pa.int32()),
            "file": [names[image] if names else str(image) for image in shown],
            "labels": [", ".join(sorted(labels[image])) if labels else "" for image in shown],
            "thumbnail": pa.array([running.thumbnails[image] for image in shown], pa.binary()),
        }
    )


def counts(counted: Counts) -> pa.Table:
    """A row per latent; the labels and their shares stand in the table's metadata. What `read_counts` reads."""
    spans = [slice(a, b) for a, b in zip(counted.starts[:-1], counted.starts[1:], strict=True)]
    values = counted.activations.astype(np.float32)
    table = pa.table(
        {
            "candidates": pa.array([row[row >= 0].tolist() for row in counted.candidates], pa.list_(pa.int32())),
            "activations": pa.array([values[span].tobytes() for span in spans], pa.binary()),
            "bits": pa.array([counted.bits[span].tobytes() for span in spans], pa.binary()),
        }
    )
    about = {"labels": list(counted.labels), "base": [round(float(b), 6) for b in counted.base]}
    return table.replace_schema_metadata({"scratchpad": json.dumps(about)})
