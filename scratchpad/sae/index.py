"""An SAE's index: statistics, names and reference images of every latent, made in one pass over a folder of images.

On disk, beside the SAE: index/latents.parquet (a row per latent), index/references.parquet (its top images with the
patches where it fires) and index/images.parquet (thumbnails, once per image). Nothing is read before it's needed.

Definitions (PatchSAE, Lim et al. 2025; reference section 2), with the image-level activation = mean over patches:
sparsity = share of images on which it is > 0; mean activation = its mean over those images; label entropy =
-sum_c p_c log p_c, p_c = class c's share of the summed activation of the latent's top images.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from scratchpad.errors import UserError
from scratchpad.files import restore_folder
from scratchpad.sae.load import Sae
from scratchpad.sae.names import Name, read_names, rename

IDENTITY = b"scratchpad.sae"  # in the tables' metadata: the identity of the SAE that they are of
FILES = ("latents.parquet", "references.parquet", "images.parquet")


@dataclass(frozen=True)
class LatentRow:
    """What the index knows of one latent; None where it was not measured."""

    id: int
    name: str
    source: str  # where the name comes from: labels, masks, user, an encoder, or nothing
    auroc: float | None  # how well it tells its name: its maximum over an image images with that label, or of masks its activation patches
    sparsity: float
    mean_activation: float
    entropy: float | None


@dataclass(frozen=True)
class Reference:
    """One of the images on which a latent is most active."""

    image: int
    activation: float  # maximum over its patches
    labels: str
    mask: Float[np.ndarray, "rows cols"]  # activation per patch, 0 .. 1 of the image's maximum
    thumbnail: bytes  # WebP


@dataclass(frozen=True)
class Index:
    """An opened index. Tables are read at first use."""

    folder: Path
    _cache: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def _file(self, name: str) -> Any:
        if name not in self._cache:
            import pyarrow as pa
            import pyarrow.parquet as pq

            try:
                self._cache[name] = pq.ParquetFile(self.folder / f"{name}.parquet", memory_map=False)
            except (OSError, pa.ArrowException) as error:
                raise UserError(f"The index in {self.folder} is damaged ({error}); make it again.") from error
        return self._cache[name]

    def check(self, sae: Sae) -> None:
        """Raises:
        UserError: the index is of another SAE.
        """
        for name in ("latents", "references", "images"):
            whose = (self._file(name).schema_arrow.metadata or {}).get(IDENTITY, b"").decode("utf-8", "replace")
            if whose and whose != sae.identity:
                raise UserError(f"The index in {self.folder} is of another SAE ({whose}; this one is {sae.identity}): make it again.")
        rows = self._file("latents").metadata.num_rows
        if rows != sae.d_sae:
            raise UserError(f"The index in {self.folder} is of another SAE: of {rows} latents, not {sae.d_sae}; make it again.")

    def _rows(self, name: str, begin: int, count: int, columns: list[str] | None = None) -> list[dict[str, Any]]:
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
        rows: list[dict[str, Any]] = table.slice(begin - (int(ends[first - 1]) if first else 0), count).to_pylist()
        return rows

    @property
    def latents(self) -> Any:
        """The latent table's columns that have one value each (pyarrow)."""
        with self._lock:
            if "table" not in self._cache:
                import pyarrow as pa

                try:
                    self._cache["table"] = self._file("latents").read(columns=list(LatentRow.__dataclass_fields__))
                except (OSError, pa.ArrowException) as error:
                    raise UserError(f"The index in {self.folder} is damaged ({error}); make it again.") from error
            return self._cache["table"]

    @property
    def names(self) -> list[str]:
        """Every latent's name, those that were given before those of labels."""
        if "all names" not in self._cache:
            given = self.given_names
            self._cache["all names"] = [
                given[i].name if i in given else name for i, name in enumerate(self.latents.column("name").to_pylist())
            ]
        return self._cache["all names"]

    def row(self, latent: int) -> LatentRow | None:
        table = self.latents
        if not 0 <= latent < table.num_rows:
            return None
        values = {name: table.column(name)[latent].as_py() for name in LatentRow.__dataclass_fields__}
        if latent in self.given_names:
            given = self.given_names[latent]
            values |= {"name": given.name, "source": given.source, "auroc": None}
        return LatentRow(**values)

    @property
    def given_names(self) -> dict[int, Name]:
        """Names that people or an encoder gave."""
        if "names" not in self._cache:
            self._cache["names"] = read_names(self.folder.parent)
        return self._cache["names"]

    def rename(self, latent: int, name: str) -> None:
        """Gives a latent a name, kept beside the index; an empty one takes it back.

        Raises:
            UserError: there is no such latent, or the file can't be written.
        """
        if not 0 <= latent < self.latents.num_rows:
            raise UserError(f"Latent {latent} was given; the index has 0 to {self.latents.num_rows - 1}.")
        with self._lock:
            rename(self.folder.parent, latent, name)
            for known in ("names", "all names"):
                self._cache.pop(known, None)

    def detail(self, latent: int) -> dict[str, Any]:
        """Histogram of activations, nearest decoder rows and cluster; empty for an index made before it had them."""
        if not 0 <= latent < self.latents.num_rows:
            return {}
        known = self._file("latents").schema_arrow.names
        fields = [name for name in ("histogram", "neighbours", "similarity", "cluster") if name in known]
        return self._rows("latents", latent, 1, fields)[0] if fields else {}

    def cluster(self, number: int, most: int = 60) -> list[LatentRow]:
        """The latents of a decoder cluster that fire, those that fire most first; none for an index made before it had clusters."""
        if "cluster" not in self._file("latents").schema_arrow.names:
            return []
        with self._lock:
            if "clusters" not in self._cache:
                self._cache["clusters"] = self._file("latents").read(columns=["cluster"]).column("cluster").to_numpy()
        rows = [self.row(int(i)) for i in np.flatnonzero(self._cache["clusters"] == number)]
        return sorted((row for row in rows if row and row.sparsity > 0), key=lambda row: -row.mean_activation)[:most]

    def search(self, text: str, most: int = 50) -> list[LatentRow]:
        """Latents whose name has every word of the text, the surest first."""
        words = text.lower().split()
        hit = [i for i, name in enumerate(self.names) if all(word in name.lower() for word in words)]
        rows = [row for i in hit if (row := self.row(i)) is not None and row.name]
        return sorted(rows, key=lambda row: (row.source != "user", -(row.auroc or 0)))[:most]

    def name(self, latent: int) -> str:
        row = self.row(latent)
        return row.name if row else ""

    def references(self, latent: int, most: int = 9) -> list[Reference]:
        """Its top images, most active first."""
        begin = int(np.searchsorted(self._starts, latent, "left"))
        end = int(np.searchsorted(self._starts, latent, "right"))
        out = []
        for row in self._rows("references", begin, min(end - begin, most)):
            found = self._rows("images", row["image"], 1)[0]
            assert found["image"] == row["image"], (found["image"], row["image"])
            mask = np.frombuffer(row["mask"], np.uint8).reshape(row["rows"], row["cols"]) / 255
            out.append(Reference(row["image"], row["activation"], found["labels"], mask.astype(np.float32), found["thumbnail"]))
        return out

    @property
    def _starts(self) -> np.ndarray:
        with self._lock:
            if "starts" not in self._cache:
                self._cache["starts"] = self._file("references").read(columns=["latent"]).column("latent").to_numpy()
            return self._cache["starts"]


