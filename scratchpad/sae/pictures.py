"""A folder of images, or a data set, as pictures one after another. What can't be read is skipped, counted and listed."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from scratchpad.errors import UserError
from scratchpad.images import load_image
from scratchpad.sae.datasets import is_dataset, open_dataset

KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


ASIDE = 4  # one picture in so many is for counting names


def set_aside(name: str) -> bool:
    """Whether a picture is for counting alone: one in ASIDE, by a hash of its file's name, so that training and index agree on which."""
    return zlib.crc32(name.encode()) % ASIDE == 0


@dataclass
class Pictures:
    """Where the images are; nothing is read before it's asked for. `skipped` grows as unreadable ones are met."""

    source: str
    names: list[str] = field(repr=False)  # files relative to their folder, or numbers in a data set
    load: Callable[[int], Image.Image] = field(repr=False)  # raises UserError where there's no picture
    given: list[set[str]] = field(default_factory=list, repr=False)  # what the source itself says is in each
    skipped: list[str] = field(default_factory=list)
    apart: frozenset[int] = field(default_factory=frozenset, repr=False)  # set aside for counting: no part of `order`

    def __len__(self) -> int:
        return len(self.names)

    def read(self, number: int) -> Image.Image | None:
        """A picture, or None where it can't be read."""
        try:
            return self.load(number)
        except UserError:
            return None

    def skip(self, number: int) -> None:
        """Lists a picture as unreadable, once for each file name."""
        name = Path(self.names[number]).name
        if name not in self.skipped:
            self.skipped.append(name)

    def in_order(self, order: Iterable[int] | None = None) -> Iterator[tuple[int, Image.Image]]:
        """(number, picture) of every readable image."""
        for i in range(len(self)) if order is None else order:
            picture = self.read(i)
            if picture is None:
                self.skip(i)
                continue
            yield i, picture

    def order(self, seed: int) -> list[int]:
        """Every number that isn't set apart once, in an order of its own for every seed."""
        numbers: list[int] = np.random.default_rng(seed).permutation(len(self)).tolist()
        return [number for number in numbers if number not in self.apart] if self.apart else numbers

    def set_apart(self) -> None:
        """Keeps one picture in ASIDE out of `order`, so that an index can count on what its SAE never saw. A single picture stays."""
        apart = frozenset(i for i, name in enumerate(self.names) if set_aside(Path(name).name))
        self.apart = apart if len(apart) < len(self) else frozenset()

    def shuffled(self, seed: int) -> Iterator[Image.Image]:
        """Every readable image once, in that order."""
        for _, picture in self.in_order(self.order(seed)):
            yield picture


@dataclass(frozen=True)
class _Files:
    """Loads files by number; travels to other machines that see the same folder."""

    paths: tuple[Path, ...]

    def __call__(self, number: int) -> Image.Image:
        return load_image(self.paths[number])


def pictures(source: str | Path) -> Pictures:
    """The images in a folder and all below it, by name; or of a data set: a hub id with an optional :split, a Parquet file, a folder
    that the `datasets` library saved.

    Raises:
        UserError: no such folder or data set, or no image in it.
    """
    if is_dataset(source):
        load, names, given = open_dataset(str(source))
        return Pictures(str(source), names, load, given)
    folder = Path(source)
    if not folder.is_dir():
        raise UserError(f"There is no folder {source}; expected a folder of images, or a data set: a hub id, a Parquet file.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    if not files:
        raise UserError(f"There are no images in {source}; expected files such as PNG or JPEG.")
    return Pictures(str(source), [path.relative_to(folder).as_posix() for path in files], _Files(tuple(files)))


def labels_of(images: Pictures, given: str | Path | None) -> list[set[str]]:
    """What is said to be in every image.

    Args:
        given: a CSV of file name and labels separated by semicolons, a JSON object of them, or None: then what a data set says
            itself, or the name of the folder each image lies in, where there are several folders.

    Raises:
        UserError: the file can't be read, or names no image.
    """
    if given is None:
        if images.given:
            return images.given
        folders = [Path(name).parent.name for name in images.names]
        several = len(set(folders) - {""}) > 1
        return [{name} if several and name else set() for name in folders]
    path = Path(given)
    try:
        if path.suffix.lower() == ".json":
            labels = {str(k): v if isinstance(v, list) else str(v).split(";") for k, v in json.loads(path.read_text()).items()}
        else:
            with open(path, newline="") as file:
                labels = {row[0]: [label for cell in row[1:] for label in cell.split(";")] for row in csv.reader(file) if len(row) > 1}
    except (OSError, ValueError, AttributeError, csv.Error) as error:
        raise UserError(
            f"The labels in {given} can't be read ({error}); expected CSV lines of file,label;label or a JSON object."
        ) from error
    out = [{str(x).strip() for x in labels.get(name, labels.get(Path(name).name, [])) if str(x).strip()} for name in images.names]
    if not any(out):
        raise UserError(f"No file named in {given} lies in {images.source}; expected names such as {Path(images.names[0]).name}.")
    return out
