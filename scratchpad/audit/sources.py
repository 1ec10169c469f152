"""Where rows come from, each as a table: cells by number, pictures apart and only when they are asked for.

In: a path or hub id. Out: a `Table`. Nothing in a file is run. What the columns mean is `rows`' to say.
"""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.errors import UserError
from scratchpad.images import Given
from scratchpad.sae import datasets as hub
from scratchpad.sae.pictures import Pictures, labels_of, pictures

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

LINES = (".jsonl", ".ndjson")
KINDS = "a .parquet, .jsonl or .csv file, a folder of pictures in folders named by label, or a hub id such as owner/name:test"


class Table(ABC):
    """Rows by number."""

    columns: tuple[str, ...]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def cells(self, number: int) -> Mapping[str, object]:
        """A row without its pictures' bytes."""

    @abstractmethod
    def image(self, number: int, column: str) -> Given:
        """A row's picture, as a file or its bytes; None where there is none."""


def open_table(source: str, images: Path | None = None) -> Table:
    """A data set as a table.

    Args:
        images: the folder from which on pictures are named; by default that of the file.

    Raises:
        UserError: there is none, or it can't be read.
    """
    path = Path(source)
    if images is not None and not images.is_dir():
        raise UserError(f"There is no folder {images}; expected the one in which the pictures of {source} are.")
    if path.is_file() and path.suffix.lower() == ".parquet":
        return Parquet(path, images or path.parent)
    if path.is_file() and path.suffix.lower() in (*LINES, ".csv"):
        return Listed(path, images or path.parent)
    if hub.is_dataset(source):
        return Hub(source)
    if path.is_dir():
        return Folder(pictures(source))
    raise UserError(f"There is no data set {source}; expected {KINDS}.")


class Listed(Table):
    """A JSONL or CSV file; pictures are files whose paths, from its folder on, it names."""

    def __init__(self, path: Path, folder: Path):
        self.folder = folder
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                self.rows = list(csv.DictReader(file)) if path.suffix.lower() == ".csv" else [_parsed(n, line) for n, line in _lines(file)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UserError(f"{path} can't be read ({error}); expected rows as JSON, one a line, or CSV with a head.") from error
        except ValueError as error:
            raise UserError(f"{path} can't be read: {error}; expected a JSON object a line.") from error
        self.columns = tuple(dict.fromkeys(name for row in self.rows for name in row if name is not None))

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, number: int) -> Mapping[str, object]:
        """A row."""
        return self.rows[number]

    def image(self, number: int, column: str) -> Given:
        """Its picture's file."""
        return located(self.rows[number].get(column), self.folder)


class Parquet(Table):
    """A Parquet file: text is held, pictures are read a group of rows at a time."""

    def __init__(self, path: Path, folder: Path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.folder = folder
        try:
            self.file: pq.ParquetFile = pq.ParquetFile(path, memory_map=False)
            schema = self.file.schema_arrow
            self.columns = tuple(schema.names)
            plain = [
                f.name for f in schema if not (pa.types.is_struct(f.type) or pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type))
            ]
            self.rows = self.file.read(columns=plain).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"{path} can't be read as Parquet ({str(error)[:160]}); restore it.") from error
        counts = [self.file.metadata.row_group(i).num_rows for i in range(self.file.num_row_groups)]
        self.starts = [sum(counts[:i]) for i in range(len(counts))]
        self.held: tuple[int, str, pa.ChunkedArray] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, number: int) -> Mapping[str, object]:
        """A row without its pictures."""
        row: Mapping[str, object] = self.rows[number]
        return row

    def image(self, number: int, column: str) -> Given:
        """Its picture: bytes, a path, or a struct of both as `datasets` writes it."""
        group = max(i for i, start in enumerate(self.starts) if start <= number)
        if self.held is None or self.held[:2] != (group, column):
            self.held = group, column, self.file.read_row_group(group, columns=[column]).column(column)
        return located(self.held[2][number - self.starts[group]].as_py(), self.folder)


class Hub(Table):
    """A data set of the `datasets` library: a hub id, or a folder that it saved."""

    def __init__(self, source: str):
        self.pictures = hub.Rows(source)
        self.image_column = self.pictures.column
        self.columns = tuple(self.pictures.table.features)
        self.text = self.pictures.table.select_columns([name for name in self.columns if name not in self._images()])

    def _images(self) -> Sequence[str]:
        import datasets

        return [name for name, kind in self.pictures.table.features.items() if isinstance(kind, datasets.Image)]

    def __len__(self) -> int:
        return len(self.pictures.table)

    def cells(self, number: int) -> Mapping[str, object]:
        """A row without its pictures; classes by their names."""
        import datasets

        row, kinds = dict(self.text[number]), self.pictures.table.features
        for name, value in row.items():
            if isinstance(kinds[name], datasets.ClassLabel) and value is not None and value >= 0:
                row[name] = kinds[name].int2str(value)
        return row

    def image(self, number: int, column: str) -> Given:
        """Its picture as the file it is."""
        return self.pictures.files(column if column in self._images() else self.image_column)(number)


class Folder(Table):
    """Pictures in folders; the folder's name is what is expected."""

    columns: tuple[str, ...] = ("id", "image", "expected")

    def __init__(self, found_in: Pictures):
        self.pictures, self.labels = found_in, labels_of(found_in, None)
        if not any(self.labels):
            self.columns = ("id", "image")

    def __len__(self) -> int:
        return len(self.pictures)

    def cells(self, number: int) -> Mapping[str, object]:
        """Name and label of a picture."""
        return {"id": self.pictures.names[number], "expected": sorted(self.labels[number])}

    def image(self, number: int, column: str) -> Given:
        """The picture."""
        return self.pictures.load(number)


def located(value: object, folder: Path) -> Given:
    """A cell as a picture's file or bytes; None where there is neither."""
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value or None
    if isinstance(value, str) and value.strip():
        return folder / value.strip()  # an absolute path stays what it is
    return None


def _lines(file: object) -> list[tuple[int, str]]:
    return [(n, line) for n, line in enumerate(file, 1) if line.strip()]  # type: ignore[arg-type, var-annotated]


def _parsed(number: int, line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number} isn't JSON") from error
    if not isinstance(value, dict):
        raise ValueError(f"line {number} is no object")
    return value
