"""PaliGemma, Gemma 3, Idefics, Pixtral and the rest."""

from __future__ import annotations

from typing import Any

import transformers as tf

from scratchpad.vlm.load import Vlm
from tests.vlm.tiny.parts import CLIP, PLAIN, TEXT, made, pali, tokenizer


def paligemma() -> Vlm:
    processor, config = pali(tokenizer("<image>"), tf.PaliGemmaProcessor, tf.GemmaConfig)
    return made(tf.PaliGemmaForConditionalGeneration(config), processor)


def paligemma2() -> Vlm:
    """Upon Gemma 2: capped scores, sliding windows."""
    more = {"attn_logit_softcapping": 0.7, "final_logit_softcapping": 3.0, "sliding_window": 64, "query_pre_attn_scalar": 8}
    processor, config = pali(tokenizer("<image>"), tf.PaliGemmaProcessor, tf.Gemma2Config, **more)
    return made(tf.PaliGemmaForConditionalGeneration(config), processor)


def gemma3(crops: bool = False) -> Vlm:
    tokens = tokenizer(image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>")
    image = tf.Gemma3ImageProcessorPil(size={"height": 28, "width": 28})
    processor = tf.Gemma3Processor(image, tokens, chat_template=PLAIN.replace("MARK", "<start_of_image>"), image_seq_length=4)
    if crops:
        least = {"pan_and_scan_min_crop_size": 16, "pan_and_scan_max_num_crops": 3, "pan_and_scan_min_ratio_to_activate": 1.2}
        processor.images_kwargs = {"do_convert_rgb": True, "do_pan_and_scan": True, **least}
    config = tf.Gemma3Config(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        text_config=tf.Gemma3TextConfig(vocab_size=len(tokens), head_dim=8, sliding_window=16, layer_types=LAYERS, **TEXT),
        mm_tokens_per_image=4,
        boi_token_index=tokens.boi_token_id,
        eoi_token_index=tokens.eoi_token_id,
        image_token_index=tokens.image_token_id,
    )
    return made(tf.Gemma3ForConditionalGeneration(config), processor)


LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]


