"""A folder of images, or a data set, as pictures one after another. What can't be read is skipped, counted and listed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from scratchpad.errors import UserError
from scratchpad.images import load_image

KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


@dataclass
class Pictures:
    """Where the images are; nothing is read before it's asked for. `skipped` grows as unreadable ones are met."""

    source: str
    files: list[Path] = field(repr=False)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.files)

    def in_order(self, order: Iterable[int] | None = None) -> Iterator[tuple[int, Image.Image]]:
        """(number, picture) of every readable image."""
        for i in range(len(self.files)) if order is None else order:
            try:
                picture = load_image(self.files[i])
            except UserError:
                if (name := self.files[i].name) not in self.skipped:
                    self.skipped.append(name)
                continue
            yield i, picture

    def shuffled(self, seed: int) -> Iterator[Image.Image]:
        """Every readable image once, in an order of its own for every seed."""
        for _, picture in self.in_order(np.random.default_rng(seed).permutation(len(self.files)).tolist()):
            yield picture


def pictures(source: str | Path) -> Pictures:
    """The images in a folder and all below it, by name.

    Raises:
        UserError: no such folder, or no image in it.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise UserError(f"There is no folder {source}; expected a folder of images.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
    if not files:
        raise UserError(f"There are no images in {source}; expected files such as PNG or JPEG.")
    return Pictures(str(source), files)


def labels_of(found: Pictures, given: str | Path | None) -> list[set[str]]:
    """What is said to be in every image.

    Args:
        given: a CSV of file name and labels separated by semicolons, a JSON object of them, or None: then the name of the folder
            each image lies in, where there are several folders.

    Raises:
        UserError: the file can't be read, or names no image.
    """
    root = Path(found.source)
    if given is None:
        names = [path.parent.name if path.parent != root else "" for path in found.files]
        several = len(set(names) - {""}) > 1
        return [{name} if several and name else set() for name in names]
    path = Path(given)
    try:
        if path.suffix.lower() == ".json":
            told = {str(k): v if isinstance(v, list) else str(v).split(";") for k, v in json.loads(path.read_text()).items()}
        else:
            with open(path, newline="") as file:
                told = {row[0]: [label for cell in row[1:] for label in cell.split(";")] for row in csv.reader(file) if len(row) > 1}
    except (OSError, ValueError, AttributeError, csv.Error) as error:
        raise UserError(
            f"The labels in {given} can't be read ({error}); expected CSV lines of file,label;label or a JSON object."
        ) from error
    out = [{str(x).strip() for x in told.get(str(f.relative_to(root)), told.get(f.name, [])) if str(x).strip()} for f in found.files]
    if not any(out):
        raise UserError(f"No file named in {given} lies in {found.source}; expected names such as {found.files[0].name}.")
    return out
