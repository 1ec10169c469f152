"""Late-interaction retrieval models (ColPali, ColQwen2, ColModernVBERT): pages and queries as one vector a token.

In: a folder or hub id, a picture, a query. Out: `Page` and `Query`. A page's score is MaxSim: the sum over query tokens of
the largest cosine with any of its vectors. Knows nothing of saliency. Geometry is that of the family underneath.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor
from transformers import (
    ColModernVBertForRetrieval,
    ColPaliForRetrieval,
    ColQwen2ForRetrieval,
    PreTrainedConfig,
    PreTrainedModel,
)

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.vlm import checkpoint
from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.families.gemma import PaliGemma
from scratchpad.vlm.families.idefics import ModernVBert
from scratchpad.vlm.families.qwen import Qwen2VL
from scratchpad.vlm.loaded import Loaded, Recipe
from scratchpad.vlm.protocols import Processor, RetrievalProcessor

CLASSES: dict[str, tuple[type[PreTrainedModel], type[Adapter]]] = {
    "colpali": (ColPaliForRetrieval, PaliGemma),
    "colqwen2": (ColQwen2ForRetrieval, Qwen2VL),
    "colmodernvbert": (ColModernVBertForRetrieval, ModernVBert),
}
Part = Literal["prefix", "query", "augmentation"]


@dataclass(frozen=True)
class Retriever(Loaded):
    """A loaded retrieval model; its adapter is that of the VLM underneath."""

    @classmethod
    def recipe(cls, source: str | Path, config: PreTrainedConfig, how: Placement) -> Recipe:
        """How such a checkpoint is loaded.

        Raises:
            UserError: it is of none of CLASSES.
        """
        if config.model_type not in CLASSES:
            raise UserError(f"{source} is of type {config.model_type!r}; expected a retrieval model: {', '.join(CLASSES)}.")
        return Recipe(CLASSES[config.model_type][0], {}, pan_and_scan=False)

    @classmethod
    def adapted(cls, model: PreTrainedModel, processor: Processor) -> Adapter:
        """The adapter of the VLM underneath."""
        return CLASSES[model.config.model_type][1](model, processor)

    @property
    def prompts(self) -> RetrievalProcessor:
        """The processor, as what makes queries and pages."""
        return cast(RetrievalProcessor, self.processor)


@dataclass(frozen=True)
class QueryToken:
    """One token of a query as the model takes it in, with where it comes from."""

    id: int
    text: str
    part: Part


@dataclass(frozen=True)
class Query:
    """t tokens, e wide; vectors of length one."""

    text: str
    tokens: tuple[QueryToken, ...]
    embeddings: Float[np.ndarray, "t e"] = field(repr=False)

    @property
    def own(self) -> list[int]:
        """Indices of the tokens that the user wrote."""
        return [i for i, token in enumerate(self.tokens) if token.part == "query"]


@dataclass(frozen=True)
class Page:
    """s tokens, v of them of the image; `grid` says where those are."""

    grid: Grid
    embeddings: Float[np.ndarray, "s e"] = field(repr=False)
    image: Int[np.ndarray, " v"] = field(repr=False)  # which tokens are the image's

    @property
    def of_image(self) -> Float[np.ndarray, "v e"]:
        """The vectors of the image's tokens."""
        return np.asarray(self.embeddings[self.image])


def is_retriever(source: str | Path) -> bool:
    """Whether a folder or hub id holds a retrieval model; False where that can't be read."""
    try:
        return checkpoint.configuration(source).model_type in CLASSES
    except (UserError, OSError, ValueError, KeyError):
        return False


def load_retriever(source: str | Path, placement: Placement | None = None) -> Retriever:
    """Loads a retrieval model with its processor: see `Loaded.load`.

    Raises:
        UserError: as `load_vlm`; or it is of another type.
    """
    return Retriever.load(source, placement)


def query_of(retriever: Retriever, text: str) -> Query:
    """A query's vectors. Its tokens are those of `input_ids`, told apart by where the processor put the user's words.

    Raises:
        UserError: it is empty, or contains one of the model's control tokens.
    """
    text = text.strip() if isinstance(text, str) else ""
    if not text:
        raise UserError("No query was given; expected some words to look for.")
    processor = retriever.prompts
    for token in processor.tokenizer.all_special_tokens:
        if token in text:
            raise UserError(f"The query contains {token!r}, which {retriever.name} uses as a control token: leave it out.")
    batch = processor.process_queries(text=[text], return_offsets_mapping=True)
    offsets = batch.pop("offset_mapping")[0].tolist()
    ids = batch["input_ids"][0].tolist()
    begin = _prefix(processor)
    tokens = tuple(
        QueryToken(i, processor.tokenizer.decode([i]), _part(a, b, begin, begin + len(text)))
        for i, (a, b) in zip(ids, offsets, strict=True)
    )
    return Query(text, tokens, _vectors(retriever, retriever.adapter.device_inputs(batch)))


def _prefix(processor: RetrievalProcessor) -> int:
    """How many characters a processor writes before the user's words."""
    bos = processor.tokenizer.bos_token if type(processor).__name__.startswith("ColPali") else ""
    return len(f"{bos}{processor.query_prefix}")


def _part(start: int, stop: int, begin: int, end: int) -> Part:
    """`start` and `stop` are a token's characters, `begin` and `end` those of the user's words."""
    if stop <= begin:
        return "prefix"
    return "query" if start < end else "augmentation"


def page_of(retriever: Retriever, picture: Image.Image) -> Page:
    """A picture's vectors."""
    inputs, grid = page_inputs(retriever, picture)
    return Page(grid, _vectors(retriever, inputs), image_positions(retriever, inputs))


@torch.inference_mode()
def _vectors(retriever: Retriever, inputs: Mapping[str, Tensor]) -> Float[np.ndarray, "s e"]:
    """What the model makes of a query or a page: a vector of length one for every token."""
    vectors: Tensor = retriever.model(**inputs)["embeddings"][0]
    return vectors.float().cpu().numpy()


def page_inputs(retriever: Retriever, picture: Image.Image) -> tuple[dict[str, Tensor], Grid]:
    """What the model takes in for a picture, and the picture's geometry."""
    process = retriever.prompts.process_images
    batch = process(images=[picture])
    grid = retriever.layout(((picture.height, picture.width),), batch, lambda ramps: process(images=ramps)).grid
    inputs = retriever.adapter.device_inputs(batch)
    count = len(image_positions(retriever, inputs))
    assert count == grid.image_tokens, f"{retriever.name} makes {count} image tokens, its adapter declares {grid.image_tokens}"
    return inputs, grid


def image_positions(retriever: Retriever, inputs: Mapping[str, Tensor]) -> Int[np.ndarray, " v"]:
    """Which tokens of a page are the image's."""
    return np.flatnonzero(inputs["input_ids"][0].cpu().numpy() == retriever.adapter.image_token)


def similarity(query: Query, page: Page) -> Float[np.ndarray, "t v"]:
    """The cosine of every query token with every image token."""
    return np.asarray(query.embeddings @ page.of_image.T)


def score(query: Query, page: Page) -> float:
    """MaxSim over all tokens of both, as `score_retrieval` of the model's own processor."""
    return float((query.embeddings @ page.embeddings.T).max(1).sum())
