"""One adapter a family, and the registry that finds it."""

from __future__ import annotations

from transformers import PreTrainedModel

from scratchpad.vlm.adapter import Adapter
from scratchpad.vlm.families.gemma import Gemma3, PaliGemma
from scratchpad.vlm.families.generic import Generic
from scratchpad.vlm.families.idefics import Idefics3
from scratchpad.vlm.families.internvl import AyaVision, InternVL
from scratchpad.vlm.families.janus import Janus
from scratchpad.vlm.families.llava import Llava, VipLlava
from scratchpad.vlm.families.llava_next import LlavaNext, LlavaOneVision
from scratchpad.vlm.families.ovis import Ovis2
from scratchpad.vlm.families.pixtral import LightOnOcr, Mistral3
from scratchpad.vlm.families.qwen import Glm4V, Qwen2VL, Qwen3VL, Qwen25VL
from scratchpad.vlm.protocols import Processor

FAMILIES: tuple[type[Adapter], ...] = (
    Llava,
    VipLlava,
    LlavaNext,
    LlavaOneVision,
    Qwen2VL,
    Qwen25VL,
    Qwen3VL,
    PaliGemma,
    Gemma3,
    Idefics3,
    InternVL,
    AyaVision,
    Glm4V,
    Janus,
    Ovis2,
    LightOnOcr,
    Mistral3,
)


def adapter_of(model: PreTrainedModel, processor: Processor) -> Adapter:
    """The adapter of a model's family; for one that nobody wrote an adapter for, what is measured on the model.

    Raises:
        UserError: nobody wrote one, and it can't be measured.
    """
    kind = model.config.model_type
    return next((family for family in FAMILIES if kind in family.model_types), Generic)(model, processor)
