"""What an opened index says of itself, and what its latents may be called on a picture.

In: the table of latents, counts of labels, names that people gave. Out: claims and guesses. Names are claims only where the index is of
the SAE and the encoder that are asked about, and holds counts; why not is one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from scratchpad.errors import UserError
from scratchpad.records import Codes
from scratchpad.sae.claims import Claim, Counts, Scope, as_guesses
from scratchpad.sae.likeness import Likeness, Stored, from_json
from scratchpad.sae.names import USER, Name, read_names
from scratchpad.sae.reading import Tables

if TYPE_CHECKING:
    import pyarrow as pa


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
class Claiming(Tables):
    """An index as far as names go. Tables are read at first use.

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

    @property
    def given_names(self) -> dict[int, Name]:
        """Names that people or an encoder gave."""
        if "names" not in self._cache:
            self._cache["names"] = read_names(self.folder.parent)
        names: dict[int, Name] = self._cache["names"]
        return names

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


def _given(claim: Claim, name: Name) -> Claim:
    """A name that a person gave stands as that person's claim; an encoder's is a guess, unless counts hold up another."""
    if name.source == USER:
        return replace(claim, name=name.name, guess=name.name, hits=0, support=0, low=0.0, anywhere=False, source=USER)
    return claim if claim.name else replace(claim, guess=name.name, hits=0, support=0, low=0.0, anywhere=False, source=name.source)
