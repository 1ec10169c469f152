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


def load_processor(source: str | Path, config: PreTrainedConfig) -> ProcessorMixin:
    """The processor of a checkpoint, for images and text."""
    kind = PROCESSOR_MAPPING.get(type(config), None)
    if kind is None or find_spec("torchvision"):
        processor: ProcessorMixin = AutoProcessor.from_pretrained(source, backend="pil")
        return processor
    asked = signature(kind.__init__).parameters.get("video_processor")
    absent = {"video_processor": None} if asked is not None and asked.default is asked.empty else {}
    loader: Any = without_video(kind)
    processor = loader.from_pretrained(source, backend="pil", **absent)
    return processor


@functools.cache
def without_video(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """The same processor class, asking for no video processor."""
    kept = [name for name in kind.get_attributes() if "video" not in name]
    if kept == kind.get_attributes():
        return kind
    return type(kind.__name__, (kind,), {"get_attributes": classmethod(lambda cls: list(kept)), "video_processor": None})
