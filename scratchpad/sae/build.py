"""Builds an SAE's index in one pass: running statistics and a running top-n of images per latent.

In: pictures, what is in them, an SAE. Out: the folder that `open_index` reads. Memory grows with latents x n, and with
images only by a thumbnail and one number per latent that names are found with.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float
from PIL import Image

from scratchpad.sae.harvest import harvest
from scratchpad.sae.index import auroc
from scratchpad.sae.load import Sae
from scratchpad.vlm.load import Vlm

TOP = 9
Tops = list[list[tuple[float, int]]]  # per latent: (activation, image), unordered
Masks = dict[tuple[int, int], tuple[float, np.ndarray]]  # (latent, image): its maximum there, and a byte per patch
THUMBNAIL = 96


def build_index(vlm: Vlm, sae: Sae, images: Sequence[Image.Image], labels: Sequence[set[str]], rows: int, cols: int) -> None:
    """Indexes `images` and writes sae.folder/index, whole or not at all.

    Args:
        labels: what is in each image; a latent is named after the label that its maximum over the image tells best.
        rows, cols: the patch grid.
    """
    n, d_sae = len(images), sae.d_sae
    peak = np.zeros((n, d_sae), np.float16)
    mean = np.zeros((n, d_sae), np.float16)
    masks: Masks = {}
    floor = np.zeros(d_sae, np.float32)  # the least of a latent's current top images
    tops: Tops = [[] for _ in range(d_sae)]
    at = 0
    for batch in harvest(vlm, images, [sae.layer]):
        for activations in batch[sae.layer]:
            codes = sae.encode(activations.numpy())
            active = codes.active()
            dense = codes.dense(active)
            high = dense.max(0)
            peak[at, active], mean[at, active] = high, dense.mean(0)
            for column in np.nonzero(high > floor[active])[0]:
                latent, value = int(active[column]), float(high[column])
                tops[latent].append((value, at))
                masks[latent, at] = value, np.round(dense[:, column] / value * 255).astype(np.uint8)
                if len(tops[latent]) > TOP:
                    tops[latent].sort(reverse=True)
                    masks.pop((latent, tops[latent].pop()[1]))
                    floor[latent] = tops[latent][-1][0]
            at += 1
    folder = sae.folder / "index.aside"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pq.write_table(_latents(peak, mean, labels), folder / "latents.parquet")
    pq.write_table(_references(tops, masks, rows, cols), folder / "references.parquet", compression="zstd")
    pq.write_table(_images(images, labels), folder / "images.parquet")
    final = sae.folder / "index"
    if final.exists():
        os.replace(final, sae.folder / "index.old")
    os.replace(folder, final)
    shutil.rmtree(sae.folder / "index.old", ignore_errors=True)


def _latents(peak: np.ndarray, mean: np.ndarray, labels: Sequence[set[str]]) -> pa.Table:
    d_sae = peak.shape[1]
    names = sorted(set().union(*labels))
    present = np.array([[name in row for name in names] for row in labels])
    # a label that every image carries tells nothing: 0.5
    area = np.nan_to_num(np.stack([auroc(peak.astype(np.float32), present[:, i]) for i in range(len(names))]), nan=0.5)
    fires: np.ndarray = np.asarray(peak > 0)
    alive: np.ndarray = np.asarray(fires.any(0))
    best = area.argmax(0)
    sparsity = fires.mean(0)
    activation = np.divide(mean.astype(np.float64).sum(0), fires.sum(0), out=np.zeros(d_sae), where=alive)
    entropy = label_entropy(mean.astype(np.float32), present)
    return pa.table(
        {
            "id": np.arange(d_sae),
            "name": [names[best[i]] if alive[i] else "" for i in range(d_sae)],
            "source": ["labels" if alive[i] else "" for i in range(d_sae)],
            "auroc": [float(area[best[i], i]) if alive[i] else None for i in range(d_sae)],
            "sparsity": sparsity.astype(np.float64),
            "mean_activation": activation,
            "entropy": [float(e) if alive[i] else None for i, e in enumerate(entropy)],
        }
    )


def label_entropy(mean: Float[np.ndarray, "n l"], present: np.ndarray, top: int = TOP) -> Float[np.ndarray, " l"]:
    """-sum_c p_c log p_c over labels, p_c = c's share of the summed activation of a latent's top images.

    An image with several labels shares its activation equally among them.
    """
    share = present / np.maximum(present.sum(1, keepdims=True), 1)
    order = np.argsort(-mean, axis=0)[:top]
    out = np.zeros(mean.shape[1], np.float32)
    for latent in range(mean.shape[1]):
        picked = order[:, latent]
        mass = mean[picked, latent] @ share[picked]
        p = mass / mass.sum() if mass.sum() > 0 else mass
        out[latent] = -float((p[p > 0] * np.log(p[p > 0])).sum())
    return out


def _references(
    tops: list[list[tuple[float, int]]], masks: dict[tuple[int, int], tuple[float, np.ndarray]], rows: int, cols: int
) -> pa.Table:
    kept = [(latent, value, image) for latent, top in enumerate(tops) for value, image in sorted(top, reverse=True)]
    return pa.table(
        {
            "latent": pa.array([k[0] for k in kept], pa.int32()),
            "activation": pa.array([k[1] for k in kept], pa.float32()),
            "image": pa.array([k[2] for k in kept], pa.int32()),
            "rows": pa.array([rows] * len(kept), pa.int16()),
            "cols": pa.array([cols] * len(kept), pa.int16()),
            "mask": pa.array([masks[latent, image][1].tobytes() for latent, _, image in kept], pa.binary()),
        }
    )


def _images(images: Sequence[Image.Image], labels: Sequence[set[str]]) -> pa.Table:
    thumbnails = []
    for image in images:
        buffer = io.BytesIO()
        image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS).save(buffer, "WEBP", quality=72)
        thumbnails.append(buffer.getvalue())
    return pa.table(
        {
            "image": pa.array(range(len(images)), pa.int32()),
            "labels": [", ".join(sorted(row)) for row in labels],
            "thumbnail": pa.array(thumbnails, pa.binary()),
        }
    )
