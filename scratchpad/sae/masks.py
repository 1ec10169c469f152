"""Names of latents from patch masks: the class whose patches a latent's activation tells best.

In: a mask for every picture, a class a pixel, and the pictures' codes. Out: for every latent a name and its AUROC over
patches. A patch is of the class that covers at least half of it; patches that none covers so far are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from PIL import Image
from scipy import sparse
from scipy.stats import rankdata

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.images import MAX_PIXELS, opened
from scratchpad.records import Codes
from scratchpad.sae.datasets import Rows, is_dataset
from scratchpad.sae.pictures import Pictures

PATCHES = 200_000  # on which names are found
MIN_PATCHES = 16  # patches of a class, for it to name anything
NOTHING = 255  # what masks of 8 bits mark as of no class, unless it's named
MODES = ("1", "L", "P", "I", "I;16", "I;16B")


@dataclass
class Masks:
    """Where the masks are; nothing is read before it's asked for. `skipped` grows as unreadable ones are met."""

    source: Callable[[int], bytes | Path | None] = field(repr=False)  # a picture's mask, as a file
    names: list[str] = field(repr=False)  # the pictures' own
    classes: dict[int, str]
    skipped: list[str] = field(default_factory=list)

    def of_patches(self, number: int, grid: Grid) -> Int[np.ndarray, " p"]:
        """The class of every patch, -1 where it has none or the picture no mask."""
        try:
            mask = self._read(number, grid.size)
        except Exception as error:  # what decoders raise for damaged files is of many kinds
            self.skipped.append(f"{Path(self.names[number]).name} ({error})")
            mask = None
        return np.full(grid.patches, -1) if mask is None else patch_classes(mask, grid)

    def name(self, number: int) -> str:
        """What a class is called; `class 7` where nothing names it."""
        return self.classes.get(number, f"class {number}")

    def known(self, mask: np.ndarray, nothing: bool) -> np.ndarray:
        """Pixels of no class as -1, of 8 bits also NOTHING."""
        none = (mask == NOTHING) & nothing & (NOTHING not in self.classes)
        return np.where(none | (bool(self.classes) & ~np.isin(mask, list(self.classes))), -1, mask)

    def _read(self, number: int, size: tuple[int, int]) -> np.ndarray | None:
        file = self.source(number)
        if file is None:
            return None
        with opened(file) as image:
            if image.mode not in MODES or image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.mode}, {image.height} x {image.width}; expected a number a pixel")
            (h, w), wide = size, image.width / image.height
            if abs(wide * h / w - 1) > 0.02:
                raise ValueError(f"{image.height} x {image.width}, but its picture is {h} x {w}")
            mask = np.asarray(image.resize((w, h), Image.Resampling.NEAREST)).astype(np.int64)
            return self.known(mask, nothing=image.mode in ("L", "P"))


def open_masks(given: str, classes: str | None, pictures: Pictures) -> Masks:
    """The masks of pictures.

    Args:
        given: a folder of files named as the pictures, with a number a pixel, or of a data set the column that has them.
        classes: a file that names the numbers: JSON {number: name}, or the names one a line, the first for 0. Pixels that it
            doesn't name are of no class.

    Raises:
        UserError: there are none, or the classes can't be read.
    """
    named = _classes(classes) if classes else {}
    if is_dataset(pictures.source):
        return Masks(Rows(pictures.source).files(given), pictures.names, named)
    folder = Path(given)
    if not folder.is_dir():
        raise UserError(f"There is no folder {given}; expected one of masks, named as the images.")
    by_name = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files, images = Counter(Path(name).name for name in by_name), Counter(Path(name).stem for name in pictures.names)
    by_stem = {Path(name).name: path for name, path in by_name.items() if files[Path(name).name] == images[Path(name).name] == 1}
    paths = [by_name.get(Path(name).with_suffix("").as_posix()) or by_stem.get(Path(name).stem) for name in pictures.names]
    if not any(paths):
        raise UserError(
            f"No file in {given} is named as an image of {pictures.source}; expected names such as {Path(pictures.names[0]).stem}.png."
        )
    return Masks(paths.__getitem__, pictures.names, named)


