"""What a case says, format 1: every field that the page draws, checked before anything is drawn.

A bundle comes from a stranger: fields that aren't listed here, text where a number belongs, arrays of the wrong length or
infinite numbers are refused as a whole. Frozen: cases of format 1 are out there, and these classes stay as they are; `upgrade` makes
today's records of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from scratchpad.cases.format1_runs import Compared, Count, Hash, Part, Text, Token

FORMAT = 1
TITLE, NOTES = 200, 20_000  # characters
RUNS = 64  # comparisons in a case

Packed = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$", max_length=32 * 2**20)]
Picture = Annotated[str, StringConstraints(pattern=r"^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]*={0,2}$", max_length=2**20)]


class Tile(Part):
    """A tile of patches and its box in the picture, (y0, x0, y1, x1) in pixels."""

    box: Annotated[list[float], Field(min_length=4, max_length=4)]
    rows: Annotated[int, Field(ge=1, le=4096)]
    cols: Annotated[int, Field(ge=1, le=4096)]
    image: Count = 0


class Latent(Part):
    """A latent with its name and its scores."""

    id: Count
    name: Text
    score: float
    mean_score: float
    sparsity: float | None
    mean_activation: float | None
    auroc: float | None


class Cluster(Part):
    """Latents that the heatmap shows together."""

    id: Count
    latents: list[Count]


class Heatmap(Part):
    """Output tokens x latents, `values` row by row."""

    tokens: list[Count]
    latents: list[Count]
    values: list[list[float]]
    clusters: list[Cluster]

    @model_validator(mode="after")
    def _whole(self) -> Heatmap:
        shape = (len(self.tokens), len(self.latents))
        if len(self.values) != shape[0] or any(len(row) != shape[1] for row in self.values):
            raise ValueError(f"a heatmap of {shape[0]} x {shape[1]} needs as many values")
        return self


class Trust(Part):
    """How often a map of the kind shown was right on one data set, and how often by chance."""

    accuracy: float
    chance: float
    dataset: Text


class Shown(Part):
    """What LOOK, CONCEPTS and HEATMAP draw: as the panels of that time had it."""

    key: Text
    sae: Text
    answer: Text
    note: Text | None
    size: Annotated[list[Count], Field(min_length=2, max_length=2)]
    tiles: Annotated[list[Tile], Field(min_length=1, max_length=512)]
    tokens: Annotated[list[Token], Field(max_length=16_384)]
    rows: list[Count]
    maps: Packed
    active: list[Count]
    scores: Packed
    means: Packed
    codeValues: Packed
    codeIndices: Packed
    latents: dict[str, Latent]
    heatmap: Heatmap
    suggested: list[Count]
    nameToken: Count | None
    trust: Trust | None

    @model_validator(mode="after")
    def _whole(self) -> Shown:
        patches, active, rows = sum(t.rows * t.cols for t in self.tiles), len(self.active), len(self.rows)
        for name, entries in (("maps", rows * patches), ("scores", rows * active), ("means", active)):
            if _entries(getattr(self, name)) != entries:
                raise ValueError(f"{name} has {_entries(getattr(self, name))} entries, expected {entries}")
        codes = _entries(self.codeValues)
        if codes != _entries(self.codeIndices) or codes % patches:
            raise ValueError(f"{codes} codes don't fit {patches} patches")
        if not {str(i) for i in self.active} <= set(self.latents):
            raise ValueError("an active latent is not described")
        return self


def _entries(packed: str) -> int:
    """Of four bytes each."""
    return (len(packed) * 3 // 4 - packed.count("=", -2)) // 4


class Reference(Part):
    """A reference image with its labels and the rows x cols of patches on which the latent is active."""

    src: Picture
    labels: Text
    rows: Annotated[int, Field(ge=1, le=1024)]
    cols: Annotated[int, Field(ge=1, le=1024)]
    mask: Packed


class Detail(Part):
    """A latent's reference images."""

    references: Annotated[list[Reference], Field(max_length=32)]


class Made(Part):
    """Which version made the case, and when (UTC)."""

    by: Text
    at: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class Model(Part):
    """The model that answered."""

    name: Text
    identity: Hash


class Sae(Part):
    """The SAE that was read."""

    name: Text
    layer: Count
    identity: Hash


class Settings(Part):
    """What else the answer depends on."""

    max_new_tokens: Annotated[int, Field(ge=1, le=1_000_000)]


class Case(Part):
    """case.json of a bundle."""

    format: Literal[1]
    title: Annotated[str, StringConstraints(min_length=1, max_length=TITLE)]
    notes: Annotated[str, StringConstraints(max_length=NOTES)]
    made: Made
    model: Model
    sae: Sae
    settings: Settings
    prompt: Text
    images: Annotated[list[Annotated[str, StringConstraints(pattern=r"^image-\d{1,2}\.png$")]], Field(min_length=1, max_length=16)]
    answer: Text
    answer_ids: Annotated[list[Count], Field(max_length=100_000)]
    logprobs: list[float]
    shown: Shown
    runs: Annotated[list[Compared], Field(max_length=RUNS)]
    details: Annotated[dict[Annotated[str, StringConstraints(pattern=r"^\d{1,10}$")], Detail], Field(max_length=2048)]

    @model_validator(mode="after")
    def _pictures(self) -> Case:
        """Tiles and edits are of pictures that the case has."""
        named = [tile.image for tile in self.shown.tiles] + [item.image or 0 for run in self.runs for item in run.items]
        if max(named, default=0) >= len(self.images):
            raise ValueError(f"picture {max(named)} of {len(self.images)}")
        return self
