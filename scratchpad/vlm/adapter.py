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
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from torch import Tensor, nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.grid import Grid, Tile, stacked
from scratchpad.vlm.ramps import tile_of

Ahead = Literal["nothing", "image", "prompt"]
Sizes = Sequence[tuple[int, int]]  # (h, w) of every original image


@dataclass(frozen=True)
class Layout:
    """Where everything is in one run's images."""

    grid: Grid
    order: Int[np.ndarray, " p"] | None = field(default=None, repr=False)  # encoder row i is patch order[i] of the grid; None: they agree


@dataclass(frozen=True)
class Seen:
    """What the processor made of the images, and of ramps of the same sizes."""

    sizes: Sizes
    inputs: Mapping[str, Tensor]
    ramps: Float[Tensor, ...]  # as inputs["pixel_values"], in 0 .. 255


class Adapter(ABC):
    """One family. Holds no state: everything is asked of the model and processor it's handed."""

    family: str
    model_types: tuple[str, ...]
    bare_prompt = False  # whether the family is asked without a chat template
    sees_ahead: Ahead = "nothing"  # which later tokens a token sees: of its image, of the prompt

    @abstractmethod
    def tower(self, model: PreTrainedModel) -> nn.Module:
        """The vision encoder."""

    @abstractmethod
    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        """The vision encoder's blocks, in order."""

    @abstractmethod
    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        """The geometry of a run's images."""

    def steps(self, model: PreTrainedModel) -> tuple[nn.Module, ...]:
        """What is done to each tile alone before and behind the blocks: patch embedding, projector, where they stand under usual names."""
        inner: Any = model.model
        before = getattr(self.tower(model), "embeddings", None)
        behind = getattr(inner, "multi_modal_projector", None) or getattr(inner, "connector", None)
        return tuple(step for step in (before, behind) if step is not None)

    def read_layers(self, model: PreTrainedModel) -> tuple[int, ...]:
        """Indices of the blocks whose output the language model reads, ascending; by default the last alone."""
        return (len(self.blocks(model)) - 1,)

    def leading_tokens(self, model: PreTrainedModel) -> int:
        """How many vectors of a block's output come before the patches (1 with a class token)."""
        return 0

    def width(self, model: PreTrainedModel) -> int:
        return int(model.config.vision_config.hidden_size)

    def language_model(self, model: PreTrainedModel) -> nn.Module:
        """The module that takes the merged embeddings."""
        inner: Any = model.model
        return inner.text_model if hasattr(inner, "text_model") else inner.language_model

    def inserted(self, processor: ProcessorMixin) -> int:
        """How many characters the processor puts between the last image and the text, beside the chat template's."""
        return 0

    def image_token(self, model: PreTrainedModel) -> int:
        config: Any = model.config
        return int(getattr(config, "image_token_id", None) or config.image_token_index)

    def last_useful(self, model: PreTrainedModel) -> int:
        """The last block whose output can have an effect."""
        return max(self.read_layers(model))


def measured_tiles(ramps: Float[Tensor, "n 3 y x"], sizes: Sizes, patch: int) -> tuple[Tile, ...]:
    """The tiles that aren't padding, in the encoder's order, each with its box and image."""
    rows, cols = (int(side) // patch for side in ramps.shape[-2:])
    found = [tile_of(one, sizes) for one in ramps]
    return tuple(Tile(box, rows, cols, image) for box, image in (entry for entry in found if entry))


def layout_of(sizes: Sizes, tiles: Sequence[Tile], matrices: Sequence[sparse.csr_matrix]) -> Layout:
    """A layout whose encoder rows are in the grid's order. `matrices` follow one another down the diagonal."""
    return Layout(Grid(tuple(sizes), tuple(tiles), stacked(list(matrices))))


def encoder_layers_read(layers: int | Sequence[int], count: int) -> tuple[int, ...]:
    """Blocks behind `vision_feature_layer`: hidden state 0 is the embedding, hidden state i + 1 the output of block i."""
    states = [layer % (count + 1) for layer in ([layers] if isinstance(layers, int) else layers)]
    return tuple(sorted(state - 1 for state in states))
