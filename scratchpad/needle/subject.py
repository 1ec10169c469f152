"""What the benchmark asks of a model, the same of one that answers and of one that retrieves.

In: a loaded model. Out: its geometry at a size, its maps of a picture. To make another kind testable, write one class more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float
from PIL import Image

from scratchpad.grid import Grid
from scratchpad.sae.load import Sae
from scratchpad.saliency import late, methods
from scratchpad.saliency.baselines import BASELINES, Map
from scratchpad.saliency.look import look
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.saliency.stages import Stage, mapped, of_answer, of_page
from scratchpad.vlm.forcing import force_each
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.protocols import ImageProcessor
from scratchpad.vlm.retrieval import Retriever, page_inputs, page_of, query_of, score
from scratchpad.vlm.run import generate
from scratchpad.vlm.shuffled import shuffled


class Subject(Protocol):
    """A model under test."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    @property
    def identity(self) -> str:
        """The hash by which a model is told from others."""
        ...

    @property
    def sae(self) -> Sae | None:
        """What methods read concepts by, where they do."""
        ...

    @property
    def methods(self) -> Iterable[str]:
        """The methods that models of this kind have."""
        ...

    @property
    def image_processor(self) -> ImageProcessor:
        """What makes pixel values of a picture."""
        ...

    @property
    def usual(self) -> str:
        """The method that pages weigh or show by."""
        ...

    @property
    def swept(self) -> tuple[str, ...]:
        """The methods that a sweep takes where none is named."""
        ...

    def asked(self, dataset: str, needle: str, prompt: str | None) -> str:
        """What this model is asked, `{needle}` in `prompt` standing for the word."""
        ...

    def grid(self, size: tuple[int, int]) -> Grid:
        """The geometry of pictures of (h, w) pixels."""
        ...

    def maps(self, wanted: Sequence[str], request: SaliencyRequest) -> dict[str, Map]:
        """Each method's map of the request's picture."""
        ...

    def stages(self, request: SaliencyRequest) -> list[Stage]:
        """How a picture becomes this model's usual map."""
        ...

    def scores(self, request: SaliencyRequest, pictures: Sequence[Image.Image]) -> Float[np.ndarray, " n"]:
        """How likely what the model says of the request's picture is of each of several pictures of that size; see the kind."""
        ...

    def shuffled(self) -> AbstractContextManager[None]:
        """A block in which the language model's weights are shuffled."""
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
        """What the VLM is called."""
        return self.vlm.name

    @property
    def identity(self) -> str:
        """The VLM's hash."""
        return self.vlm.identity

    @property
    def image_processor(self) -> ImageProcessor:
        """What makes pixel values of a picture."""
        return self.vlm.processor.image_processor

    def asked(self, dataset: str, needle: str, prompt: str | None) -> str:
        """Where the needle is; `{needle}` in a prompt stands for the word, for a patch in lower case."""
        asks = {"patch": "where is the {needle} square", "symbols": "where is the {needle}"}
        text = prompt or asks.get(dataset, "where is the word {needle}")
        return text.replace("{needle}", needle.lower() if dataset == "patch" else needle)

    def grid(self, size: tuple[int, int]) -> Grid:
        """The geometry of pictures of (h, w) pixels."""
        return prepare(self.vlm, _white(size), "where").grid

    def maps(self, wanted: Sequence[str], request: SaliencyRequest) -> dict[str, Map]:
        """Each method's map, one value per image token, of one run at the SAE's point."""
        at = self.sae.at if self.sae else self.vlm.read_point
        with self.vlm.lock:
            looked = look(self.vlm, request, at, self.sae)
            return {name: methods.METHODS[name](looked) for name in wanted}

    def stages(self, request: SaliencyRequest) -> list[Stage]:
        """From the file to the attention map."""
        with self.vlm.lock:
            looked = look(self.vlm, request, self.vlm.read_point)
            steps = of_answer(self.vlm, [request.picture], looked.prepared, looked.run)
            says = f"attention from {request.word!r}, mean over heads and layers"
            return [*steps, mapped(methods.attention(looked), looked.grid, says)]

    def scores(self, request: SaliencyRequest, pictures: Sequence[Image.Image]) -> Float[np.ndarray, " n"]:
        """The probability of the greedy answer to the request's picture."""
        with self.vlm.lock:
            said = generate(self.vlm, prepare(self.vlm, request.picture, request.text), request.max_new_tokens)
            prompts = [prepare(self.vlm, picture, request.text) for picture in pictures]
            chances: np.ndarray = np.exp(force_each(self.vlm, prompts, said.ids))
            return chances

    def shuffled(self) -> AbstractContextManager[None]:
        """As `vlm.shuffled`."""
        return shuffled(self.vlm)


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
        """What the retrieval model is called."""
        return self.retriever.name

    @property
    def identity(self) -> str:
        """The retrieval model's hash."""
        return self.retriever.identity

    @property
    def image_processor(self) -> ImageProcessor:
        """What makes pixel values of a picture."""
        return self.retriever.processor.image_processor

    def asked(self, dataset: str, needle: str, prompt: str | None) -> str:
        """The query: the word itself, or a prompt in which `{needle}` stands for it."""
        return (prompt or "{needle}").replace("{needle}", needle)

    def grid(self, size: tuple[int, int]) -> Grid:
        """The geometry of pages of (h, w) pixels."""
        return page_inputs(self.retriever, _white(size))[1]

    def maps(self, wanted: Sequence[str], request: SaliencyRequest) -> dict[str, Map]:
        """Each method's map, one value per image token, of one page and query."""
        looked = late.page_look(self.retriever, request)
        return {name: late.METHODS[name](looked) for name in wanted}

    def stages(self, request: SaliencyRequest) -> list[Stage]:
        """From the file to the map of cosines."""
        looked = late.page_look(self.retriever, request)
        steps = of_page(self.retriever, request.picture, looked.page)
        return [*steps, mapped(late.cosine(looked), looked.grid, f"cosine with {request.text!r}")]

    def scores(self, request: SaliencyRequest, pictures: Sequence[Image.Image]) -> Float[np.ndarray, " n"]:
        """The MaxSim score of the request's query."""
        query = query_of(self.retriever, request.text)
        return np.array([score(query, page_of(self.retriever, picture)) for picture in pictures])

    def shuffled(self) -> AbstractContextManager[None]:
        """As `vlm.shuffled`."""
        return shuffled(self.retriever)


def _white(size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", (size[1], size[0]), (255, 255, 255))
