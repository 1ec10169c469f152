"""Processors that work without torchvision: image halves through PIL, video halves left out.

transformers' video processors exist only where torchvision does, and a processor that has one refuses to be built
without it, pictures or not.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from transformers import AutoProcessor, PreTrainedConfig, ProcessorMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from scratchpad.vlm.protocols import Processor, typed


def load_processor(source: str | Path, config: PreTrainedConfig) -> Processor:
    """The processor of a checkpoint, for images and text.

    Raises:
        OSError, ValueError, ImportError: transformers', where it's missing, damaged or needs a package that isn't installed.
    """
    kind: Any = PROCESSOR_MAPPING.get(type(config), None)  # a class, whatever transformers says of it
    if kind is None or find_spec("torchvision"):
        return typed(AutoProcessor.from_pretrained(source, backend="pil"))
    asked = signature(kind.__init__).parameters.get("video_processor")
    absent = {"video_processor": None} if asked is not None and asked.default is asked.empty else {}
    loader: Any = without_video(kind)
    return typed(loader.from_pretrained(source, backend="pil", **absent))


@functools.cache
def without_video(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """The same processor class, asking for no video processor."""
    attributes = [name for name in kind.get_attributes() if "video" not in name]
    if attributes == kind.get_attributes():
        return kind
    return type(kind.__name__, (kind,), {"get_attributes": classmethod(lambda cls: list(attributes)), "video_processor": None})
