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
    def all_special_tokens(self) -> list[str]:
        """Tokens that stand for no text."""
        ...

    @property
    def bos_token(self) -> str:
        """What a text begins with."""
        ...

    @property
    def unk_token_id(self) -> int | None:
        """The id of what it has no token for; None where it has a token for everything."""
        ...

    @property
    def chat_template(self) -> str | None:
        """How turns of text are written down, where a checkpoint keeps that beside its tokenizer."""
        ...

    def apply_chat_template(self, conversation: list[dict[str, object]], *, add_generation_prompt: bool, tokenize: bool) -> str:
        """A conversation of text alone, written down."""
        ...

    def __call__(self, text: str, *, add_special_tokens: bool) -> Mapping[str, list[int]]: ...
    def decode(self, token_ids: list[int], *, skip_special_tokens: bool = False) -> str:
        """Ids as text."""
        ...


class ImageProcessor(Protocol):
    """An image processor as this package uses it."""

    @property
    def image_mean(self) -> Sequence[float]:
        """What is taken off each channel, of values in 0 .. 1."""
        ...

    @property
    def image_std(self) -> Sequence[float]:
        """What each channel is then divided by."""
        ...

    @property
    def rescale_factor(self) -> float:
        """What values in 0 .. 255 are multiplied by first."""
        ...


class PatchRows(ImageProcessor, Protocol):
    """An image processor that hands out one row of values a patch, blocks of merge_size x merge_size patches in turn."""

    @property
    def merge_size(self) -> int:
        """Side of a block of patches."""
        ...

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels."""
        ...


class Batch(Protocol):
    """What a processor returns for pictures and text, before its lists are made tensors."""

    def pop(self, key: str) -> list[Any]:
        """An entry, which is taken out."""
        ...

    def __contains__(self, key: str) -> bool: ...
    def convert_to_tensors(self, tensor_type: str) -> Mapping[str, Tensor]:
        """The rest, as tensors; `pt` for torch."""
        ...


class Processor(Protocol):
    """A VLM's processor as this package uses it."""

    def __call__(
        self, *, images: list[Image.Image], text: list[str], return_offsets_mapping: bool, return_text_replacement_offsets: bool
    ) -> Batch: ...

    @property
    def tokenizer(self) -> Tokenizer:
        """What makes ids of text."""
        ...

    @property
    def image_processor(self) -> ImageProcessor:
        """What makes pixel values of pictures."""
        ...

    @property
    def image_token(self) -> str:
        """What stands for a piece of an image in text."""
        ...

    @property
    def chat_template(self) -> str | None:
        """How turns are written down; None where the model takes plain text."""
        ...

    def apply_chat_template(self, conversation: list[dict[str, object]], *, add_generation_prompt: bool, tokenize: bool) -> str:
        """A conversation as the text that the model was trained on."""
        ...


class RetrievalProcessor(Processor, Protocol):
    """A late-interaction retrieval model's processor."""

    @property
    def query_prefix(self) -> str:
        """What is put before every query."""
        ...

    def process_images(self, images: list[Image.Image]) -> Mapping[str, Tensor]:
        """What the model takes in for pages."""
        ...

    def process_queries(self, text: list[str], *, return_offsets_mapping: bool) -> dict[str, Tensor]:
        """What the model takes in for queries."""
        ...


def typed(processor: ProcessorMixin) -> Processor:
    """The same object, as what it is."""
    return cast(Processor, processor)
