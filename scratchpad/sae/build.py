"""Builds an SAE's index in one pass: running statistics and running top images of every latent.

In: pictures, what is in them, an SAE. Out: the folder that `open_index` reads. Memory grows with latents, not with images:
thumbnails and masks are kept of top images alone, and names are found on a sample of labelled ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float

from scratchpad.errors import UserError
from scratchpad.files import replace_folder
from scratchpad.sae.decoder import clusters, neighbours
from scratchpad.sae.index import IDENTITY, auroc, histogram_bins
from scratchpad.sae.load import Sae
from scratchpad.sae.masks import Evidence, Masks
from scratchpad.sae.observe import Observed

MaskOf = Callable[[np.ndarray], np.ndarray]  # a value per patch -> per cell of the mask
Peaks = tuple[int, np.ndarray, np.ndarray]  # an image, its active latents, their maxima

TOP = 9
SAMPLE = 4000  # labelled images on which names are found
SWEEP = 256  # images after which thumbnails that no latent shows are dropped
GROUPS = {"latents": 4096, "references": 2048, "images": 64}  # rows of a table that are read together


@dataclass
class _Running:
    """What is known after some images. l latents, n top images."""

    d_sae: int
    fires: np.ndarray = field(init=False)
    mass: np.ndarray = field(init=False)
    histogram: np.ndarray = field(init=False)
    tops: list[list[tuple[float, int]]] = field(init=False)
    floor: np.ndarray = field(init=False)
    by_mean: np.ndarray = field(init=False)
    by_mean_image: np.ndarray = field(init=False)
    masks: dict[tuple[int, int], tuple[np.ndarray, tuple[int, int]]] = field(default_factory=dict)
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    sampled: list[Peaks] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)
    images: int = 0

    def __post_init__(self) -> None:
        n = self.d_sae
        self.fires, self.mass = np.zeros(n, np.int64), np.zeros(n)
        self.histogram = np.zeros((n, len(histogram_bins()) + 1), np.int64)
        self.tops, self.floor = [[] for _ in range(n)], np.zeros(n, np.float32)
        self.by_mean, self.by_mean_image = np.zeros((n, TOP), np.float32), np.full((n, TOP), -1)

    def add(
        self, active: np.ndarray, dense: Float[np.ndarray, "p n"], mask_of: Callable[[np.ndarray], np.ndarray], shape: tuple[int, int]
    ) -> None:
        """One image: its active latents (ids ascending) and their activations on every patch."""
        at, high, mean = self.images, dense.max(0), dense.mean(0)
        self.images += 1
        self.fires[active] += 1
        self.mass[active] += mean
        patch, column = np.nonzero(dense)
        np.add.at(self.histogram, (active[column], np.searchsorted(histogram_bins(), dense[patch, column])), 1)
        least = self.by_mean[active].argmin(1)
        better = mean > self.by_mean[active, least]
        self.by_mean[active[better], least[better]] = mean[better]
        self.by_mean_image[active[better], least[better]] = at
        for place in np.flatnonzero(high > self.floor[active]).tolist():
            latent, value = int(active[place]), float(high[place])
            top = self.tops[latent]
            top.append((value, at))
            self.masks[latent, at] = np.round(mask_of(dense[:, place]) / value * 255).astype(np.uint8), shape
            if len(top) > TOP:
                top.sort(reverse=True)
                self.masks.pop((latent, top.pop()[1]))
                self.floor[latent] = top[-1][0]

    def sweep(self) -> None:
        """Drops thumbnails of images that are no latent's top any more."""
        shown = {image for _, image in self.masks}
        self.thumbnails = {image: data for image, data in self.thumbnails.items() if image in shown}


def build_index(
    sae: Sae,
    seen: Iterable[Observed],
    labels: Sequence[set[str]] = (),
    names: Sequence[str] = (),
    say: Callable[[int], None] = lambda done: None,
    masks: Masks | None = None,
    number_of: Callable[[int], int] = lambda at: at,
) -> int:
    """Indexes pictures and writes sae.folder/index, whole or not at all; how many there were.

    Args:
        labels: what is in each image; a latent is named after the label that its maximum over an image tells best.
        names: the images' file names.
        say: is told after every image how many are done.
        masks: what is where in each image; with them a latent is named after the class whose patches it tells best.
        number_of: an image's number among the masks.
    """
    running = _Running(sae.d_sae)
    keep = np.random.default_rng(0)
    for at, one in enumerate(seen):
        active = one.codes.active()
        dense = one.codes.dense(active) if len(active) else np.zeros((len(one.codes.values), 0), np.float32)
        raster = None if one.whole else one.grid.raster(*one.shape)
        running.thumbnails[at] = one.thumbnail
        running.add(active, dense, lambda v, m=raster: v if m is None else np.asarray(m @ v), one.shape)  # type: ignore[misc]
        if labels:
            _sample(running.sampled, (at, active, dense.max(0) if len(active) else dense[0]), at, keep)
        if masks:
            running.evidence.add(masks.of_patches(number_of(at), one.grid), one.codes, keep)
        if at % SWEEP == SWEEP - 1:
            running.sweep()
        say(at + 1)
    running.sweep()
    _write(sae, running, labels, names, masks)
    return running.images


