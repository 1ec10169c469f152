"""What is asked of transformers' processors, whose own types say nothing of it: the only place where that is written down.

`typed` is the one cast; behind it, a misspelt attribute of a processor or tokenizer is an error of mypy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from PIL import Image
from torch import Tensor
from transformers import ProcessorMixin

Sizes = Sequence[tuple[int, int]]  # (h, w) in pixels of every original image
Process = Callable[[list[Image.Image]], Mapping[str, Tensor]]  # pictures -> what the model takes in for them


class Tokenizer(Protocol):
    """A tokenizer as this package uses it."""

    @property
    def all_special_tokens(self) -> list[str]: ...
    @property
    def bos_token(self) -> str: ...
    @property
    def unk_token_id(self) -> int | None: ...
    def __call__(self, text: str, *, add_special_tokens: bool) -> Mapping[str, list[int]]: ...
    def decode(self, token_ids: list[int], *, skip_special_tokens: bool = False) -> str: ...


class ImageProcessor(Protocol):
    """An image processor as this package uses it."""

    @property
    def image_mean(self) -> Sequence[float]: ...
    @property
    def image_std(self) -> Sequence[float]: ...
    @property
    def rescale_factor(self) -> float: ...


class PatchRows(ImageProcessor, Protocol):
    """An image processor that hands out one row of values a patch, blocks of merge_size x merge_size patches in turn."""

    @property
    def merge_size(self) -> int: ...
    @property
    def patch_size(self) -> int: ...


class Batch(Protocol):
    """What a processor returns for pictures and text, before its lists are made tensors."""

    def pop(self, key: str) -> list[Any]: ...
    def __contains__(self, key: str) -> bool: ...
    def convert_to_tensors(self, tensor_type: str) -> Mapping[str, Tensor]: ...


class Processor(Protocol):
    """A VLM's processor as this package uses it."""

    def __call__(
        self, *, images: list[Image.Image], text: list[str], return_offsets_mapping: bool, return_text_replacement_offsets: bool
    ) -> Batch: ...

    @property
    def tokenizer(self) -> Tokenizer: ...
    @property
    def image_processor(self) -> ImageProcessor: ...
    @property
    def image_token(self) -> str: ...
    @property
    def chat_template(self) -> str | None: ...
    def apply_chat_template(self, conversation: list[dict[str, object]], *, add_generation_prompt: bool, tokenize: bool) -> str: ...


class RetrievalProcessor(Processor, Protocol):
    """A late-interaction retrieval model's processor."""

    @property
    def query_prefix(self) -> str: ...
    def process_images(self, images: list[Image.Image]) -> Mapping[str, Tensor]: ...
    def process_queries(self, text: list[str], *, return_offsets_mapping: bool) -> dict[str, Tensor]: ...


def typed(processor: ProcessorMixin) -> Processor:
    """The same object, as what it is."""
    return cast(Processor, processor)
