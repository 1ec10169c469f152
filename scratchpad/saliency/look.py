"""One picture and prompt as every saliency method sees it. What several methods need is computed once, when first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float
from torch import Tensor

from scratchpad.grid import Grid
from scratchpad.records import Codes, Run
from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.load import Sae
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.forcing import force_each
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.run import run
from scratchpad.vlm.states import hidden_states


@dataclass
class Look:
    """Lives as long as the maps of one picture are made."""

    vlm: Vlm = field(repr=False)
    request: SaliencyRequest
    prepared: Prepared = field(repr=False)
    run: Run = field(repr=False)
    tokens: tuple[int, ...]  # sequence indices of the text tokens looked from
    sae: Sae | None = field(default=None, repr=False)

    @property
    def rows(self) -> list[int]:
        """The positions whose attention rows are those of `tokens`."""
        return [i - 1 if self.run.tokens[i].role == "output" else i for i in self.tokens]

    @property
    def own_rows(self) -> list[int]:
        """The positions of `tokens` themselves; of the answer's last token, which is never fed back, the one before."""
        return [min(i, self.prepared.length + len(self.run.answer_ids) - 2) for i in self.tokens]

    @property
    def grid(self) -> Grid:
        """Where the picture's image tokens are."""
        return self.run.grid

    @property
    def seed(self) -> int:
        """Of the random map."""
        return self.request.seed

    @cached_property
    def codes(self) -> Codes | None:
        """The SAE's codes of the run's activations; None without an SAE."""
        return self.sae.encode(self.run.states()) if self.sae else None

    @cached_property
    def hidden(self) -> list[Float[Tensor, "s c"]]:
        """As `hidden_states`."""
        return hidden_states(self.vlm, self.prepared, self.run.answer_ids)

    @cached_property
    def word_ids(self) -> list[int]:
        """The first token of the word in the spellings a text may have."""
        word, tokenizer = self.request.word, self.vlm.processor.tokenizer
        spelled = [before + case for case in {word, word.lower(), word.upper()} for before in ("", " ")]
        ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in spelled]
        return sorted({row[0] for row in ids if row})

    def occluded(self) -> Float[np.ndarray, " v"]:
        """For every image token, what its cell takes from the answer's log-probability when it's painted over.

        Raises:
            UserError: the request has no cells.
        """
        pictures = (self.request.picture, *self.request.painted())
        prompts = [prepare(self.vlm, picture, self.prepared.prompt) for picture in pictures]
        logprobs = force_each(self.vlm, prompts, self.run.answer_ids)
        fall = np.append(logprobs[0] - logprobs[1:], 0.0)  # the last one for tokens that show nothing
        return np.asarray(fall[self.request.cell_of])


def look(vlm: Vlm, request: SaliencyRequest, at: HookPoint, sae: Sae | None = None) -> Look:
    """Asks the model, and looks from the prompt's tokens that say the request's word; where none does, from the prompt's last.

    Args:
        at: where activations are recorded; the SAE's point, if there is one.

    Raises:
        UserError: the picture or the text can't be used, or the model has no such point.
    """
    prepared = prepare(vlm, request.picture, request.text)
    answered = run(vlm, prepared, at, request.max_new_tokens)
    return Look(vlm, request, prepared, answered, tokens_of(answered, request.word), sae)


def tokens_of(run: Run, word: str) -> tuple[int, ...]:
    """The sequence indices of the prompt's tokens that spell a word, where it's said last; the prompt's last where it isn't said."""
    prompt = [token for token in run.tokens if token.role == "prompt"]
    text, spans = "", []
    for token in prompt:
        spans.append((len(text), len(text) + len(token.text)))
        text += token.text
    at = text.lower().rfind(word.lower()) if word else -1
    hit = [t.index for t, (a, b) in zip(prompt, spans, strict=True) if at >= 0 and a < at + len(word) and b > at]
    return tuple(hit) or (prompt[-1].index,)