def _sample(
    sampled: list[tuple[int, np.ndarray, np.ndarray]], row: tuple[int, np.ndarray, np.ndarray], seen: int, rng: np.random.Generator
) -> None:
    """Reservoir: every image so far is as likely to be among the sampled."""
    if len(sampled) < SAMPLE:
        sampled.append(row)
    elif (place := int(rng.integers(seen + 1))) < SAMPLE:
        sampled[place] = row


def _write(sae: Sae, running: _Running, labels: Sequence[set[str]], names: Sequence[str], masks: Masks | None) -> None:
    shown = sorted(running.thumbnails)
    row_of = {image: row for row, image in enumerate(shown)}
    tables = {"latents": _latents(sae, running, labels, masks), "references": _references(running, row_of)}
    tables["images"] = _images(running, shown, labels, names)
    try:
        with replace_folder(sae.folder / "index") as folder:
            for name, table in tables.items():
                table = table.replace_schema_metadata({IDENTITY: sae.identity})
                how = {"compression": "zstd"} if name == "references" else {}
                pq.write_table(table, folder / f"{name}.parquet", row_group_size=GROUPS[name], **how)
    except OSError as error:
        raise UserError(f"The index of {sae.folder} can't be written ({error.strerror or error}); make room and start again.") from error


def _latents(sae: Sae, running: _Running, labels: Sequence[set[str]], masks: Masks | None) -> pa.Table:
    d_sae, alive = running.d_sae, running.fires > 0
    if masks:
        best, area = running.evidence.names(d_sae)
        named = [masks.name(int(number)) for number in best]
    else:
        named, area = _named(running, labels)
    near, similarity = neighbours(sae)
    entropy = label_entropy(running.by_mean, running.by_mean_image, labels) if labels else np.full(d_sae, np.nan)
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


def _named(running: _Running, labels: Sequence[set[str]]) -> tuple[list[str], Float[np.ndarray, " l"]]:
    """For every latent the label that it tells best, and how well; 0 where there are no labels."""
    words = sorted(set().union(*(labels[image] for image, _, _ in running.sampled))) if labels else []
    best, area = [""] * running.d_sae, np.zeros(running.d_sae, np.float32)
    if not words:
        return best, area
    present = np.array([[word in labels[image] for word in words] for image, _, _ in running.sampled])
    for start in range(0, running.d_sae, 512):
        block = np.zeros((len(running.sampled), min(512, running.d_sae - start)), np.float32)
        for row, (_, latents, peaks) in enumerate(running.sampled):
            inside = (latents >= start) & (latents < start + block.shape[1])
            block[row, latents[inside] - start] = peaks[inside]
        # a label that every image carries tells nothing: 0.5
        told = np.nan_to_num(np.stack([auroc(block, present[:, i]) for i in range(len(words))]), nan=0.5)
        area[start : start + block.shape[1]] = told.max(0)
        best[start : start + block.shape[1]] = [words[i] for i in told.argmax(0)]
    return best, area


def label_entropy(mean: Float[np.ndarray, "l n"], image: np.ndarray, labels: Sequence[set[str]]) -> Float[np.ndarray, " l"]:
    """-sum_c p_c log p_c over labels, p_c = c's share of the summed activation of a latent's top images by mean activation.

    An image with several labels shares its activation equally among them.
    """
    out = np.zeros(len(mean), np.float32)
    for latent, (values, images) in enumerate(zip(mean, image, strict=True)):
        mass: dict[str, float] = {}
        for value, number in zip(values, images, strict=True):
            for label in labels[number] if number >= 0 else ():
                mass[label] = mass.get(label, 0.0) + float(value) / len(labels[number])
        p = np.array([m for m in mass.values() if m > 0])
        p = p / p.sum() if len(p) else p
        out[latent] = -float((p * np.log(p)).sum())
    return out


def _references(running: _Running, row_of: dict[int, int]) -> pa.Table:
    kept = [(latent, value, image) for latent, top in enumerate(running.tops) for value, image in sorted(top, reverse=True)]
    masks = [running.masks[latent, image] for latent, _, image in kept]
    return pa.table(
        {
            "latent": pa.array([k[0] for k in kept], pa.int32()),
            "activation": pa.array([k[1] for k in kept], pa.float32()),
            "image": pa.array([row_of[k[2]] for k in kept], pa.int32()),
            "rows": pa.array([shape[0] for _, shape in masks], pa.int16()),
            "cols": pa.array([shape[1] for _, shape in masks], pa.int16()),
            "mask": pa.array([mask.tobytes() for mask, _ in masks], pa.binary()),
        }
    )


def _images(running: _Running, shown: Sequence[int], labels: Sequence[set[str]], names: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "image": pa.array(range(len(shown)), pa.int32()),
            "file": [names[image] if names else str(image) for image in shown],
            "labels": [", ".join(sorted(labels[image])) if labels else "" for image in shown],
            "thumbnail": pa.array([running.thumbnails[image] for image in shown], pa.binary()),
        }
    )
