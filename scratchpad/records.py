"""What flows through the house: frozen records of arrays and plain values.

Axes: t text token (prompt or output), v image token, p patch, l latent, k active latents of a patch, d width of the
vision encoder, y language-model layer. No record holds a model, a session or a tensor on an accelerator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from scratchpad.grid import Box, Grid

Role = Literal["system", "prompt", "image", "output"]
Op = Literal["set", "scale", "add"]


@dataclass(frozen=True)
class Token:
    index: int  # position in the whole sequence
    id: int
    text: str
    role: Role
    logprob: float | None = None  # of an output token, given all before it


@dataclass(frozen=True)
class Run:
    """One answer of a VLM to an image and a prompt, with what it looked at."""

    model: str
    image_sha256: str
    prompt: str
    answer: str
    tokens: tuple[Token, ...]
    grid: Grid
    layer: int  # vision block whose output `activations` is
    activations: Float[np.ndarray, "p d"]
    queries: Int[np.ndarray, " q"]  # sequence positions whose attention rows were kept, ascending
    attention: Float[np.ndarray, "q y v"]  # from each of them to the image tokens, averaged over heads
    answer_ids: tuple[int, ...]  # what was generated, the end token included

    def text_tokens(self) -> list[Token]:
        return [token for token in self.tokens if token.role != "image"]

    def outputs(self) -> list[Token]:
        return [token for token in self.tokens if token.role == "output"]

    def attention_of(self, index: int) -> Float[np.ndarray, "y v"]:
        """The attention row of a text token: of the position that predicts it (output), or of its own (prompt)."""
        position = index - 1 if self.tokens[index].role == "output" else index
        row = np.searchsorted(self.queries, position)
        assert self.queries[row] == position, f"no attention row was kept at position {position}"
        return self.attention[row]


@dataclass(frozen=True)
class Codes:
    """Sparse codes of a run's activations: the active latents of every patch, padded with value 0."""

    sae: str
    d_sae: int
    values: Float[np.ndarray, "p k"]
    indices: Int[np.ndarray, "p k"]

    def active(self) -> Int[np.ndarray, " n"]:
        """Ids of latents that are active on some patch, ascending."""
        return np.unique(self.indices[self.values > 0])

    def of(self, latent: int) -> Float[np.ndarray, " p"]:
        """One latent's activation on every patch."""
        return np.where(self.indices == latent, self.values, 0).max(1)

    def dense(self, latents: Int[np.ndarray, " n"]) -> Float[np.ndarray, "p n"]:
        """Activations of a few latents (ids ascending) on every patch."""
        column = np.searchsorted(latents, self.indices)
        column = np.minimum(column, len(latents) - 1)
        hit = (latents[column] == self.indices) & (self.values > 0)
        out = np.zeros((len(self.values), len(latents)), np.float32)
        p, k = np.nonzero(hit)
        out[p, column[p, k]] = self.values[p, k]
        return out


@dataclass(frozen=True)
class Weights:
    """How much each text token attends to each patch; rows sum to 1 where the token sees the image at all."""

    tokens: tuple[int, ...]  # sequence indices of text tokens
    values: Float[np.ndarray, "t p"]


@dataclass(frozen=True)
class Cluster:
    id: int
    latents: tuple[int, ...]


@dataclass(frozen=True)
class Heatmap:
    """Tokens x latents: attention-weighted activation, each column scaled to 0 .. 1, columns clustered and ordered."""

    tokens: tuple[int, ...]
    latents: tuple[int, ...]
    raw: Float[np.ndarray, "t l"]
    values: Float[np.ndarray, "t l"]
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True)
class Ranked:
    """One row of the latent ranking."""

    id: int
    name: str
    score: float  # attention-weighted activation, mean over the tokens asked about
    mean_score: float  # plain mean over patches
    sparsity: float | None  # share of the index's images on which the latent is active
    mean_activation: float | None  # mean image-level activation where it is
    auroc: float | None  # how well it predicts the label it is named after


