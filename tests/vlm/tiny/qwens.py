"""The Qwen line and GLM: patches of any count, merged by two."""

from __future__ import annotations

from typing import Any

import transformers as tf

from scratchpad.vlm.load import Vlm
from scratchpad.vlm.processor import without_video
from tests.vlm.tiny.parts import PLAIN, TEXT, made, mrope, tokenizer, vision_ids


def _qwen(processor_class: Any, patch: int, merged: int) -> tuple[Any, Any]:
    tokens = tokenizer("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    image = tf.Qwen2VLImageProcessorPil(
        patch_size=patch, merge_size=2, temporal_patch_size=2, size={"shortest_edge": merged**2 * 4, "longest_edge": merged**2 * 30}
    )
    template = PLAIN.replace("MARK", "<|vision_start|><|image_pad|><|vision_end|>")
    return tokens, without_video(processor_class)(image, tokens, chat_template=template)


def qwen2_vl() -> Vlm:
    tokens, processor = _qwen(tf.Qwen2VLProcessor, 4, 8)
    vision = {"depth": 3, "embed_dim": 24, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    config = tf.Qwen2VLConfig(vision_config=vision, text_config=mrope(tokens, [1, 1, 2]), **vision_ids(tokens))
    return made(tf.Qwen2VLForConditionalGeneration(config), processor)


def qwen2_5_vl() -> Vlm:
    tokens, processor = _qwen(tf.Qwen2_5_VLProcessor, 4, 8)
    vision = {"depth": 3, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "patch_size": 4}
    vision |= {"window_size": 16, "fullatt_block_indexes": [1]}
    config = tf.Qwen2_5_VLConfig(vision_config=vision, text_config=mrope(tokens, [1, 1, 2]), **vision_ids(tokens))
    return made(tf.Qwen2_5_VLForConditionalGeneration(config), processor)


def qwen3_vl() -> Vlm:
    tokens, processor = _qwen(tf.Qwen3VLProcessor, 4, 8)
    vision = {"depth": 4, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "patch_size": 4}
    vision |= {"deepstack_visual_indexes": [0, 2], "num_position_embeddings": 64}
    text = {**mrope(tokens, [2, 1, 1]), "head_dim": 8}
    config = tf.Qwen3VLConfig(vision_config=vision, text_config=text, **vision_ids(tokens))
    return made(tf.Qwen3VLForConditionalGeneration(config), processor)


def qwen3_vl_moe() -> Vlm:
    tokens, processor = _qwen(tf.Qwen3VLProcessor, 4, 8)
    vision = {"depth": 4, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "patch_size": 4}
    vision |= {"deepstack_visual_indexes": [0, 2], "num_position_embeddings": 64}
    text = {**mrope(tokens, [2, 1, 1]), "head_dim": 8, "moe_intermediate_size": 24, "num_experts": 4, "num_experts_per_tok": 2}
    config = tf.Qwen3VLMoeConfig(vision_config=vision, text_config=text, **vision_ids(tokens))
    return made(tf.Qwen3VLMoeForConditionalGeneration(config), processor)


def _glm(processor_class: Any, image_class: Any, config_class: Any, model_class: Any, **more: Any) -> Vlm:
    tokens = tokenizer("<|image|>", "<|video|>", "<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>")
    image = image_class(patch_size=4, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 512, "longest_edge": 3840})
    template = PLAIN.replace("MARK", "<|begin_of_image|><|image|><|end_of_image|>")
    processor = without_video(processor_class)(image, tokens, chat_template=template)
    vision = {"depth": 3, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 48, "patch_size": 4}
    names = {"image_token_id": "<|image|>", "video_token_id": "<|video|>", "image_start_token_id": "<|begin_of_image|>"}
    names |= {"image_end_token_id": "<|end_of_image|>", "video_start_token_id": "<|begin_of_video|>"}
    names |= {"video_end_token_id": "<|end_of_video|>"}
    ids = {key: tokens.convert_tokens_to_ids(word) for key, word in names.items()}
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4, "partial_rotary_factor": 1.0}
    text = {**TEXT, "vocab_size": len(tokens), "rope_parameters": rope, **more}
    config = config_class(vision_config=vision | {"image_size": 32}, text_config=text, **ids)
    return made(model_class(config), processor)


def glm4v() -> Vlm:
    return _glm(tf.Glm4vProcessor, tf.Glm4vImageProcessorPil, tf.Glm4vConfig, tf.Glm4vForConditionalGeneration)


def glm4v_moe() -> Vlm:
    experts = {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1, "moe_intermediate_size": 16, "n_group": 1}
    more = {**experts, "topk_group": 1, "first_k_dense_replace": 1, "head_dim": 8}
    return _glm(tf.Glm4vProcessor, tf.Glm4vImageProcessorPil, tf.Glm4vMoeConfig, tf.Glm4vMoeForConditionalGeneration, **more)


def glm46v() -> Vlm:
    return _glm(tf.Glm46VProcessor, tf.Glm46VImageProcessorPil, tf.Glm46VConfig, tf.Glm46VForConditionalGeneration)
