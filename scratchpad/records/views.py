"""What the page's tabs and the endpoints show beside an analysis: layers, stages, latents that were looked up."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from scratchpad.records.analysis import Ranked, Trust
from scratchpad.records.codec import UNSAID, Count, Text, record
from scratchpad.records.experiment import Named
from scratchpad.records.hookpoint import Layer, Place
from scratchpad.records.influence import Influence
from scratchpad.records.lookup import Entry
from scratchpad.records.reference import Reference

Drawn = Annotated[str, StringConstraints(pattern=r"^data:image/(png|jpeg);base64,", max_length=2**22)]  # a picture, as a data URL


@record
class Offered:
    """A model and an SAE that can be chosen."""

    choice: Text  # what is sent back
    label: Text


@record
class LayerConcept:
    """A concept at one layer, with where it fires on the picture."""

    latent: Ranked
    src: Drawn


@record
class LayerReading:
    """An answer as one SAE reads it at its hook point."""

    sae: Text
    layer: Layer | None
    explained: float  # variance of the activations on this picture
    trust: Trust | None
    concepts: tuple[LayerConcept, ...]  # that the answer's attention weighs most, but for those that fire everywhere
    place: Annotated[Place | None, UNSAID] = None  # None: the vision encoder


@record
class Layers:
    """The same answer at every layer that an SAE is offered for, early ones first."""

    layers: tuple[LayerReading, ...]
    blocks: Count  # of the vision encoder


@record
class InfluenceShown:
    """What latents at one point do to those at a later one, each with where it fires on the picture."""

    influence: Influence
    sources: tuple[Drawn, ...]
    targets: tuple[Drawn, ...]


@record
class StageShown:
    """One step from the file to what a map is drawn over."""

    title: Text
    says: Text
    src: Drawn


@record
class Stages:
    """All steps, in order."""

    stages: tuple[StageShown, ...]


@record
class Latents:
    """Latents that a search found, the surest first."""

    latents: tuple[Named, ...]


@record
class Placed:
    """A latent that fires in a region of a picture: its mean activation there and elsewhere."""

    id: Count
    name: Text  # the label that the index knows it by
    inside: float
    outside: float


@record
class AtPlace:
    """Those that fire in a region, those most that fire least elsewhere."""

    latents: tuple[Placed, ...]


@record
class Detail:
    """What the index knows of one latent, with pictures on which it fires and counter-examples."""

    entry: Entry
    references: tuple[Reference, ...]