def open_index(sae: Path, of: Sae | None = None) -> Index | None:
    """The index beside an SAE, or None where it has none.

    Args:
        of: the SAE itself; an index made since it says whose it is is checked against it.

    Raises:
        UserError: the index is of another SAE, or damaged.
    """
    restore_folder(sae / "index")  # where making a new one was killed between its two renames
    for folder in (sae / "index", sae / "index.old"):  # the second as versions before this one left it
        if all((folder / name).is_file() for name in FILES):
            index = Index(folder)
            if of is not None:
                index.check(of)
            return index
    return None


def histogram_bins() -> Float[np.ndarray, " b"]:
    """Edges of the histograms of activations: powers of 2 from 2^-6 to 2^9; the first and last bins are open."""
    return 2.0 ** np.arange(-6, 10)


def auroc(scores: Float[np.ndarray, "n l"], positive: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " l"]:
    """Area under the ROC curve of every column against one label, ties counted half (Mann-Whitney U)."""
    from scipy.stats import rankdata

    n1, n0 = int(positive.sum()), int((~positive).sum())
    if n1 == 0 or n0 == 0:
        return np.full(scores.shape[1], np.nan, np.float32)
    ranks = rankdata(scores, axis=0)
    return ((ranks[positive].sum(0) - n1 * (n1 + 1) / 2) / (n1 * n0)).astype(np.float32)