@dataclass(frozen=True)
class LatentEdit:
    """What becomes of one latent: a' = value (set), value * a (scale) or a + value (add), within `region`."""

    latent: int
    op: Op
    value: float
    region: Box | None = None
    image: int | None = None  # which of several; None: all of them, or with a region the first


@dataclass(frozen=True)
class Edit:
    """z' = z + sum over edited latents of (a' - a) * decoder row. An empty edit is the identity, bit for bit.

    With `keep_error` off the SAE's reconstruction replaces z first; whatever shows the result must say so.
    """

    items: tuple[LatentEdit, ...] = ()
    keep_error: bool = True


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn rather than taken greedily: the same seed draws the same."""

    temperature: float
    seed: int = 0


@dataclass(frozen=True)
class Sampled:
    """The answers that one seed draws before and after an edit, from the same chance."""

    how: Sampling
    before: str
    after: str
    diff: tuple[tuple[str, str], ...]  # (same | gone | new, token text)


@dataclass(frozen=True)
class Toward:
    """How likely a text is as the answer's beginning, before and after an edit."""

    text: str
    before: float  # log-probability
    after: float


@dataclass(frozen=True)
class Risen:
    """A latent that an edit left alone and that is more active on the edited activations: where a concept may come back."""

    latent: int
    before: float  # mean over patches
    after: float


@dataclass(frozen=True)
class Alternatives:
    """The likeliest tokens in place of one token of the original answer: (text, log-probability), best first."""

    before: tuple[tuple[str, float], ...]
    after: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Comparison:
    """An answer before and after an edit, and what the edit does to the original answer, teacher-forced."""

    edit: Edit
    before: tuple[Token, ...]
    after: tuple[Token, ...]
    before_answer: str
    after_answer: str
    delta_logprob: tuple[float, ...]  # per original output token: edited minus unedited
    diff: tuple[tuple[str, str], ...]  # (same | gone | new, token text)
    alternatives: tuple[Alternatives, ...]  # per original output token
    inactive: tuple[int, ...]  # edited latents that are active nowhere in this picture
    risen: tuple[Risen, ...]  # strongest first
    toward: Toward | None = None
    sampled: Sampled | None = None

    @property
    def changed(self) -> bool:
        return [t.id for t in self.before] != [t.id for t in self.after]


@dataclass(frozen=True)
class Control:
    """What stands beside a claim: changes of the whole answer's log-probability under other changes of the same kind."""

    effects: Float[np.ndarray, " n"]  # as many other active latents of like activation mass, n random sets
    flipped: int  # of them, how many change the greedy answer
    noise: Float[np.ndarray, " m"]  # random directions as long as the edit's change on every patch
    noise_flipped: int
    reconstruction: float  # the SAE's reconstruction in place of the activations
    reconstruction_flips: bool


@dataclass(frozen=True)
class Sufficient:
    """The fewest latents found whose ablation changes an answer, or brings out a target."""

    latents: tuple[int, ...]  # empty: none found within the budget
    target: str | None
    before: str
    after: str
    flipped: bool
    minimal: bool  # each left out in turn restores the answer
    tried: int  # sets ablated
    control: int  # random sets of as many latents of like mass that do it too
    controls: int  # of so many
    seconds: float


@dataclass(frozen=True)
class Verified:
    """What one backward pass predicts of ablating each latent, and what ablating it really does."""

    latents: tuple[int, ...]
    predicted: Float[np.ndarray, " n"]  # change of the answer's log-probability
    actual: Float[np.ndarray, " n"]
    active: int  # latents that could have been verified
    steps: int  # gradients averaged: 1 for plain attribution


@dataclass(frozen=True)
class Blank:
    """What the model answers with a grey picture instead: an answer from habit is no sight."""

    answer: str
    same: bool
    logprob: float  # of the original answer
    seen: float  # of the original answer with the picture
