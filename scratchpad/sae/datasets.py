"""Data sets of the `datasets` library as numbered pictures with labels. Read as data: no loading script is run.

In: a hub id with an optional :split, a Parquet file, or a folder that `save_to_disk` left. Out: a loader, names, labels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from scratchpad.errors import UserError
from scratchpad.images import load_image

if TYPE_CHECKING:
    from datasets import Dataset

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?")
Opened = tuple[Callable[[int], Image.Image], list[str], list[set[str]]]


def is_dataset(source: str | Path) -> bool:
    """Whether images are named as a data set rather than as a folder of files."""
    path = Path(source)
    if path.is_dir():
        return (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file()
    return path.suffix == ".parquet" if path.is_file() else bool(HUB_ID.fullmatch(str(source))) and not path.exists()


@dataclass(frozen=True)
class Rows:
    """A data set's pictures by number, opened when first asked; travels to other machines as its name."""

    source: str

    @cached_property
    def table(self) -> Dataset:
        """The data set, opened.

        Raises:
            UserError: it can't be loaded.
        """
        return _load(self.source)

    @cached_property
    def column(self) -> str:
        """The name of its first column of images.

        Raises:
            UserError: it has none.
        """
        import datasets

        names = [name for name, kind in self.table.features.items() if isinstance(kind, datasets.Image)]
        if not names:
            raise UserError(f"The data set {self.source} has no column of images; it has {', '.join(self.table.features)}.")
        first: str = names[0]
        return first

    @cached_property
    def pictures(self) -> Dataset:
        """The data set with its images as the files they are, not decoded."""
        import datasets

        return self.table.cast_column(self.column, datasets.Image(decode=False))

    def __call__(self, number: int) -> Image.Image:
        row = self.pictures[number][self.column]
        return load_image(row["bytes"] if row and row["bytes"] else Path(row["path"]) if row and row["path"] else None)

    def files(self, column: str) -> Callable[[int], bytes | Path | None]:
        """The images of another column by number, as the files they are.

        Raises:
            UserError: there is no such column of images.
        """
        import datasets

        kinds = self.table.features
        if not isinstance(kinds.get(column), datasets.Image):
            raise UserError(f"The data set {self.source} has no column of images {column!r}; it has {', '.join(kinds)}.")
        rows = self.table.cast_column(column, datasets.Image(decode=False))

        def file(number: int) -> bytes | Path | None:
            cell = rows[number][column] or {}
            return cell.get("bytes") or (Path(cell["path"]) if cell.get("path") else None)

        return file

    def __getstate__(self) -> dict[str, str]:
        return {"source": self.source}

    def labels(self) -> list[set[str]]:
        """What its columns of classes say."""
        import datasets

        kinds = self.table.features
        names = [name for name, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)]
        if not names:
            return []
        columns = [[kinds[name].int2str(value) if value is not None and value >= 0 else "" for value in self.table[name]] for name in names]
        return [{label for label in row if label} for row in zip(*columns, strict=True)]


def open_dataset(source: str) -> Opened:
    """(loader, names, labels or nothing).

    Raises:
        UserError: it can't be loaded, has no column of images, or no row.
    """
    rows = Rows(source)
    _ = rows.column
    if not len(rows.table):
        raise UserError(f"The data set {source} is empty.")
    return rows, [str(i) for i in range(len(rows.table))], rows.labels()


def _load(source: str) -> Dataset:
    import datasets

    path = Path(source)
    try:
        if path.is_dir():
            loaded = datasets.load_from_disk(source)
            return loaded[next(iter(loaded))] if isinstance(loaded, datasets.DatasetDict) else loaded
        if path.is_file():
            return datasets.load_dataset("parquet", data_files=source, split="train")
        name, _, split = source.partition(":")
        return datasets.load_dataset(name, split=split or "train")
    except Exception as error:  # the library's own errors are many
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"The data set {source} can't be loaded ({reason}); expected a hub id such as owner/name:train, a Parquet file, or a folder."
        ) from error
