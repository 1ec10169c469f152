"""What every loaded model is, one that answers and one that retrieves: weights, processor, adapter, and the geometry measured so far.

In: a folder or a hub id. Out: a `Loaded`. How a prompt or a query is made of them is known to `prepare` and `retrieval`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from scratchpad.errors import UserError
from scratchpad.vlm import checkpoint
from scratchpad.vlm.adapter import Adapter, Layout, Shown
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.greedy import set_aside
from scratchpad.vlm.processor import load_processor
from scratchpad.vlm.protocols import Process, Processor, Sizes
from scratchpad.vlm.ramps import ramp, unnormalised

MAX_LAYOUTS = 64  # geometries remembered of one model

Key = tuple[tuple[tuple[int, int], ...], tuple[int, ...]]  # sizes of the images, shape of the pixel values


class Recipe(NamedTuple):
    """How a checkpoint of one kind is loaded."""

    model_class: Any  # of transformers, or one of its auto classes
    options: dict[str, object]  # for its `from_pretrained`
    pan_and_scan: bool  # whether the processor is to cut crops


@dataclass(frozen=True)
class Loaded(ABC):
    """A loaded model with its processor and adapter."""

    name: str
    identity: str  # hash of weights' names, sizes and samples
    model: PreTrainedModel = field(repr=False)
    processor: Processor = field(repr=False)
    adapter: Adapter = field(repr=False)
    own_world: str | None = None  # what a model that knows only its own world says of others
    aside: tuple[str, ...] = ()  # what its generation config asks for and answers are given without
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)  # hooks must never see another's pass
    layouts: OrderedDict[Key, Layout] = field(init=False, default_factory=OrderedDict, repr=False, compare=False)  # last used last

    @classmethod
    @abstractmethod
    def recipe(cls, source: str | Path, config: PreTrainedConfig, how: Placement) -> Recipe:
        """How a checkpoint of this configuration is loaded.

        Raises:
            UserError: it is of another kind.
        """

    @classmethod
    @abstractmethod
    def adapted(cls, model: PreTrainedModel, processor: Processor) -> Adapter:
        """The model's adapter; what must be done to the model before it's asked is done here.

        Raises:
            UserError: the model can't be read.
        """

    @classmethod
    def load(cls, source: str | Path, placement: Placement | None = None) -> Self:
        """Loads a model with its processor and measures what its adapter needs.

        Args:
            source: a folder, or a hub id.

        Raises:
            UserError: there is no such model, it's of another kind, it doesn't fit into memory, or its parts are missing or unsafe.
        """
        how = placement or Placement()
        folder = Path(source)
        if folder.is_dir():
            checkpoint.check_folder(folder)
        elif len(folder.parts) != 2:
            raise UserError(f"There is no model folder {source}; expected a folder with config.json, or a hub id such as owner/name.")
        config = checkpoint.attempt(source, "configuration", lambda: checkpoint.configuration(source, how.own_code))
        recipe = cls.recipe(source, config, how)
        own = {"config": config} if checkpoint.without_flash(config) else {}
        options = checkpoint.load_options(source, config, how) | own
        processor = checkpoint.attempt(source, "processor", lambda: load_processor(source, config))
        if not hasattr(processor, "image_processor"):
            raise UserError(
                f"{source} has no image processor; expected preprocessor_config.json or processor_config.json beside the weights."
            )
        if recipe.pan_and_scan:
            _pan_and_scan(processor, source)
        model = checkpoint.load_weights(source, recipe.model_class, how, options | recipe.options)
        aside = set_aside(model)
        adapter = cls.adapted(model, processor)
        name, identity = checkpoint.name_of(source), checkpoint.identity_of(model)
        return cls(name, identity, model, processor, adapter, checkpoint.own_world(folder), aside)

    @property
    def blocks(self) -> list[nn.Module]:
        """The vision encoder's blocks, in order."""
        return list(self.adapter.blocks)

    @property
    def leading(self) -> int:
        """How many vectors of a block's output come before the patches."""
        return self.adapter.leading_tokens

    @property
    def width(self) -> int:
        """Dimensions of a patch's activation, d."""
        return self.adapter.width

    def layout(self, sizes: Sizes, inputs: Mapping[str, Tensor], process: Process) -> Layout:
        """The geometry of images of these sizes, which depends on nothing else: measured at first sight, then remembered.

        Args:
            sizes: (h, w) in pixels of every image.
            inputs: what the processor made of the images.
            process: makes the same of other images, as `inputs` was made; called with ramps of these sizes.

        Raises:
            UserError: as `Adapter.layout`.
        """
        key = (tuple(sizes), tuple(inputs["pixel_values"].shape))
        with self.lock:  # measuring may run the model, with hooks of its own
            if key not in self.layouts:
                pixels = process([ramp(size, i) for i, size in enumerate(sizes)])["pixel_values"]
                ramps = pixels if pixels.ndim < 4 else unnormalised(pixels, self.processor.image_processor)
                self.layouts[key] = self.adapter.layout(Shown(sizes, inputs, ramps))
            self.layouts.move_to_end(key)
            while len(self.layouts) > MAX_LAYOUTS:
                self.layouts.popitem(last=False)
            return self.layouts[key]


def _pan_and_scan(processor: Any, source: str | Path) -> None:
    if not hasattr(processor.image_processor, "do_pan_and_scan"):
        raise UserError(f"--pan-and-scan was given, but the image processor of {source} doesn't pan and scan; Gemma 3's does.")
    processor.images_kwargs = {**processor.images_kwargs, "do_pan_and_scan": True}
