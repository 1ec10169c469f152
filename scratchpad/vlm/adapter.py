"""What the house must know of a family of models, and nothing more.

To add a family: subclass `Adapter` in `families/`, name its `model_types`, say where the vision blocks are, which of them
the language model reads, how many patches a tile has and which of them every image token is made of; add it to `FAMILIES`,
add a tiny model to tests/vlm/tiny.py. The tests in tests/vlm check the rest against the model itself.
Where tiles lie in the image is measured (`ramps`), not declared; Qwen's one tile is the whole image, whatever its shape.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from torch import Tensor, nn
from transformers import PreTrainedModel

from scratchpad.grid import Grid, Tile, stacked
from scratchpad.vlm.protocols import Processor, Sizes
from scratchpad.vlm.ramps import tile_of

Ahead = Literal["nothing", "image", "prompt"]


@dataclass(frozen=True)
class Layout:
    """Where everything is in one run's images."""

    grid: Grid
    order: Int[np.ndarray, " p"] | None = field(default=None, repr=False)  # encoder row i is patch order[i] of the grid; None: they agree


@dataclass(frozen=True)
class Shown:
    """What the processor made of the images, and of ramps of the same sizes."""

    sizes: Sizes
    inputs: Mapping[str, Tensor]
    ramps: Float[Tensor, ...]  # as inputs["pixel_values"], in 0 .. 255


class Adapter(ABC):
    """One model, as its family is built. What it says never changes, so it's worked out once.

    Args:
        model: a VLM, or a retrieval model that holds one.
        processor: its own.
    """

    family: str
    model_types: tuple[str, ...]
    bare_prompt: bool = False  # whether the family is asked without a chat template
    sees_ahead: Ahead = "nothing"  # which later tokens a token sees: of its image, of the prompt
    packed: bool = False  # whether a block holds all images of a batch in one row, under a batch axis of 1
    answer_type: int = 0  # token type of an answer's tokens, in families that have types: that of plain text

    def __init__(self, model: PreTrainedModel, processor: Processor):
        whole: Any = model  # transformers types neither configurations nor the parts of a model
        self.model, self.processor = model, processor
        self.config: Any = getattr(whole.config, "vlm_config", whole.config)
        self.body: Any = next(part for part in (getattr(whole, "vlm", None), getattr(whole, "model", None), whole) if part is not None)

    @property
    @abstractmethod
    def tower(self) -> nn.Module:
        """The vision encoder."""

    @property
    @abstractmethod
    def blocks(self) -> Sequence[nn.Module]:
        """The vision encoder's blocks, in order."""

    @abstractmethod
    def layout(self, shown: Shown) -> Layout:
        """The geometry of a run's images.

        Raises:
            UserError: the processor is set up so that it can't be known.
        """

    @cached_property
    def steps(self) -> tuple[nn.Module, ...]:
        """What is done to each tile alone before and behind the blocks: patch embedding, projector, where they stand under usual names."""
        before = getattr(self.tower, "embeddings", None)
        behind = getattr(self.body, "multi_modal_projector", None) or getattr(self.body, "connector", None)
        return tuple(step for step in (before, behind) if step is not None)

    @property
    def read_layers(self) -> tuple[int, ...]:
        """Indices of the blocks whose output the language model reads, ascending; by default the last alone."""
        return (len(self.blocks) - 1,)

    @property
    def leading_tokens(self) -> int:
        """How many vectors of a block's output come before the patches (1 with a class token)."""
        return 0

    @property
    def width(self) -> int:
        """Dimensions of a patch's activation, d."""
        return int(self.config.vision_config.hidden_size)

    @property
    def language_model(self) -> nn.Module:
        """The module that takes the merged embeddings."""
        part: nn.Module = self.body.text_model if hasattr(self.body, "text_model") else self.body.language_model
        return part

    @cached_property
    def language_blocks(self) -> Sequence[nn.Module]:
        """The language model's blocks, in order: the first list of as many modules as its configuration says it has layers."""
        count = int(self.config.get_text_config().num_hidden_layers)
        lists = (part for part in self.language_model.modules() if isinstance(part, nn.ModuleList) and len(part) == count)
        return list(next(lists, ()))

    @property
    def inserted(self) -> int:
        """How many characters the processor puts between the last image and the text, beside the chat template's."""
        return 0

    @property
    def image_token(self) -> int:
        """The id of the token that stands for a piece of an image."""
        return int(getattr(self.config, "image_token_id", None) or self.config.image_token_index)

    @property
    def device(self) -> torch.device:
        """Where a model takes its inputs: where its first weights are that aren't offloaded."""
        return next((part.device for part in self.model.parameters() if part.device.type != "meta"), torch.device("cpu"))

    @property
    def last_useful(self) -> int:
        """The last block whose output can have an effect."""
        return max(self.read_layers)

    def device_inputs(self, batch: Mapping[str, object], unread: tuple[str, ...] = ("labels",)) -> dict[str, Tensor]:
        """A processor's tensors on the model's device, pixels in its precision; what only training reads is left out."""
        inputs = {k: v.to(self.device) for k, v in batch.items() if isinstance(v, torch.Tensor) and k not in unread}
        if "pixel_values" in inputs:
            inputs["pixel_values"] = inputs["pixel_values"].to(self.model.dtype)
        return inputs


def measured_tiles(ramps: Float[Tensor, "n 3 y x"], sizes: Sizes, patch: int) -> tuple[Tile, ...]:
    """The tiles that aren't padding, in the encoder's order, each with its box and image.

    Args:
        ramps: what the processor made of `ramps.ramp`s, in 0 .. 255.
        patch: side of a patch in pixels of a tile.
    """
    rows, cols = (int(side) // patch for side in ramps.shape[-2:])
    boxes = [tile_of(pixels, sizes) for pixels in ramps]
    return tuple(Tile(box, rows, cols, image) for box, image in (entry for entry in boxes if entry))


def layout_of(sizes: Sizes, tiles: Sequence[Tile], matrices: Sequence[sparse.csr_matrix]) -> Layout:
    """A layout whose encoder rows are in the grid's order. `matrices` (each v x p) follow one another down the diagonal."""
    return Layout(Grid(tuple(sizes), tuple(tiles), stacked(list(matrices))))


def encoder_layers_read(layers: int | Sequence[int], count: int) -> tuple[int, ...]:
    """Blocks behind `vision_feature_layer`: hidden state 0 is the embedding, hidden state i + 1 the output of block i.

    Args:
        count: how many blocks there are.
    """
    states = [layer % (count + 1) for layer in ([layers] if isinstance(layers, int) else layers)]
    return tuple(sorted(state - 1 for state in states if state))
