"""A tiny randomly initialised model of every family's true classes, with a processor built here: nothing is downloaded.

Sizes are odd on purpose: rows differ from columns, tiles from images, and heads from key-value heads, so that nothing
can be swapped without a test noticing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
import transformers as tf
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from scratchpad.vlm import attention
from scratchpad.vlm.families import adapter_of
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.processor import without_video
from scratchpad.vlm.retrieval import CLASSES, Retriever

PLAIN = (
    "{% for message in messages %}USER: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}MARK{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %} ASSISTANT:"
)
PADDING = ("<pad>", "<s>", "</s>")
TEXT = {"num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 32, "intermediate_size": 48}
CLIP = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 28, "patch_size": 7}


def tokenizer(*special: str, **named: str) -> tf.PreTrainedTokenizerFast:
    """Bytes, and the family's special tokens."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = dict.fromkeys([*PADDING, *special, *named.values(), *letters])
    core = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    core.add_special_tokens([*PADDING, *special, *named.values()])
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=[*special],
        extra_special_tokens=named,
        padding_side="left",
    )


def _vlm(model: Any, processor: Any) -> Vlm:
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
    return _vlm(tf.LlavaForConditionalGeneration(config), processor)


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
    return _vlm(tf.VipLlavaForConditionalGeneration(config), processor)


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
    return _vlm(tf.LlavaNextForConditionalGeneration(config), processor)


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
    return _vlm(tf.LlavaOnevisionForConditionalGeneration(config), processor)


def _qwen(processor_class: Any, patch: int, merged: int) -> tuple[Any, Any]:
    tokens = tokenizer("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    image = tf.Qwen2VLImageProcessorPil(
        patch_size=patch, merge_size=2, temporal_patch_size=2, size={"shortest_edge": merged**2 * 4, "longest_edge": merged**2 * 30}
    )
    template = PLAIN.replace("MARK", "<|vision_start|><|image_pad|><|vision_end|>")
    return tokens, without_video(processor_class)(image, tokens, chat_template=template)


def _ids(tokens: Any) -> dict[str, int]:
    names = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"}
    names |= {"vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>"}
    return {key: tokens.convert_tokens_to_ids(word) for key, word in names.items()}


def _mrope(tokens: Any, sections: list[int]) -> dict[str, Any]:
    rope = {"rope_type": "default", "mrope_section": sections, "rope_theta": 1e4}
    return {**TEXT, "vocab_size": len(tokens), "rope_parameters": rope}


