"""The LLaVA line: a CLIP-like encoder, a projector, a language model; pictures whole or in tiles."""

from __future__ import annotations

import transformers as tf

from scratchpad.vlm.load import Vlm
from scratchpad.vlm.processor import without_video
from tests.vlm.tiny.parts import CLIP, PLAIN, TEXT, made, tokenizer


def llava() -> Vlm:
    tokens = tokenizer("<image>")
    image = tf.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = tf.LlavaProcessor(
        image, tokens, 7, "default", chat_template=PLAIN.replace("MARK", "<image>"), num_additional_image_tokens=1
    )
    config = tf.LlavaConfig(
        vision_config=tf.CLIPVisionConfig(**CLIP),
        text_config=tf.LlamaConfig(vocab_size=len(tokens), **TEXT),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
    )
    return made(tf.LlavaForConditionalGeneration(config), processor)


def vipllava() -> Vlm:
    """Its projector reads three of five layers, given out of order as the real one's are."""
    tokens = tokenizer("<image>")
    image = tf.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = tf.LlavaProcessor(
        image, tokens, 7, "default", chat_template=PLAIN.replace("MARK", "<image>"), num_additional_image_tokens=1
    )
    config = tf.VipLlavaConfig(
        vision_config=tf.CLIPVisionConfig(**CLIP | {"num_hidden_layers": 5}),
        text_config=tf.LlamaConfig(vocab_size=len(tokens), **TEXT),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        vision_feature_layer=[-2, -4, 1],
    )
    return made(tf.VipLlavaForConditionalGeneration(config), processor)


def llava_next() -> Vlm:
    tokens = tokenizer("<image>")
    pins = [[28, 56], [56, 28], [56, 56], [28, 84], [84, 28]]
    image = tf.LlavaNextImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}, image_grid_pinpoints=pins)
    processor = tf.LlavaNextProcessor(
        image, tokens, 7, "default", chat_template=PLAIN.replace("MARK", "<image>"), num_additional_image_tokens=1
    )
    config = tf.LlavaNextConfig(
        vision_config=tf.CLIPVisionConfig(**CLIP),
        text_config=tf.MistralConfig(vocab_size=len(tokens), sliding_window=40, **TEXT),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=pins,
    )
    return made(tf.LlavaNextForConditionalGeneration(config), processor)


def llava_onevision() -> Vlm:
    tokens = tokenizer("<image>", "<video>")
    pins = [[28 * a, 28 * b] for a in range(1, 5) for b in range(1, 5)]
    image = tf.LlavaOnevisionImageProcessorPil(size={"height": 28, "width": 28}, image_grid_pinpoints=pins)
    processor = without_video(tf.LlavaOnevisionProcessor)(
        image,
        tokens,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=PLAIN.replace("MARK", "<image>"),
        vision_aspect_ratio="anyres_max_4",
    )
    config = tf.LlavaOnevisionConfig(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        text_config=tf.Qwen2Config(vocab_size=len(tokens), **TEXT),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        video_token_index=tokens.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=pins,
        vision_aspect_ratio="anyres_max_4",
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )
    return made(tf.LlavaOnevisionForConditionalGeneration(config), processor)


def internvl() -> Vlm:
    tokens = tokenizer(start_image_token="<img>", end_image_token="</img>", context_image_token="<IMG_CONTEXT>", video_token="<video>")
    image = tf.GotOcr2ImageProcessorPil(size={"height": 28, "width": 28}, crop_to_patches=True, min_patches=1, max_patches=6)
    processor = without_video(tf.InternVLProcessor)(image, tokens, image_seq_length=4, chat_template=PLAIN.replace("MARK", "<IMG_CONTEXT>"))
    vision = {**CLIP, "image_size": [28, 28], "patch_size": [7, 7]}
    config = tf.InternVLConfig(
        vision_config=tf.InternVLVisionConfig(**vision),
        text_config=tf.Qwen2Config(vocab_size=len(tokens), **TEXT),
        image_token_id=tokens.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    return made(tf.InternVLForConditionalGeneration(config), processor)


def aya_vision() -> Vlm:
    marks = ("<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>", "TILE", "TILE_GLOBAL")
    tokens = tokenizer("<image>", *marks)
    image = tf.GotOcr2ImageProcessorPil(size={"height": 28, "width": 28}, crop_to_patches=True, min_patches=1, max_patches=6)
    processor = tf.AyaVisionProcessor(
        image, tokens, patch_size=7, img_size=28, downsample_factor=2, chat_template=PLAIN.replace("MARK", "<image>")
    )
    config = tf.AyaVisionConfig(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        text_config=tf.Cohere2Config(vocab_size=len(tokens), sliding_window=256, pad_token_id=0, **TEXT),
        image_token_index=tokens.convert_tokens_to_ids("<|IMG_PATCH|>"),
        downsample_factor=2,
    )
    return made(tf.AyaVisionForConditionalGeneration(config), processor)
