"""Builds an SAE's index in one pass: running statistics, reference pictures and counts of every latent.

In: pictures, what is in them, an SAE. Out: the folder that `open_index` reads. Where labels or masks say what is in pictures, a part of
them is set aside: they are for counting alone, and neither statistics nor names nor reference pictures come from them. Memory grows with
latents, not with images: thumbnails and masks are kept of reference pictures alone, and names are found on a sample of labelled ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float

from scratchpad.errors import UserError
from scratchpad.files import replace_folder
from scratchpad.grid import Grid
from scratchpad.sae import tables
from scratchpad.sae.counting import PICTURES, Tally, Where, choose, count, everywhere
from scratchpad.sae.gallery import POOL, Gallery
from scratchpad.sae.likeness import likeness
from scratchpad.sae.load import Sae
from scratchpad.sae.masks import Evidence, Masks
from scratchpad.sae.observe import Observed
from scratchpad.sae.pictures import set_aside
from scratchpad.sae.references import histogram_bins

Peaks = tuple[int, np.ndarray, np.ndarray]  # an image, its active latents, their maxima
WhereOf = Callable[[int, Grid], Where]

SAMPLE = 4000  # labelled images on which names are found
SWEEP = 256  # images after which thumbnails that no latent shows are dropped
GROUPS = {"latents": 4096, "references": 2048, "images": 64}  # rows of a table that are read together


@dataclass
class Running:
    """What is known after some images, of l latents and b bins."""

    d_sae: int
    gallery: Gallery
    fires: np.ndarray = field(init=False)  # int, per latent: images on which it fires
    mass: np.ndarray = field(init=False)  # per latent: its mean over patches, summed over images
    histogram: np.ndarray = field(init=False)  # int, per latent and bin: patches
    thumbnails: dict[int, bytes] = field(default_factory=dict)
    sampled: list[Peaks] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)
    chosen_on: Tally = field(default_factory=Tally)
    peaks: Tally = field(default_factory=Tally)  # counted at the patch where a latent fires most
    patches: Tally = field(default_factory=Tally)  # counted at a random patch where it fires
    alike: list[tuple[float, np.ndarray]] = field(default_factory=list)
    images: int = 0  # that statistics are of
    counted: int = 0

    def __post_init__(self) -> None:
        self.fires, self.mass = np.zeros(self.d_sae, np.int64), np.zeros(self.d_sae)
        self.histogram = np.zeros((self.d_sae, len(histogram_bins()) + 1), np.int64)

    def add(self, active: np.ndarray, dense: Float[np.ndarray, "p n"]) -> None:
        """Statistics of one image: its active latents (ids ascending) and their activations on every patch."""
        self.images += 1
        self.fires[active] += 1
        self.mass[active] += dense.mean(0)
        patch, column = np.nonzero(dense)
        np.add.at(self.histogram, (active[column], np.searchsorted(histogram_bins(), dense[patch, column])), 1)

    def count(self, active: np.ndarray, dense: Float[np.ndarray, "p n"], where: Where, rng: np.random.Generator) -> None:
        """One image that is for counting alone."""
        self.counted += 1
        columns = np.arange(len(active))
        at = dense.argmax(0) if len(active) else columns
        self.peaks.add(active, dense[at, columns], at, where, rng)
        if len(where.sets) > 1:
            anywhere = (rng.random(dense.shape) * (dense > 0)).argmax(0) if len(active) else columns
            self.patches.add(active, dense[anywhere, columns], anywhere, where, rng)

    def like(self, explained: float, mean: np.ndarray, rng: np.random.Generator) -> None:
        """What an image is like as a whole (reservoir)."""
        seen = self.images + self.counted
        if len(self.alike) < PICTURES:
            self.alike.append((explained, mean))
        elif (place := int(rng.integers(seen))) < PICTURES:
            self.alike[place] = explained, mean

    def sweep(self) -> None:
        """Drops thumbnails of images that no latent may show any more."""
        shown = self.gallery.shown()
        self.thumbnails = {image: data for image, data in self.thumbnails.items() if image in shown}


def build_index(
    sae: Sae,
    seen: Iterable[Observed],
    labels: Sequence[set[str]] = (),
    names: Sequence[str] = (),
    say: Callable[[int], None] = lambda done: None,
    masks: Masks | None = None,
    number_of: Callable[[int], int] = lambda at: at,
    where: WhereOf | None = None,
    counts: Callable[[int], bool] | None = None,
    shown: int | None = None,
    encoder: str = "",
) -> int:
    """Indexes pictures and writes sae.folder/index, whole or not at all; how many there were.

    Args:
        labels: what is in each image; a latent is named after the label that its maximum over an image tells best.
        names: the images' file names.
        say: is told after every image how many are done.
        masks: what is where in each image; with them a latent is named after the class whose patches it tells best.
        number_of: an image's number among the masks.
        where: what is where in an image, given its number and grid, for counts; default: by masks, else by labels.
        counts: whether an image is for counting alone; default: `set_aside` by its name. Without labels or masks none is, and never all.
        shown: how many images, the first, reference pictures come from; default: the strongest from all.
        encoder: `Vlm.encoder_identity` of what was read; "" where that isn't known.
    """
    running = Running(sae.d_sae, Gallery(sae.d_sae, shown or POOL, shown is not None))
    rng, done = np.random.default_rng(0), 0
    known = where or _where(labels, masks, number_of)
    for at, picture in enumerate(seen):
        active = picture.codes.active()
        dense = picture.codes.dense(active) if len(active) else np.zeros((len(picture.codes.values), 0), np.float32)
        there = known(at, picture.grid) if known else everywhere((), picture.grid.patches)
        apart = counts(at) if counts else set_aside(names[at] if names else str(at))
        running.like(picture.explained, picture.mean, rng)
        if known and apart and running.images:  # one image at least is for all the rest
            running.count(active, dense, there, rng)
        else:
            _take(running, at, picture, active, dense, there, rng)
            if labels:
                _sample(running.sampled, (at, active, dense.max(0) if len(active) else dense[0]), running.images - 1, rng)
            if masks:
                running.evidence.add(masks.of_patches(number_of(at), picture.grid), picture.codes, rng)
        if at % SWEEP == SWEEP - 1:
            running.sweep()
        done = at + 1
        say(done)
    running.sweep()
    if done:
        _write(sae, encoder, running, labels, names, masks)
    return done


def _where(labels: Sequence[set[str]], masks: Masks | None, number_of: Callable[[int], int]) -> WhereOf | None:
    """What is where by masks, and in the whole picture by labels; None where neither says anything."""
    if not masks:
        return (lambda at, grid: everywhere(labels[at], grid.patches)) if labels else None

    def both(at: int, grid: Grid) -> Where:
        classes, of_patch = np.unique(masks.of_patches(number_of(at), grid), return_inverse=True)
        whole = set(labels[at]) if labels else set()
        sets = tuple((masks.name(int(c)),) if c >= 0 else () for c in classes)
        return Where(of_patch, sets, tuple(sorted(whole.union(*sets))))

    return both


def _take(
    running: Running, at: int, picture: Observed, active: np.ndarray, dense: np.ndarray, there: Where, rng: np.random.Generator
) -> None:
    """An image that statistics, labels and reference pictures may come from."""
    running.add(active, dense)
    raster = None if picture.whole else picture.grid.raster(*picture.shape)
    labels = there.labels
    mask_of = lambda v: v if raster is None else np.asarray(raster @ v)  # noqa: E731
    if running.gallery.add(at, active, dense, mask_of, picture.shape, labels, rng):
        running.thumbnails[at] = picture.thumbnail
    if labels and len(active):
        peaks = dense.argmax(0)
        running.chosen_on.add(active, dense[peaks, np.arange(len(active))], peaks, there, rng)


def _sample(sampled: list[Peaks], row: Peaks, seen: int, rng: np.random.Generator) -> None:
    """Reservoir: every image so far is as likely to be among the sampled."""
    if len(sampled) < SAMPLE:
        sampled.append(row)
    elif (place := int(rng.integers(seen + 1))) < SAMPLE:
        sampled[place] = row


def _write(sae: Sae, encoder: str, running: Running, labels: Sequence[set[str]], names: Sequence[str], masks: Masks | None) -> None:
    try:
        with replace_folder(sae.folder / "index") as folder:
            _write_tables(folder, sae, encoder, running, labels, names, masks)
    except OSError as error:
        raise UserError(f"The index of {sae.folder} can't be written ({error.strerror or error}); make room and start again.") from error


def _write_tables(
    folder: Path, sae: Sae, encoder: str, running: Running, labels: Sequence[set[str]], names: Sequence[str], masks: Masks | None
) -> None:
    latents = tables.latents(sae, running, labels, masks)
    rows = list(running.gallery.rows(latents.column("name").to_pylist()))
    shown = sorted({row.image for row in rows})
    about = {
        "sae": sae.identity,
        "encoder": encoder,
        "pictures": running.images,
        "counted": running.counted,
        "likeness": likeness(np.array([e for e, _ in running.alike]), np.stack([m for _, m in running.alike])).as_json(),
    }
    latents = latents.replace_schema_metadata({"scratchpad": json.dumps(about)})
    pq.write_table(latents, folder / "latents.parquet", row_group_size=GROUPS["latents"])
    row_of = {image: row for row, image in enumerate(shown)}
    pq.write_table(tables.references(rows, row_of), folder / "references.parquet", compression="zstd", row_group_size=GROUPS["references"])
    pq.write_table(tables.images(running, shown, labels, names), folder / "images.parquet", row_group_size=GROUPS["images"])
    words = sorted(running.chosen_on.area)
    base = running.chosen_on.base(words)
    chosen = choose(running.chosen_on, sae.d_sae, words, base, latents.column("name").to_pylist()) if running.counted else None
    for scope, tally in (("picture", running.peaks), ("patch", running.patches)):
        if chosen is not None and tally.seen:
            pq.write_table(tables.counts(count(tally, chosen, words, base)), folder / f"counts-{scope}.parquet", compression="zstd")
