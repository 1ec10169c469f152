"""What tiny models are made of: sizes, random weights, and the tokenizer of bytes of models at their published size."""

from __future__ import annotations

from typing import Any

import torch
import transformers as tf

from benchmarks.published import TEMPLATE as PLAIN
from benchmarks.published import tokenizer
from scratchpad.vlm import attention
from scratchpad.vlm.families import adapter_of
from scratchpad.vlm.load import Vlm

__all__ = ["CLIP", "PLAIN", "TEXT", "made", "mrope", "pali", "tokenizer", "vision_ids"]

TEXT = {"num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 32, "intermediate_size": 48}


CLIP = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 28, "patch_size": 7}


def made(model: Any, processor: Any) -> Vlm:
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():  # random, and large enough that every path matters
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.25)
        elif "bias" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    model = model.eval().requires_grad_(False)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    attention.install(model)
    return Vlm(model.config.model_type, "tiny", model, processor, adapter_of(model, processor))


def vision_ids(tokens: Any) -> dict[str, int]:
    names = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"}
    names |= {"vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>"}
    return {key: tokens.convert_tokens_to_ids(word) for key, word in names.items()}


def mrope(tokens: Any, sections: list[int]) -> dict[str, Any]:
    rope = {"rope_type": "default", "mrope_section": sections, "rope_theta": 1e4}
    return {**TEXT, "vocab_size": len(tokens), "rope_parameters": rope}


def pali(tokens: Any, processor_class: Any, text_class: Any, **more: Any) -> tuple[Any, Any]:
    """(processor, configuration) of a PaliGemma upon a Gemma of a kind."""
    image = tf.SiglipImageProcessorPil(size={"height": 28, "width": 28})
    image.image_seq_length = 16
    processor = processor_class(image, tokens)
    config = tf.PaliGemmaConfig(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False, projection_dim=32),
        text_config=text_class(vocab_size=len(processor.tokenizer), head_dim=8, **TEXT, **more),
        image_token_index=processor.image_token_id,
        projection_dim=32,
        hidden_size=32,
    )
    return processor, config
