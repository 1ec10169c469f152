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

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from jaxtyping import Bool, Float

from scratchpad.errors import UserError
from scratchpad.files import restore_folder
from scratchpad.records import Codes
from scratchpad.sae.claims import Claim, Counts, Scope, as_guesses
from scratchpad.sae.likeness import Likeness, Stored, from_json
from scratchpad.sae.load import Sae
from scratchpad.sae.names import USER, Name, read_names, rename
from scratchpad.sae.reading import Row, Tables
from scratchpad.sae.references import Reference, by_interval

if TYPE_CHECKING:
    import pyarrow as pa

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


class About(TypedDict, total=False):
    """What an index says of itself; each entry is missing from one made before it was written."""

    sae: str  # `Sae.identity` of the SAE that it is of
    encoder: str  # `Vlm.encoder_identity` of the encoder whose activations it counted; else the SAE's own says
    pictures: int  # that statistics are of
    counted: int  # pictures that are for counting alone
    likeness: Stored


@dataclass(frozen=True)
class Index(Tables):
    """An opened index. Tables are read at first use.

    Args:
        identity: `Sae.identity` of the SAE whose latents are asked about; without it, or with another SAE's, nothing is claimed.
        encoder: `Vlm.encoder_identity` of the encoder that the SAE reads now; with another than it was made on nothing is claimed.
        trained_on: that of the encoder that the SAE was trained on, "" where it doesn't say: an index that says none is of this.
    """

    identity: str | None = None
    encoder: str = ""
    trained_on: str = ""

    @property
    def latents(self) -> pa.Table:
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
        names: list[str] = self._cache["all names"]
        return names

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

    @property
    def given_names(self) -> dict[int, Name]:
        """Names that people or an encoder gave."""
        if "names" not in self._cache:
            self._cache["names"] = read_names(self.folder.parent)
        names: dict[int, Name] = self._cache["names"]
        return names

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

    @property
    def about(self) -> About:
        """What it says of itself: its SAE's identity, how many pictures, what they are like; empty for one made before that."""
        if "about" not in self._cache:
            metadata = (self._file("latents").schema_arrow.metadata or {}).get(b"scratchpad")
            try:
                self._cache["about"] = json.loads(metadata) if metadata else {}
            except ValueError as error:
                raise UserError(f"The index in {self.folder} is damaged ({error}); make it again.") from error
        about: About = self._cache["about"]
        return about

    @property
    def stale(self) -> bool:
        """Whether it says that it was made of another SAE: then none of its names is of the latents asked about."""
        return bool(self.identity and self.about.get("sae") and self.about["sae"] != self.identity)

    @property
    def why_no_claims(self) -> str:
        """Why no name can be a claim whatever the picture, in one sentence; "" where names can be."""
        if self.stale:
            made, now = self.about["sae"], self.identity
            return f"The index was made of another SAE ({made}) than this one ({now}): make it again with `scratchpad index`."
        made = self.about.get("encoder") or self.trained_on
        if self.encoder and made and made != self.encoder:
            return (
                "The index was made on another vision encoder than this model's: "
                "what it counted may not hold here, so every name is a guess. `scratchpad index` makes one of this model."
            )
        if not (self.folder / "counts-picture.parquet").is_file():
            return (
                "The index holds no counts of labels on held-out pictures: make it again with `scratchpad index` and --labels or --masks."
            )
        if not self.identity or not self.about.get("sae"):
            return "It isn't known whether the index is of this SAE: make it again with `scratchpad index`."
        return ""

    @property
    def likeness(self) -> Likeness | None:
        """What the indexed pictures are like; None for an index made before it said so."""
        return from_json(self.about["likeness"]) if "likeness" in self.about else None

    def claims(
        self, latents: Sequence[int] | np.ndarray, activations: Sequence[float] | np.ndarray, scope: Scope = "picture", unlike: str = ""
    ) -> list[Claim]:
        """What latents may be called in a picture.

        Args:
            latents: n ids.
            activations: of each, its maximum over the picture's patches; with scope "patch", at the patch asked about.
            scope: "patch" rests on counts of patches, which an index has where masks said what is where; else on pictures.
            unlike: why this picture is unlike those indexed (`Likeness.unlike`); then every name from counts is a guess.
        """
        ids, values = [int(i) for i in latents], [float(a) for a in activations]
        names, given, why = [] if self.stale else self.names, self.given_names, self.why_no_claims or unlike
        fallbacks = [names[i] if 0 <= i < len(names) else "" for i in ids]
        counts = None if why else self.counts(scope) or self.counts("picture")
        if counts is None:
            out = [Claim(i, a, "", guess, 0, 0, 0.0, False, "") for i, a, guess in zip(ids, values, fallbacks, strict=True)]
        else:
            out = counts.claims(ids, values, fallbacks)
        out = [_given(claim, given[claim.latent]) if claim.latent in given else claim for claim in out]
        return as_guesses(out, why) if why else out

    def claims_of(self, codes: Codes, unlike: str = "") -> dict[int, Claim]:
        """`claims` for every latent that is active in a picture, by its id."""
        active = codes.active()
        peaks = np.zeros(codes.d_sae, np.float32)
        np.maximum.at(peaks, codes.indices, codes.values)
        return {claim.latent: claim for claim in self.claims(active, peaks[active], unlike=unlike)}

    def counts(self, scope: Scope) -> Counts | None:
        """What was counted; None where it wasn't."""
        return self.read_counts(f"counts-{scope}")

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


def _given(claim: Claim, name: Name) -> Claim:
    """A name that a person gave stands as that person's claim; an encoder's is a guess, unless counts hold up another."""
    if name.source == USER:
        return replace(claim, name=name.name, guess=name.name, hits=0, support=0, low=0.0, anywhere=False, source=USER)
    return claim if claim.name else replace(claim, guess=name.name, hits=0, support=0, low=0.0, anywhere=False, source=name.source)


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


def auroc(scores: Float[np.ndarray, "n l"], positive: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " l"]:
    """Area under the ROC curve of every column against one label, ties counted half (Mann-Whitney U)."""
    from scipy.stats import rankdata

    n1, n0 = int(positive.sum()), int((~positive).sum())
    if n1 == 0 or n0 == 0:
        return np.full(scores.shape[1], np.nan, np.float32)
    ranks = rankdata(scores, axis=0)
    areas: np.ndarray = ((ranks[positive].sum(0) - n1 * (n1 + 1) / 2) / (n1 * n0)).astype(np.float32)
    return areas
