"""What the benchmark asks of a model, the same of one that answers and of one that retrieves.

In: a loaded model. Out: its geometry at a size, its maps of a picture. To make another kind testable, write one class more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from PIL import Image

from scratchpad.grid import Grid
from scratchpad.sae.load import Sae
from scratchpad.saliency import late, methods
from scratchpad.saliency.baselines import BASELINES
from scratchpad.saliency.look import Box, look
from scratchpad.saliency.stages import Stage, mapped, of_answer, of_page
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.retrieval import Retriever, page_inputs


class Subject(Protocol):
    """A model under test."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def sae(self) -> Sae | None: ...
    @property
    def methods(self) -> Iterable[str]: ...
    @property
    def image_processor(self) -> Any: ...
    @property
    def usual(self) -> str:
        """The method that pages weigh or show by."""
        ...

    @property
    def swept(self) -> tuple[str, ...]:
        """The methods that a sweep takes where none is named."""
        ...

    def asked(self, dataset: str, needle: str, prompt: str | None) -> str: ...
    def grid(self, size: tuple[int, int]) -> Grid: ...
    def maps(
        self, wanted: Sequence[str], picture: Image.Image, text: str, word: str, cells: Sequence[Box], cell_of: np.ndarray, seed: int
    ) -> dict[str, np.ndarray]: ...
    def stages(self, picture: Image.Image, text: str, word: str) -> list[Stage]:
        """How a picture becomes this model's usual map."""
        ...


@dataclass(frozen=True)
class Answering:
    """A VLM that answers a question about the needle."""

    vlm: Vlm = field(repr=False)
    sae: Sae | None = field(default=None, repr=False)
    methods = tuple(methods.METHODS)
    usual = "attention"
    swept = ("attention", "rollout", "relevancy", "gradient-input", "occlusion", *BASELINES)

    @property
    def name(self) -> str:
        return self.vlm.name

    @property
    def identity(self) -> str:
        return self.vlm.identity

    @property
    def image_processor(self) -> Any:
        processor: Any = self.vlm.processor
        return processor.image_processor

    def asked(self, dataset: str, needle: str, prompt: str | None) -> str:
        text = prompt or ("where is the {needle} square" if dataset == "patch" else "where is the word {needle}")
        return text.replace("{needle}", needle.lower() if dataset == "patch" else needle)

    def grid(self, size: tuple[int, int]) -> Grid:
        return prepare(self.vlm, _white(size), "where").grid

    def maps(
        self, wanted: Sequence[str], picture: Image.Image, text: str, word: str, cells: Sequence[Box], cell_of: np.ndarray, seed: int
    ) -> dict[str, np.ndarray]:
        layer = self.sae.layer if self.sae else self.vlm.read_layer
        with self.vlm.lock:
            seen = look(self.vlm, picture, text, layer, word, self.sae, cells, cell_of, seed)
            return {name: methods.METHODS[name](seen) for name in wanted}

    def stages(self, picture: Image.Image, text: str, word: str) -> list[Stage]:
        with self.vlm.lock:
            seen = look(self.vlm, picture, text, self.vlm.read_layer, word)
            steps = of_answer(self.vlm, [picture], seen.prepared, seen.run)
            return [*steps, mapped(methods.attention(seen), seen.grid, f"attention from {word!r}, mean over heads and layers")]


@dataclass(frozen=True)
class Retrieving:
    """A late-interaction model that is given the needle as its query."""

    retriever: Retriever = field(repr=False)
    sae: Sae | None = None
    methods = tuple(late.METHODS)
    usual = "cosine"
    swept = ("cosine", "cosine-max", "gradient-input", "occlusion", *BASELINES)

    @property
    def name(self) -> str:
        return self.retriever.name

    @property
    def identity(self) -> str:
        return self.retriever.identity

    @property
    def image_processor(self) -> Any:
        processor: Any = self.retriever.processor
        return processor.image_processor

    def asked(self, dataset: str, needle: str, prompt: str | None) -> str:
        return (prompt or "{needle}").replace("{needle}", needle)

    def grid(self, size: tuple[int, int]) -> Grid:
        return page_inputs(self.retriever, _white(size))[1]

    def maps(
        self, wanted: Sequence[str], picture: Image.Image, text: str, word: str, cells: Sequence[Box], cell_of: np.ndarray, seed: int
    ) -> dict[str, np.ndarray]:
        seen = late.page_look(self.retriever, picture, text, cells, cell_of, seed)
        return {name: late.METHODS[name](seen) for name in wanted}

    def stages(self, picture: Image.Image, text: str, word: str) -> list[Stage]:
        seen = late.page_look(self.retriever, picture, text)
        return [*of_page(self.retriever, picture, seen.page), mapped(late.cosine(seen), seen.grid, f"cosine with {text!r}")]


def _white(size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", (size[1], size[0]), (255, 255, 255))
