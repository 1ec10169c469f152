"""Everything that is found about one answer, the question included."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from scratchpad.records.codec import UNSAID, Count, Text, record
from scratchpad.records.codes import Codes, Heatmap, Scores, Spoken, Weights
from scratchpad.records.experiment import Blank, Sufficient
from scratchpad.records.question import ModelRef, Question, SaeRef
from scratchpad.records.run import Run

Share = Annotated[float, Field(ge=0, le=1)]


@record
class Ranked:
    """One latent that is active on the picture."""

    id: Count
    name: Text  # a claim about this picture, or "" where nothing is claimed
    guess: Text  # the likeliest label, claimed or not; "" where there is none
    source: Text  # where the name comes from: labels, masks, user, an encoder, or nothing
    precision: Share | None  # of the held-out pictures on which it fires this strongly, the share that show the guess
    support: Count | None  # so many pictures
    score: float  # attention-weighted activation, mean over the answer's tokens
    mean_score: float  # plain mean over patches, or over image tokens behind the vision encoder
    sparsity: Share | None  # share of the index's images on which the latent is active
    mean_activation: float | None  # mean image-level activation where it is
    auroc: float | None  # how well its maximum over an image tells the guess, on the index's images

    @property
    def label(self) -> str:
        """What it's called where no number stands beside: its claimed name, or `unnamed`."""
        return self.name or "unnamed"


@record
class Fidelity:
    """What an SAE explains of the pictures at hand, beside what it declares of itself; None where it declares nothing."""

    variance_explained: float  # 1 - residual / variance around the mean patch
    l0: float  # active latents per patch, mean
    declared_variance_explained: float | None
    declared_l0: float | None
    fits: bool
    sentence: Text  # "" where it fits


@record
class Measured:
    """How often a kind of map finds the needle in one data set."""

    dataset: Text
    accuracy: Share
    low: Share  # 95% interval
    high: Share
    images: Count
    chance: Share


@record
class Trust:
    """What was measured of a kind of map in a model; `nearest` names the data set that is most like the question."""

    method: Text
    sets: tuple[Measured, ...]
    nearest: Text


@record
class Analysis:
    """One question with its answer and the concepts behind it."""

    model: ModelRef
    sae: SaeRef
    question: Question
    run: Run
    codes: Codes
    weights: Weights
    scores: Scores
    latents: tuple[Ranked, ...]  # every active one, best score first
    heatmap: Heatmap
    effects: tuple[tuple[Count, float], ...]  # latent, predicted change of the answer's log-probability when it's ablated, nats
    suggested: Sufficient | None  # at most 8 latents without which the answer changes, really ablated; None where it wasn't asked for
    measured: tuple[tuple[Count, float], ...]  # latent, measured change when it's ablated, nats; of those likeliest to matter
    fidelity: Fidelity
    all_guesses: Text  # why no name can be a claim on these pictures, in one sentence; "" where names are claims
    attention_trust: Trust | None  # of attention maps; None where nothing was measured
    concept_trust: Trust | None  # of the SAE's maps
    blank: Blank | None = None  # what a grey picture gives; None where it wasn't asked
    spoken: Annotated[Spoken | None, UNSAID] = None  # codes of text tokens, where the SAE reads the language model; `codes` are on patches

    @model_validator(mode="after")
    def _whole(self) -> Analysis:
        patches, texts, active = self.run.grid.patches, len(self.weights.tokens), len(self.scores.latents)
        known = {latent.id for latent in self.latents}
        shapes = {
            "weights": (self.weights.values.shape, (texts, patches)),
            "codes": (self.codes.values.shape[:1], (patches,)),
            "weighted scores": (self.scores.weighted.shape, (len(self.scores.tokens), active)),
            "mean scores": (self.scores.mean.shape, (active,)),
        }
        for name, (shape, expected) in shapes.items():
            if shape != expected:
                raise ValueError(f"{name} are of shape {shape}, expected {expected}")
        indices = {token.index for token in self.run.tokens if token.role != "image"}
        if not {*self.weights.tokens, *self.scores.tokens, *self.heatmap.tokens} <= indices:
            raise ValueError("a map, score or row is of a token that isn't there")
        if not {*self.scores.latents, *self.heatmap.latents, *self.codes.active().tolist()} <= known:
            raise ValueError("a code, score or column is of a latent that isn't ranked")
        if self.spoken and not ({*self.spoken.tokens} <= indices and {*self.spoken.codes.active().tolist()} <= known):
            raise ValueError("codes of text are of a token that isn't there or of a latent that isn't ranked")
        if len(self.run.grid.sizes) != len(self.question.images):
            raise ValueError(f"{len(self.question.images)} pictures, geometry of {len(self.run.grid.sizes)}")
        return self

    @property
    def by_effect(self) -> dict[int, float]:
        """Predicted effect by latent."""
        return dict(self.effects)

    def latent(self, number: int) -> Ranked | None:
        """What is known of one active latent."""
        return next((latent for latent in self.latents if latent.id == number), None)
