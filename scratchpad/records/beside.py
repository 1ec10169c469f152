"""Two analyses side by side, and which of their concepts are the same."""

from __future__ import annotations

from typing import Literal

from scratchpad.records.analysis import Analysis
from scratchpad.records.codec import Count, Text, record

By = Literal["latent", "name"]


@record
class Shared:
    """One concept that fires on both sides, by its latents there, those of the best score first."""

    name: Text  # a claim about both sides' pictures; "" where latents match and nothing is claimed of both
    left: tuple[Count, ...]
    right: tuple[Count, ...]


@record
class Matched:
    """The concepts that two analyses share, the left's best first. What isn't among them has no partner."""

    by: By  # latent: one SAE read both, so a latent is itself; name: two SAEs did, and only claimed names can be the same
    concepts: tuple[Shared, ...]


@record
class SideBySide:
    """Two analyses and what they share."""

    left: Analysis
    right: Analysis
    matched: Matched