def _idefics(model_class: Any, config_class: Any, vision_class: Any) -> Vlm:
    places = [f"<row_{r + 1}_col_{c + 1}>" for r in range(6) for c in range(6)]
    tokens = tokenizer("<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>", *places)
    image = tf.Idefics3ImageProcessorPil(size={"longest_edge": 84}, max_image_size={"longest_edge": 28})
    processor = tf.Idefics3Processor(image, tokens, image_seq_len=4, chat_template=PLAIN.replace("MARK", "<image>"))
    config = config_class(
        vision_config=vision_class(**CLIP),
        text_config=tf.LlamaConfig(vocab_size=len(tokens), pad_token_id=0, **TEXT),
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    return made(model_class(config), processor)


def idefics3() -> Vlm:
    return _idefics(tf.Idefics3ForConditionalGeneration, tf.Idefics3Config, tf.Idefics3VisionConfig)


def smolvlm() -> Vlm:
    return _idefics(tf.SmolVLMForConditionalGeneration, tf.SmolVLMConfig, tf.SmolVLMVisionConfig)


def janus() -> Vlm:
    tokens = tokenizer(image_token="<image_placeholder>", boi_token="<begin_of_image>", eoi_token="<end_of_image>")
    image = tf.JanusImageProcessorPil(size={"height": 28, "width": 28}, min_size=7)
    processor = tf.JanusProcessor(image, tokens, chat_template=PLAIN.replace("MARK", "<image_placeholder>"), num_image_tokens=16)
    vision = {name: CLIP[name] for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size")}
    words = {"embed_dim": 8, "num_embeddings": 16, "latent_channels": 8, "base_channels": 32, "channel_multiplier": [1, 1]}
    config = tf.JanusConfig(
        vision_config=tf.JanusVisionConfig(**vision, mlp_ratio=2, projection_dim=32, num_image_tokens=16),
        vq_config=tf.JanusVQVAEConfig(**words, projection_dim=32, image_token_embed_dim=32, num_res_blocks=1),
        text_config=tf.LlamaConfig(vocab_size=len(tokens), **TEXT),
        image_token_id=tokens.image_token_id,
    )
    return made(tf.JanusForConditionalGeneration(config), processor)


def deepseek_vl() -> Vlm:
    tokens = tokenizer(image_token="<image_placeholder>")
    image = tf.DeepseekVLImageProcessorPil(size={"height": 28, "width": 28}, min_size=7)
    processor = tf.DeepseekVLProcessor(image, tokens, PLAIN.replace("MARK", "<image_placeholder>"), num_image_tokens=16)
    config = tf.DeepseekVLConfig(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        text_config=tf.LlamaConfig(vocab_size=len(tokens), **TEXT),
        image_token_id=tokens.image_token_id,
    )
    return made(tf.DeepseekVLForConditionalGeneration(config), processor)


def ovis2() -> Vlm:
    marks = ("<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>")
    tokens = tokenizer("<image>", "<IMG_ATOM>", *marks)
    image = tf.Ovis2ImageProcessorPil(size={"height": 28, "width": 28}, crop_to_patches=True, min_patches=1, max_patches=6)
    processor = tf.Ovis2Processor(image, tokens, chat_template=PLAIN.replace("MARK", "<image>"), image_seq_length=4)
    config = tf.Ovis2Config(
        vision_config=tf.Ovis2VisionConfig(**CLIP, vocab_size=21, hidden_stride=2),
        text_config=tf.Qwen2Config(vocab_size=len(tokens), **TEXT),
        image_token_id=tokens.convert_tokens_to_ids("<IMG_ATOM>"),
        visual_indicator_token_ids=[tokens.convert_tokens_to_ids(mark) for mark in marks],
        vocab_size=len(tokens),
        hidden_size=TEXT["hidden_size"],
    )
    return made(tf.Ovis2ForConditionalGeneration(config), processor)


def _pixtral() -> tuple[Any, Any, dict[str, Any]]:
    tokens = tokenizer(image_token="<image>", image_break_token="<break>", image_end_token="<end>")
    image = tf.PixtralImageProcessorPil(size={"longest_edge": 64}, patch_size=8)
    processor = tf.LightOnOcrProcessor(image, tokens, patch_size=4, chat_template=PLAIN.replace("MARK", "<image>"))
    vision = {**CLIP, "image_size": 64, "patch_size": 4, "head_dim": 12}
    return tokens, processor, {"vision_config": tf.PixtralVisionConfig(**vision), "spatial_merge_size": 2}


def lighton_ocr() -> Vlm:
    tokens, processor, more = _pixtral()
    text = tf.Qwen3Config(vocab_size=len(tokens), head_dim=8, **TEXT)
    return made(
        tf.LightOnOcrForConditionalGeneration(tf.LightOnOcrConfig(text_config=text, image_token_id=tokens.image_token_id, **more)),
        processor,
    )


def mistral3() -> Vlm:
    """With LightOnOCR's processor, which makes the same of images: Pixtral's own needs torchvision."""
    tokens, processor, more = _pixtral()
    text = tf.MistralConfig(vocab_size=len(tokens), head_dim=8, sliding_window=None, **TEXT)
    config = tf.Mistral3Config(text_config=text, image_token_index=tokens.image_token_id, vision_feature_layer=-2, **more)
    return made(tf.Mistral3ForConditionalGeneration(config), processor)


def blip2() -> Vlm:
    """A family without an adapter, whose image tokens have no place."""
    tokens = tokenizer("<image>")
    image = tf.BlipImageProcessorPil(size={"height": 28, "width": 28})
    processor = tf.Blip2Processor(image, tokens, num_query_tokens=4)
    processor.chat_template = PLAIN.replace("MARK", "<image>")
    vision = {
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": 28,
        "patch_size": 7,
    }
    qformer = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "encoder_hidden_size": 24}
    text = tf.OPTConfig(
        vocab_size=len(tokens), hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4, word_embed_proj_dim=32
    )
    config = tf.Blip2Config(
        vision_config=vision, qformer_config=qformer, text_config=text.to_dict(), num_query_tokens=4,
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    return made(tf.Blip2ForConditionalGeneration(config), processor)
