"""What an edit did, as a case of format 1 says it; and what all parts of such a case share. Frozen, as `format1` is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=20_000)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
Count = Annotated[int, Field(ge=0, le=2**31)]


class Part(BaseModel):
    """What all parts share: unlisted fields, other types and infinite numbers are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Token(Part):
    """A token of prompt or answer; its log-probability in nats, where it was answered."""

    index: Count
    text: Text
    role: Literal["system", "prompt", "image", "output"]
    logprob: float | None


class Item(Part):
    """What is done to one latent: everywhere, or within a region (y0, x0, y1, x1) in pixels, of one picture."""

    latent: Count
    op: Literal["set", "scale", "add"]
    value: float
    region: Annotated[list[float], Field(min_length=4, max_length=4)] | None
    image: Count | None


class Said(Part):
    """An answer as text and as tokens."""

    answer: Text
    tokens: list[Token]


class Moved(Part):
    """Change of log-probability, nats: of the whole answer and of each of its tokens."""

    answer: float
    tokens: list[float]


class Noise(Part):
    """What random directions did to the answer: changes of log-probability in nats, and how many changed its text."""

    n: Count
    effects: list[float]
    flipped: Count


class Bare(Part):
    """What the SAE's reconstruction alone did."""

    effect: float
    flipped: bool


class Control(Part):
    """What random sets of latents, noise and reconstruction did beside an edit."""

    n: Count
    effects: list[float]
    flipped: Count
    as_strong: Count
    noise: Noise
    reconstruction: Bare
    verdict: Text


class Named(Part):
    """A latent and its name."""

    id: Count
    name: Text


class Risen(Named):
    """A latent that an edit left alone and whose mean activation changed."""

    before: float
    after: float


class Flips(Part):
    """How many of so many random sets changed the answer."""

    n: Count
    flipped: Count


class Sufficient(Part):
    """The fewest latents found whose ablation changes the answer, or brings out a target."""

    latents: list[Named]
    target: Text | None
    before: Text
    after: Text
    flipped: bool
    minimal: bool
    tried: Count
    controls: Flips
    seconds: float


class Toward(Part):
    """How likely a text is as the answer, before and after, nats."""

    text: Text
    before: float
    after: float
    delta_logprob: float


class Alternatives(Part):
    """The likeliest tokens at one place of the answer with their log-probabilities in nats, before and after."""

    before: list[tuple[Text, float]]
    after: list[tuple[Text, float]]


class Compared(Part):
    """One edit and what it did, as the panels of that time had it."""

    before: Said
    after: Said
    changed: bool
    delta_logprob: Moved
    diff: list[tuple[Literal["same", "gone", "new"], Text]]
    keep_error: bool
    alternatives: list[Alternatives]
    inactive: list[Count]
    risen: list[Risen]
    target: Toward | None
    nonce: Hash
    latents: Count
    items: Annotated[list[Item], Field(max_length=4096)]
    control: Control
    sufficient: Sufficient | None = None
