"""One adapter a family, and the registry that finds it."""

from __future__ import annotations

from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.families.gemma import Gemma3, PaliGemma
from scratchpad.vlm.families.generic import Generic
from scratchpad.vlm.families.idefics import Idefics3
from scratchpad.vlm.families.internvl import InternVL
from scratchpad.vlm.families.llava import Llava
from scratchpad.vlm.families.llava_next import LlavaNext, LlavaOneVision
from scratchpad.vlm.families.qwen import Qwen2VL, Qwen3VL, Qwen25VL

FAMILIES: tuple[Adapter, ...] = (
    Llava(),
    LlavaNext(),
    LlavaOneVision(),
    Qwen2VL(),
    Qwen25VL(),
    Qwen3VL(),
    PaliGemma(),
    Gemma3(),
    Idefics3(),
    InternVL(),
)


def adapter_for(model_type: str) -> Adapter:
    """The adapter of a transformers `model_type`; for one that nobody wrote an adapter for, the generic one."""
    return next((adapter for adapter in FAMILIES if model_type in adapter.model_types), Generic())
