"""Reads an index's tables, no more of each than is asked for. In: a folder. Out: rows, and `Counts`. What they mean is `index`'s to say."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchpad.errors import UserError
from scratchpad.sae.claims import CANDIDATES, Counts

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Row = dict[str, Any]  # of a table: a value for each column


@dataclass(frozen=True)
class Tables:
    """The Parquet files of a folder. Each is opened at first use."""

    folder: Path
    _cache: dict[str, Any] = field(default_factory=dict, repr=False, compare=False, kw_only=True)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False, kw_only=True)

    def _file(self, name: str) -> pq.ParquetFile:
        if name not in self._cache:
            import pyarrow as pa
            import pyarrow.parquet as pq

            try:
                self._cache[name] = pq.ParquetFile(self.folder / f"{name}.parquet", memory_map=False)
            except (OSError, pa.ArrowException) as error:
                raise UserError(f"The index in {self.folder} is damaged ({error}); make it again.") from error
        return self._cache[name]

    def _rows(self, name: str, begin: int, count: int, columns: list[str] | None = None) -> list[Row]:
        """Some rows of a table; only the row groups that hold them are read."""
        import pyarrow as pa

        with self._lock:
            file = self._file(name)
            if f"{name} ends" not in self._cache:
                self._cache[f"{name} ends"] = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
            ends = self._cache[f"{name} ends"]
            if count <= 0 or not len(ends):
                return []
            first, last = (int(np.searchsorted(ends, row, "right")) for row in (begin, begin + count - 1))
            try:
                table = file.read_row_groups(list(range(first, min(last, len(ends) - 1) + 1)), columns=columns)
            except (OSError, pa.ArrowException) as error:
                raise UserError(f"The index in {self.folder} is damaged ({error}); make it again.") from error
        rows: list[Row] = table.slice(begin - (int(ends[first - 1]) if first else 0), count).to_pylist()
        return rows

    def read_counts(self, name: str) -> Counts | None:
        """What was counted; None where there is no such table."""
        with self._lock:
            if name not in self._cache:
                self._cache[name] = self._counts(name) if (self.folder / f"{name}.parquet").is_file() else None
            counts: Counts | None = self._cache[name]
            return counts

    def _counts(self, name: str) -> Counts:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(self.folder / f"{name}.parquet", memory_map=False)
            about = json.loads(table.schema.metadata[b"scratchpad"])
            values = [np.frombuffer(row, np.float32) for row in table.column("activations").to_pylist()]
            bits = [np.frombuffer(row, np.uint8) for row in table.column("bits").to_pylist()]
            candidates = np.full((len(values), CANDIDATES), -1)
            for row, chosen in zip(candidates, table.column("candidates").to_pylist(), strict=True):
                row[: len(chosen)] = chosen
            labels, base = tuple(about["labels"]), np.array(about["base"], float)
            if (
                any(len(a) != len(b) for a, b in zip(values, bits, strict=True))
                or candidates.max(initial=-1) >= len(labels)
                or len(base) != len(labels)
            ):
                raise ValueError("its columns don't agree")
            starts = np.cumsum([0, *(len(row) for row in values)])
            return Counts(labels, base, candidates, starts, np.concatenate(values), np.concatenate(bits))
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise UserError(f"The index in {self.folder} is damaged ({error}); make it again.") from error