def patch_classes(mask: Int[np.ndarray, "y x"], grid: Grid) -> Int[np.ndarray, " p"]:
    """The class that covers at least half of each patch of the first image, else -1."""
    out = np.full(grid.patches, -1)
    h, w = mask.shape
    for patch, ((y0, x0, y1, x1), image) in enumerate(zip(np.rint(grid.patch_boxes()).astype(int), grid.patch_images(), strict=True)):
        inside = mask[max(0, y0) : min(h, y1), max(0, x0) : min(w, x1)]
        if image or not inside.size:
            continue
        values, counts = np.unique(inside, return_counts=True)
        if 2 * counts.max() >= inside.size:
            out[patch] = values[counts.argmax()]
    return out


@dataclass
class Evidence:
    """Codes of patches whose class is known, of pictures drawn evenly among all (reservoir)."""

    parts: list[tuple[Int[np.ndarray, " n"], Codes]] = field(default_factory=list, repr=False)
    seen: int = 0

    def add(self, classes: Int[np.ndarray, " p"], codes: Codes, rng: np.random.Generator) -> None:
        """One picture: the class of each of its patches, -1 for none, and its codes. Without any class it isn't counted."""
        if not (classes >= 0).any():
            return
        self.seen += 1
        if len(self.parts) * len(classes) < PATCHES:
            self.parts.append((classes, codes))
        elif (place := int(rng.integers(self.seen))) < len(self.parts):
            self.parts[place] = classes, codes

    def names(self, d_sae: int) -> tuple[Int[np.ndarray, " l"], Float[np.ndarray, " l"]]:
        """For every latent the class that it tells best and its AUROC over patches; 0 where it never fires or there is none."""
        best, area = np.full(d_sae, -1), np.zeros(d_sae, np.float32)
        if not self.parts:
            return best, area
        classes = np.concatenate([c for c, _ in self.parts])
        keep = classes >= 0
        numbers, of = np.unique(classes[keep], return_inverse=True)
        size = np.bincount(of)
        fits = (size >= MIN_PATCHES) & (len(of) - size >= MIN_PATCHES)
        if not fits.any():
            return best, area
        codes = sparse.vstack([_matrix(codes, d_sae) for _, codes in self.parts], "csr")[keep].tocsc()
        for latent in np.flatnonzero(np.diff(codes.indptr)):
            span = slice(codes.indptr[latent], codes.indptr[latent + 1])
            areas = np.where(fits, _auroc(codes.data[span], of[codes.indices[span]], size), 0)
            best[latent], area[latent] = numbers[areas.argmax()], areas.max()
        return best, area


def _auroc(values: Float[np.ndarray, " n"], of: Int[np.ndarray, " n"], size: Int[np.ndarray, " c"]) -> Float[np.ndarray, " c"]:
    """Mann-Whitney U over (positive x negative) for every class, from the patches that fire alone; the others tie at zero."""
    zeros = size.sum() - len(values)
    ranks = np.bincount(of, zeros + rankdata(values), len(size)) + (size - np.bincount(of, minlength=len(size))) * (zeros + 1) / 2
    return np.asarray((ranks - size * (size + 1) / 2) / np.maximum(size * (size.sum() - size), 1))


def _matrix(codes: Codes, d_sae: int) -> sparse.csr_matrix:
    patch, place = np.nonzero(codes.values > 0)
    return sparse.csr_matrix((codes.values[patch, place], (patch, codes.indices[patch, place])), (len(codes.values), d_sae))


def _classes(path: str) -> dict[int, str]:
    try:
        text = Path(path).read_text()
        if path.endswith(".json"):
            names = {int(number): str(name).strip() for number, name in json.loads(text).items()}
        else:
            names = {number: line.strip() for number, line in enumerate(text.splitlines()) if line.strip()}
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"The classes in {path} can't be read ({error}); expected a name a line, or JSON of number: name.") from error
    if not names:
        raise UserError(f"{path} names no class; expected a name a line, or JSON of number: name.")
    return names
