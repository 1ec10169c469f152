"""Late-interaction retrieval models (ColPali, ColQwen2, ColModernVBERT): pages and queries as one vector a token.

In: a folder or hub id, a picture, a query. Out: `Page` and `Query`. A page's score is MaxSim: the sum over query tokens of
the largest cosine with any of its vectors. Knows nothing of saliency. Geometry is that of the family underneath.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from transformers import (
    ColModernVBertForRetrieval,
    ColPaliForRetrieval,
    ColQwen2ForRetrieval,
    PreTrainedModel,
    ProcessorMixin,
)

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.vlm import checkpoint
from scratchpad.vlm.adapter import Adapter, Seen
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.families.gemma import PaliGemma
from scratchpad.vlm.families.idefics import ModernVBert
from scratchpad.vlm.families.qwen import Qwen2VL
from scratchpad.vlm.processor import load_processor
from scratchpad.vlm.ramps import ramp, unnormalised

CLASSES: dict[str, tuple[Any, type[Adapter]]] = {
    "colpali": (ColPaliForRetrieval, PaliGemma),
    "colqwen2": (ColQwen2ForRetrieval, Qwen2VL),
    "colmodernvbert": (ColModernVBertForRetrieval, ModernVBert),
}
Part = Literal["prefix", "query", "augmentation"]


@dataclass(frozen=True)
class Retriever:
    """A loaded retrieval model."""

    name: str
    identity: str
    model: PreTrainedModel = field(repr=False)
    processor: ProcessorMixin = field(repr=False)
    adapter: Adapter = field(repr=False)
    own_world: str | None = None
    layouts: dict[Any, Grid] = field(default_factory=dict, repr=False, compare=False)  # by image size: `page_inputs` fills it

    @property
    def inner(self) -> PreTrainedModel:
        """The VLM underneath, in the shape adapters ask for."""
        whole: Any = self.model
        shape: Any = SimpleNamespace(config=whole.config.vlm_config, model=whole.vlm)
        return shape


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
    image: np.ndarray = field(repr=False)  # int[v]: which tokens are the image's

    @property
    def of_image(self) -> Float[np.ndarray, "v e"]:
        return self.embeddings[self.image]


def is_retriever(source: str | Path) -> bool:
    """Whether a folder or hub id holds a retrieval model; False where that can't be read."""
    try:
        return checkpoint.configuration(source).model_type in CLASSES
    except (UserError, OSError, ValueError, KeyError):
        return False


def load_retriever(source: str | Path, placement: Placement | None = None) -> Retriever:
    """Loads a retrieval model with its processor.

    Raises:
        UserError: as `load_vlm`; or it is of another type.
    """
    how = placement or Placement()
    folder = Path(source)
    if folder.is_dir():
        checkpoint.check_folder(folder)
    config = checkpoint.attempt(source, "configuration", lambda: checkpoint.configuration(source))
    if config.model_type not in CLASSES:
        raise UserError(f"{source} is of type {config.model_type!r}; expected a retrieval model: {', '.join(CLASSES)}.")
    kind, adapter = CLASSES[config.model_type]
    options = checkpoint.load_options(source, config, how)
    processor = checkpoint.attempt(source, "processor", lambda: load_processor(source, config))
    model = checkpoint.load_weights(source, kind, how, options)
    return Retriever(checkpoint.name_of(source), checkpoint.identity_of(model), model, processor, adapter(), checkpoint.own_world(folder))


def query_of(retriever: Retriever, text: str) -> Query:
    """A query's vectors. Its tokens are those of `input_ids`, told apart by where the processor put the user's words.

    Raises:
        UserError: it is empty, or contains one of the model's control tokens.
    """
    text = text.strip() if isinstance(text, str) else ""
    if not text:
        raise UserError("No query was given; expected some words to look for.")
    processor: Any = retriever.processor
    for token in processor.tokenizer.all_special_tokens:
        if token in text:
            raise UserError(f"The query contains {token!r}, which {retriever.name} uses as a control token: leave it out.")
    batch = processor.process_queries(text=[text], return_offsets_mapping=True)
    offsets = batch.pop("offset_mapping")[0].tolist()
    ids = batch["input_ids"][0].tolist()
    begin = _prefix(processor)
    tokens = tuple(
        QueryToken(i, str(processor.tokenizer.decode([i])), _part(a, b, begin, begin + len(text)))
        for i, (a, b) in zip(ids, offsets, strict=True)
    )
    with torch.inference_mode():
        found = retriever.model(**on_device(retriever, batch))["embeddings"][0]
    return Query(text, tokens, found.float().cpu().numpy())


def _prefix(processor: Any) -> int:
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
    batch, grid = page_inputs(retriever, picture)
    with torch.inference_mode():
        found = retriever.model(**batch)["embeddings"][0]
    return Page(grid, found.float().cpu().numpy(), image_positions(retriever, batch))


def page_inputs(retriever: Retriever, picture: Image.Image) -> tuple[dict[str, Tensor], Grid]:
    """What the model takes in for a picture, and the picture's geometry."""
    processor: Any = retriever.processor
    batch = processor.process_images(images=[picture])
    size = (picture.height, picture.width)
    if size not in retriever.layouts:
        shown = processor.process_images(images=[ramp(size)])["pixel_values"]
        ramps = shown if shown.ndim < 4 else unnormalised(shown, processor.image_processor)
        layout = retriever.adapter.layout(retriever.inner, retriever.processor, Seen((size,), batch, ramps))
        retriever.layouts[size] = layout.grid
    grid = retriever.layouts[size]
    inputs = on_device(retriever, batch)
    seen = len(image_positions(retriever, inputs))
    assert seen == grid.image_tokens, f"{retriever.name} makes {seen} image tokens, its adapter declares {grid.image_tokens}"
    return inputs, grid


def image_positions(retriever: Retriever, inputs: dict[str, Tensor]) -> np.ndarray:
    return np.flatnonzero(inputs["input_ids"][0].cpu().numpy() == retriever.adapter.image_token(retriever.inner))


def similarity(query: Query, page: Page) -> Float[np.ndarray, "t v"]:
    """The cosine of every query token with every image token."""
    return query.embeddings @ page.of_image.T


def score(query: Query, page: Page) -> float:
    """MaxSim over all tokens of both, as `score_retrieval` of the model's own processor."""
    return float((query.embeddings @ page.embeddings.T).max(1).sum())


def on_device(retriever: Retriever, batch: Any) -> dict[str, Tensor]:
    """A processor's batch as the model takes it in."""
    inputs = {k: v.to(retriever.model.device) for k, v in batch.items() if isinstance(v, Tensor) and k != "labels"}
    if "pixel_values" in inputs:
        inputs["pixel_values"] = inputs["pixel_values"].to(retriever.model.dtype)
    return inputs
