"""An SAE's index: statistics, names and reference images of every latent, made in one pass over a folder of images.

On disk, beside the SAE: index/latents.parquet (a row per latent), index/references.parquet (its top images with the
patches where it fires) and index/images.parquet (thumbnails, once per image). Nothing is read before it's needed.

Definitions (PatchSAE, Lim et al. 2025; reference section 2), with the image-level activation = mean over patches:
sparsity = share of images on which it is > 0; mean activation = its mean over those images. Reference pictures and label entropy go by
one rule, the latent's maximum over an image's patches: the `top` pictures are those where it is greatest, and label entropy is
-sum_c p_c log p_c, p_c = class c's share of the summed maxima of just these.

With labels or masks there are counts too (counts-picture.parquet, counts-patch.parquet), on pictures that are used for nothing else: what a
latent's name may claim about a picture rests on them (`claims`). The table of latents says which SAE the index is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scratchpad.errors import UserError
from scratchpad.files import restore_folder
from scratchpad.sae.claiming import Claiming, LatentRow
from scratchpad.sae.load import Sae
from scratchpad.sae.names import rename
from scratchpad.sae.reading import Row
from scratchpad.sae.references import Reference, by_interval

if TYPE_CHECKING:
    pass

FILES = ("latents.parquet", "references.parquet", "images.parquet")


@dataclass(frozen=True)
class Index(Claiming):
    """An opened index. Tables are read at first use; arguments as `Claiming`."""

    def row(self, latent: int) -> LatentRow | None:
        """What the index knows of a latent; None where there is no such latent."""
        table = self.latents
        if not 0 <= latent < table.num_rows:
            return None
        values = {name: table.column(name)[latent].as_py() for name in LatentRow.__dataclass_fields__}
        if latent in self.given_names:
            given = self.given_names[latent]
            values |= {"name": given.name, "source": given.source, "auroc": None}
        return LatentRow(**values)

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

    def detail(self, latent: int) -> Row:
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
        """A latent's name; "" where it has none or isn't there."""
        row = self.row(latent)
        return row.name if row else ""

    def references(self, latent: int, most: int = 9, *, around: float | None = None, per_interval: int | None = None) -> list[Reference]:
        """Pictures that show when a latent is active, each with the interval of activation that it stands for.

        Pictures go by the latent's maximum over their patches; with m the greatest of all, `top` are the strongest, `upper` reach 2/3 m,
        `middle` 1/3 m, `lower` less. `silent` are counter-examples: they have the label that the latent is named after, and it is silent.

        Args:
            most: of the strongest, where `per_interval` isn't given; then they are all that is returned, as every index has them.
            around: an activation, such as this picture's: those nearest to it come first, as interval "around".
            per_interval: how many of each interval.
        """
        begin = int(np.searchsorted(self._starts, latent, "left"))
        end = int(np.searchsorted(self._starts, latent, "right"))
        every = self._rows("references", begin, end - begin)
        if per_interval is None and around is None:
            chosen = [(row, "top") for row in every if row.get("interval", "top") == "top"][:most]
        else:
            chosen = by_interval(every, around, 3 if per_interval is None else per_interval)
        return [self._reference(row, interval) for row, interval in chosen]

    def _reference(self, row: Row, interval: str) -> Reference:
        image = self._rows("images", row["image"], 1)[0]
        if image["image"] != row["image"]:
            raise UserError(f"The index in {self.folder} is damaged (its images are out of order); make it again.")
        mask = np.frombuffer(row["mask"], np.uint8).reshape(row["rows"], row["cols"]) / 255
        return Reference(row["image"], row["activation"], image["labels"], mask.astype(np.float32), image["thumbnail"], interval)

    @property
    def _starts(self) -> np.ndarray:
        with self._lock:
            if "starts" not in self._cache:
                self._cache["starts"] = self._file("references").read(columns=["latent"]).column("latent").to_numpy()
            starts: np.ndarray = self._cache["starts"]
            return starts


def open_index(sae: Path, of: Sae | None = None, encoder: str = "") -> Index | None:
    """The index beside an SAE, or None where it has none.

    Args:
        of: the SAE as it is now. Names are claims only where the index says that it is of this SAE.
        encoder: `Vlm.encoder_identity` of what it reads; "" where that isn't known or can't be compared. Another's names are guesses.

    Raises:
        UserError: the index is of as many latents as another SAE has, or damaged.
    """
    restore_folder(sae / "index")  # where making a new one was killed between its two renames
    for folder in (sae / "index", sae / "index.old"):  # the second as versions before this one left it
        if all((folder / name).is_file() for name in FILES):
            trained_on = of.metadata.get("encoder_identity") if of else None
            index = Index(folder, of.identity if of else None, encoder, trained_on if isinstance(trained_on, str) else "")
            if of is not None and index.latents.num_rows != of.d_sae:
                rows = index.latents.num_rows
                raise UserError(f"The index in {folder} is of another SAE: of {rows} latents, not {of.d_sae}; make it again.")
            return index
    return None