def qwen2_vl() -> Vlm:
    tokens, processor = _qwen(tf.Qwen2VLProcessor, 4, 8)
    vision = {"depth": 3, "embed_dim": 24, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    config = tf.Qwen2VLConfig(vision_config=vision, text_config=_mrope(tokens, [1, 1, 2]), **_ids(tokens))
    return _vlm(tf.Qwen2VLForConditionalGeneration(config), processor)


def qwen2_5_vl() -> Vlm:
    tokens, processor = _qwen(tf.Qwen2_5_VLProcessor, 4, 8)
    vision = {"depth": 3, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "patch_size": 4}
    vision |= {"window_size": 16, "fullatt_block_indexes": [1]}
    config = tf.Qwen2_5_VLConfig(vision_config=vision, text_config=_mrope(tokens, [1, 1, 2]), **_ids(tokens))
    return _vlm(tf.Qwen2_5_VLForConditionalGeneration(config), processor)


def qwen3_vl() -> Vlm:
    tokens, processor = _qwen(tf.Qwen3VLProcessor, 4, 8)
    vision = {"depth": 4, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "patch_size": 4}
    vision |= {"deepstack_visual_indexes": [0, 2], "num_position_embeddings": 64}
    text = {**_mrope(tokens, [2, 1, 1]), "head_dim": 8}
    config = tf.Qwen3VLConfig(vision_config=vision, text_config=text, **_ids(tokens))
    return _vlm(tf.Qwen3VLForConditionalGeneration(config), processor)


def _pali(tokens: Any, processor_class: Any, text_class: Any, **more: Any) -> tuple[Any, Any]:
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


def paligemma() -> Vlm:
    processor, config = _pali(tokenizer("<image>"), tf.PaliGemmaProcessor, tf.GemmaConfig)
    return _vlm(tf.PaliGemmaForConditionalGeneration(config), processor)


def paligemma2() -> Vlm:
    """Upon Gemma 2: capped scores, sliding windows."""
    more = {"attn_logit_softcapping": 0.7, "final_logit_softcapping": 3.0, "sliding_window": 64, "query_pre_attn_scalar": 8}
    processor, config = _pali(tokenizer("<image>"), tf.PaliGemmaProcessor, tf.Gemma2Config, **more)
    return _vlm(tf.PaliGemmaForConditionalGeneration(config), processor)


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
    return _vlm(tf.Gemma3ForConditionalGeneration(config), processor)


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
    return _vlm(model_class(config), processor)


def idefics3() -> Vlm:
    return _idefics(tf.Idefics3ForConditionalGeneration, tf.Idefics3Config, tf.Idefics3VisionConfig)


def smolvlm() -> Vlm:
    return _idefics(tf.SmolVLMForConditionalGeneration, tf.SmolVLMConfig, tf.SmolVLMVisionConfig)


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
    return _vlm(tf.InternVLForConditionalGeneration(config), processor)


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
    return _vlm(tf.AyaVisionForConditionalGeneration(config), processor)


def qwen3_vl_moe() -> Vlm:
    tokens, processor = _qwen(tf.Qwen3VLProcessor, 4, 8)
    vision = {"depth": 4, "hidden_size": 24, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "patch_size": 4}
    vision |= {"deepstack_visual_indexes": [0, 2], "num_position_embeddings": 64}
    text = {**_mrope(tokens, [2, 1, 1]), "head_dim": 8, "moe_intermediate_size": 24, "num_experts": 4, "num_experts_per_tok": 2}
    config = tf.Qwen3VLMoeConfig(vision_config=vision, text_config=text, **_ids(tokens))
    return _vlm(tf.Qwen3VLMoeForConditionalGeneration(config), processor)


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
    return _vlm(model_class(config), processor)


def glm4v() -> Vlm:
    return _glm(tf.Glm4vProcessor, tf.Glm4vImageProcessorPil, tf.Glm4vConfig, tf.Glm4vForConditionalGeneration)


def glm4v_moe() -> Vlm:
    experts = {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1, "moe_intermediate_size": 16, "n_group": 1}
    more = {**experts, "topk_group": 1, "first_k_dense_replace": 1, "head_dim": 8}
    return _glm(tf.Glm4vProcessor, tf.Glm4vImageProcessorPil, tf.Glm4vMoeConfig, tf.Glm4vMoeForConditionalGeneration, **more)


def glm46v() -> Vlm:
    return _glm(tf.Glm46VProcessor, tf.Glm46VImageProcessorPil, tf.Glm46VConfig, tf.Glm46VForConditionalGeneration)


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
    return _vlm(tf.JanusForConditionalGeneration(config), processor)


def deepseek_vl() -> Vlm:
    tokens = tokenizer(image_token="<image_placeholder>")
    image = tf.DeepseekVLImageProcessorPil(size={"height": 28, "width": 28}, min_size=7)
    processor = tf.DeepseekVLProcessor(image, tokens, PLAIN.replace("MARK", "<image_placeholder>"), num_image_tokens=16)
    config = tf.DeepseekVLConfig(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        text_config=tf.LlamaConfig(vocab_size=len(tokens), **TEXT),
        image_token_id=tokens.image_token_id,
    )
    return _vlm(tf.DeepseekVLForConditionalGeneration(config), processor)


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
    return _vlm(tf.Ovis2ForConditionalGeneration(config), processor)


def _pixtral() -> tuple[Any, Any, dict[str, Any]]:
    tokens = tokenizer(image_token="<image>", image_break_token="<break>", image_end_token="<end>")
    image = tf.PixtralImageProcessorPil(size={"longest_edge": 64}, patch_size=8)
    processor = tf.LightOnOcrProcessor(image, tokens, patch_size=4, chat_template=PLAIN.replace("MARK", "<image>"))
    vision = {**CLIP, "image_size": 64, "patch_size": 4, "head_dim": 12}
    return tokens, processor, {"vision_config": tf.PixtralVisionConfig(**vision), "spatial_merge_size": 2}


def lighton_ocr() -> Vlm:
    tokens, processor, more = _pixtral()
    text = tf.Qwen3Config(vocab_size=len(tokens), head_dim=8, **TEXT)
    return _vlm(
        tf.LightOnOcrForConditionalGeneration(tf.LightOnOcrConfig(text_config=text, image_token_id=tokens.image_token_id, **more)),
        processor,
    )


def mistral3() -> Vlm:
    """With LightOnOCR's processor, which makes the same of images: Pixtral's own needs torchvision."""
    tokens, processor, more = _pixtral()
    text = tf.MistralConfig(vocab_size=len(tokens), head_dim=8, sliding_window=None, **TEXT)
    config = tf.Mistral3Config(text_config=text, image_token_index=tokens.image_token_id, vision_feature_layer=-2, **more)
    return _vlm(tf.Mistral3ForConditionalGeneration(config), processor)


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
    return _vlm(tf.Blip2ForConditionalGeneration(config), processor)


FAMILIES: dict[str, Callable[[], Vlm]] = {
    maker.__name__: maker
    for maker in (
        llava,
        vipllava,
        llava_next,
        llava_onevision,
        qwen2_vl,
        qwen2_5_vl,
        qwen3_vl,
        paligemma,
        paligemma2,
        gemma3,
        idefics3,
        smolvlm,
        internvl,
        aya_vision,
        qwen3_vl_moe,
        glm4v,
        glm4v_moe,
        glm46v,
        janus,
        deepseek_vl,
        ovis2,
        lighton_ocr,
        mistral3,
    )
}

NAMES = list(FAMILIES)


@cache
def vlm_of(name: str) -> Vlm:
    return FAMILIES[name]()


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8))


