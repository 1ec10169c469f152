"""One picture and prompt as every saliency method sees it. What several methods need is computed once, when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.records import Codes, Run
from scratchpad.sae.load import Sae
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.run import force_each, run
from scratchpad.vlm.states import embedding_gradients, hidden_states

Box = tuple[int, int, int, int]


def painted(picture: Image.Image, cells: Sequence[Box]) -> Iterator[Image.Image]:
    """The picture with one cell after the other painted over in its mean colour."""
    if not len(cells):
        raise UserError("Occlusion needs cells; none were given.")
    pixels = np.asarray(picture)
    mean = pixels.reshape(-1, 3).mean(0).round().astype(np.uint8)
    for y0, x0, y1, x1 in cells:
        without = pixels.copy()
        without[y0:y1, x0:x1] = mean
        yield Image.fromarray(without)


@dataclass
class Look:
    """Lives as long as the maps of one picture are made."""

    vlm: Vlm = field(repr=False)
    picture: Image.Image = field(repr=False)
    prepared: Prepared = field(repr=False)
    run: Run = field(repr=False)
    tokens: tuple[int, ...]  # sequence indices of the text tokens looked from
    word: str  # what is looked for
    sae: Sae | None = field(default=None, repr=False)
    cells: Sequence[Box] = ()  # pixel boxes that occlusion paints over
    cell_of: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)  # int[v]: which of them a token lies in
    seed: int = 0

    @property
    def rows(self) -> list[int]:
        """The positions whose attention rows are those of `tokens`."""
        return [i - 1 if self.run.tokens[i].role == "output" else i for i in self.tokens]

    @property
    def own_rows(self) -> list[int]:
        return [min(i, self.prepared.length + len(self.run.answer_ids) - 2) for i in self.tokens]

    @cached_property
    def codes(self) -> Codes | None:
        return self.sae.encode(self.run.activations) if self.sae else None

    @cached_property
    def hidden(self) -> list[Float[Tensor, "s c"]]:
        return hidden_states(self.vlm, self.prepared, self.run.answer_ids)

    @cached_property
    def blank_embeddings(self) -> Float[Tensor, "v c"]:
        """Image-token embeddings of a grey picture of the same size."""
        grey = prepare(self.vlm, Image.new("RGB", self.picture.size, (128, 128, 128)), self.prepared.prompt)
        given, _ = embedding_gradients(self.vlm, grey, self.run.answer_ids)
        return torch.from_numpy(given).to(self.vlm.model.device)

    @cached_property
    def word_ids(self) -> list[int]:
        """The first token of the word in the spellings a text may have."""
        tokenizer = self.vlm.processor.tokenizer  # type: ignore[attr-defined]
        spelled = [before + word for word in {self.word, self.word.lower(), self.word.upper()} for before in ("", " ")]
        ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in spelled]
        return sorted({row[0] for row in ids if row})

    @property
    def grid(self) -> Grid:
        return self.run.grid

    def occluded(self) -> Float[np.ndarray, " v"]:
        """For every image token, what its cell takes from the answer's log-probability when it's painted over."""
        prompts = [prepare(self.vlm, picture, self.prepared.prompt) for picture in (self.picture, *painted(self.picture, self.cells))]
        said = force_each(self.vlm, prompts, self.run.answer_ids)
        fall = np.append(said[0] - said[1:], 0.0)  # the last one for tokens that show nothing
        return fall[self.cell_of]


def look(
    vlm: Vlm,
    picture: Image.Image,
    prompt: str,
    layer: int,
    word: str = "",
    sae: Sae | None = None,
    cells: Sequence[Box] = (),
    cell_of: np.ndarray | None = None,
    seed: int = 0,
    max_new_tokens: int = 16,
) -> Look:
    """Asks the model, and looks from the prompt's tokens that say `word`; where none does, from the prompt's last."""
    prepared = prepare(vlm, picture, prompt)
    found = run(vlm, prepared, layer, max_new_tokens)
    return Look(
        vlm=vlm,
        picture=picture,
        prepared=prepared,
        run=found,
        tokens=tokens_of(found, word),
        word=word,
        sae=sae,
        cells=cells,
        cell_of=np.zeros(0, int) if cell_of is None else cell_of,
        seed=seed,
    )


def tokens_of(found: Run, word: str) -> tuple[int, ...]:
    """The prompt's tokens that spell a word; its last token where it isn't said."""
    prompt = [token for token in found.tokens if token.role == "prompt"]
    text, spans = "", []
    for token in prompt:
        spans.append((len(text), len(text) + len(token.text)))
        text += token.text
    at = text.lower().rfind(word.lower()) if word else -1
    hit = [t.index for t, (a, b) in zip(prompt, spans, strict=True) if at >= 0 and a < at + len(word) and b > at]
    return tuple(hit) or (prompt[-1].index,)
