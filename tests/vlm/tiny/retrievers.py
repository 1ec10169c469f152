"""Tiny retrieval models."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import transformers as tf

from scratchpad.vlm.processor import without_video
from scratchpad.vlm.retrieval import CLASSES, Retriever
from tests.vlm.tiny.parts import CLIP, TEXT, mrope, pali, tokenizer, vision_ids


def _retriever(model: Any, processor: Any) -> Retriever:
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.25)
    model = model.eval().requires_grad_(False)
    return Retriever(model.config.model_type, "tiny", model, processor, CLASSES[model.config.model_type][1](model, processor))


def colpali() -> Retriever:
    processor, vlm = pali(tokenizer("<image>"), tf.ColPaliProcessor, tf.GemmaConfig)
    return _retriever(tf.ColPaliForRetrieval(tf.ColPaliConfig(vlm_config=vlm, embedding_dim=12)), processor)


def colqwen2() -> Retriever:
    tokens = tokenizer(
        "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"
    )
    image = tf.Qwen2VLImageProcessorPil(
        patch_size=4, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 256, "longest_edge": 1920}
    )
    vision = {"depth": 3, "embed_dim": 24, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    vlm = tf.Qwen2VLConfig(vision_config=vision, text_config=mrope(tokens, [1, 1, 2]), **vision_ids(tokens))
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