def prepared_of(vlm: Vlm, size: tuple[int, int] = (60, 150)) -> Prepared:
    return prepare(vlm, noise(size), "What is it?")


def _retriever(model: Any, processor: Any) -> Retriever:
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.25)
    model = model.eval().requires_grad_(False)
    return Retriever(model.config.model_type, "tiny", model, processor, CLASSES[model.config.model_type][1](model, processor))


def colpali() -> Retriever:
    processor, vlm = _pali(tokenizer("<image>"), tf.ColPaliProcessor, tf.GemmaConfig)
    return _retriever(tf.ColPaliForRetrieval(tf.ColPaliConfig(vlm_config=vlm, embedding_dim=12)), processor)


def colqwen2() -> Retriever:
    tokens = tokenizer(
        "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"
    )
    image = tf.Qwen2VLImageProcessorPil(
        patch_size=4, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 256, "longest_edge": 1920}
    )
    vision = {"depth": 3, "embed_dim": 24, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    vlm = tf.Qwen2VLConfig(vision_config=vision, text_config=_mrope(tokens, [1, 1, 2]), **_ids(tokens))
    processor = without_video(tf.ColQwen2Processor)(image, tokens)
    return _retriever(tf.ColQwen2ForRetrieval(tf.ColQwen2Config(vlm_config=vlm, embedding_dim=12)), processor)


def colmodernvbert() -> Retriever:
    places = [f"<row_{r + 1}_col_{c + 1}>" for r in range(6) for c in range(6)]
    tokens = tokenizer("<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>", "<|begin_of_text|>", *places)
    image = tf.Idefics3ImageProcessorPil(size={"longest_edge": 84}, max_image_size={"longest_edge": 28})
    processor = tf.ColModernVBertProcessor(image, tokens, image_seq_len=4)
    text = {k: v for k, v in TEXT.items() if k != "num_key_value_heads"}
    vlm = tf.ModernVBertConfig(
        vision_config=tf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        text_config=tf.ModernBertConfig(vocab_size=len(tokens), pad_token_id=0, **text),
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        pixel_shuffle_factor=2,
    )
    return _retriever(tf.ColModernVBertForRetrieval(tf.ColModernVBertConfig(vlm_config=vlm, embedding_dim=12)), processor)


RETRIEVERS = {"colpali": colpali, "colqwen2": colqwen2, "colmodernvbert": colmodernvbert}


@cache
def retriever_of(name: str) -> Retriever:
    return RETRIEVERS[name]()
