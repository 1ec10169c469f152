"""An answer of a model, and what it looked at."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float, Int

from scratchpad.grid import Grid, Places
from scratchpad.records.codec import UNSAID, WORKING, Count, Text, record
from scratchpad.records.geometry import GridField
from scratchpad.records.hookpoint import HookPoint, Layer, Place

Role = Literal["system", "prompt", "image", "output"]


@record
class Token:
    """One token of prompt or answer."""

    index: Count  # position in the whole sequence
    id: Count | None  # in the model's vocabulary; None in a case of format 1, which doesn't say
    text: Text
    role: Role
    logprob: float | None = None  # of an output token, given all before it, in nats


@record
class Answer:
    """What a model said."""

    text: Text
    ids: tuple[Count, ...]  # the end token included
    tokens: tuple[Token, ...]  # without it

    @property
    def logprob(self) -> float:
        """Of all its tokens but the end token, in nats."""
        return sum(token.logprob or 0.0 for token in self.tokens)


@record
class Run:
    """One answer of a VLM with what it looked at; `queries`, `attention` and `activations` stay in the process."""

    answer: Text
    answer_ids: tuple[Count, ...]  # what was generated, the end token included
    tokens: tuple[Token, ...]  # prompt, image and answer, in order
    grid: Annotated[Grid, GridField()]
    layer: Layer | None  # with `place`, the point whose activations `activations` are
    activations: Annotated[Float[np.ndarray, "n d"] | None, WORKING] = None  # of `places`
    queries: Annotated[Int[np.ndarray, " q"] | None, WORKING] = None  # positions whose attention rows were kept, ascending
    attention: Annotated[Float[np.ndarray, "q y v"] | None, WORKING] = None  # from each to the image tokens, mean over chosen heads
    place: Annotated[Place | None, UNSAID] = None  # None: the vision encoder

    @property
    def at(self) -> HookPoint:
        """The point whose activations `activations` are."""
        return HookPoint(self.place or "vision", self.layer)

    @property
    def places(self) -> Places:
        """What the rows of `activations` stand for."""
        if self.place is None:
            return self.grid.places()
        if self.place == "projector":
            return self.grid.token_places()
        images = [token.index for token in self.tokens if token.role == "image"]
        prompt = sum(token.role != "output" for token in self.tokens)
        return self.grid.token_places(images, prompt + len(self.answer_ids) - 1)  # the answer's last token isn't fed back

    def text_tokens(self) -> list[Token]:
        """All tokens but those of images, in order."""
        return [token for token in self.tokens if token.role != "image"]

    def outputs(self) -> list[Token]:
        """The answer's tokens, in order."""
        return [token for token in self.tokens if token.role == "output"]

    def said(self) -> Answer:
        """The answer alone."""
        return Answer(self.answer, self.answer_ids, tuple(self.outputs()))

    def states(self) -> Float[np.ndarray, "n d"]:
        """The activations; a run that was read back has none."""
        assert self.activations is not None, "activations stay in the process: ask the question again"
        return self.activations

    def rows(self) -> Float[np.ndarray, "q y v"]:
        """The attention rows of `queries`; a run that was read back has none."""
        assert self.attention is not None, "attention rows stay in the process: ask the question again"
        return self.attention

    def position_of(self, index: int) -> int:
        """The position whose attention row a text token has: the one that predicts it (output), or its own (prompt)."""
        return index - 1 if self.tokens[index].role == "output" else index

    def attention_of(self, index: int) -> Float[np.ndarray, "y v"]:
        """The attention row of a text token; see `position_of`."""
        assert self.queries is not None, "attention rows stay in the process: ask the question again"
        position = self.position_of(index)
        row = int(np.searchsorted(self.queries, position))
        assert self.queries[row] == position, f"no attention row was kept at position {position}"
        shares: np.ndarray = self.rows()[row]
        return shares
