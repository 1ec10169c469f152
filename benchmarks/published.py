"""Models at their published sizes with random weights: what a run costs, and where its tokens come from, doesn't hang on weights.

Configurations and processor settings are those of the checkpoints named; the tokenizer is made here, of bytes, with the published number of
entries. Fewer layers of the language model can be asked for where all of them don't fit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from scratchpad.vlm.processor import without_video

TEMPLATE = (
    "{% for message in messages %}USER: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}MARK{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %} ASSISTANT:"
)
ORDINARY = ("<pad>", "<s>", "</s>")
Made = tuple[Any, Any]  # processor, configuration
Sizes = dict[str, Any]


def tokenizer(*special: str, size: int = 0, **named: str) -> tf.PreTrainedTokenizerFast:
    """A tokenizer of bytes and a family's special tokens, filled up to `size` entries, of which most are never met."""
    words = dict.fromkeys([*ORDINARY, *special, *named.values(), *sorted(pre_tokenizers.ByteLevel.alphabet())])
    words |= dict.fromkeys(f"w{n}" for n in range(size - len(words)))
    core = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    core.add_special_tokens([*ORDINARY, *special, *named.values()])
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    given: dict[str, Any] = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "padding_side": "left"}
    return tf.PreTrainedTokenizerFast(tokenizer_object=core, additional_special_tokens=[*special], extra_special_tokens=named, **given)


def number(tokens: tf.PreTrainedTokenizerFast, word: str) -> int:
    """A token's id."""
    token = tokens.convert_tokens_to_ids(word)
    assert isinstance(token, int), token
    return token


def rope(theta: float) -> Sizes:
    """Plain rotary positions of a base."""
    return {"rope_type": "default", "rope_theta": theta}


def smolvlm_256m(layers: int | None = None) -> Made:
    """SmolVLM-256M-Instruct: frames of 512 px and the whole picture, 64 tokens each."""
    places = [f"<row_{r + 1}_col_{c + 1}>" for r in range(6) for c in range(6)]
    tokens = tokenizer("<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>", *places, size=49_280)
    image = tf.Idefics3ImageProcessorPil(size={"longest_edge": 2048}, max_image_size={"longest_edge": 512})
    processor = tf.Idefics3Processor(image, tokens, image_seq_len=64, chat_template=TEMPLATE.replace("MARK", "<image>"))
    vision: Sizes = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 512}
    text: Sizes = {"hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64}
    config = tf.Idefics3Config(  # as the checkpoint says; SmolVLM's own type is that of SmolVLM2
        vision_config=tf.Idefics3VisionConfig(**vision, patch_size=16),
        text_config=tf.LlamaConfig(
            **text,
            num_hidden_layers=layers or 30,
            vocab_size=49_280,
            max_position_embeddings=8192,
            pad_token_id=0,
            rope_parameters=rope(1e5),
        ),
        image_token_id=number(tokens, "<image>"),
        scale_factor=4,
    )
    return processor, config


def llava_onevision_half_b(layers: int | None = None) -> Made:
    """LLaVA-OneVision-0.5B: tiles of 384 px, at most anyres_max_9's worth of tokens."""
    tokens = tokenizer("<image>", "<video>", size=152_000)
    pins = [[384 * a, 384 * b] for a in range(1, 7) for b in range(1, 7)]
    image = tf.LlavaOnevisionImageProcessorPil(size={"height": 384, "width": 384}, image_grid_pinpoints=pins)
    processor = without_video(tf.LlavaOnevisionProcessor)(
        image,
        tokens,
        num_image_tokens=729,
        vision_feature_select_strategy="full",
        chat_template=TEMPLATE.replace("MARK", "<image>"),
        vision_aspect_ratio="anyres_max_9",
    )
    vision: Sizes = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 26, "num_attention_heads": 16, "image_size": 384}
    text: Sizes = {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "rope_parameters": rope(1e6),
    }
    config = tf.LlavaOnevisionConfig(
        vision_config=tf.SiglipVisionConfig(**vision, patch_size=14, vision_use_head=False),
        text_config=tf.Qwen2Config(
            **text, num_hidden_layers=layers or 24, vocab_size=152_000, max_position_embeddings=32_768, tie_word_embeddings=True
        ),
        image_token_index=number(tokens, "<image>"),
        video_token_index=number(tokens, "<video>"),
        image_grid_pinpoints=pins,
        vision_aspect_ratio="anyres_max_9",
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
    )
    return processor, config


def qwen2_5_vl_3b(layers: int | None = None) -> Made:
    """Qwen2.5-VL-3B-Instruct: the whole vision tower, with its windows."""
    names = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    tokens = tokenizer(*names, size=151_936)
    image = tf.Qwen2VLImageProcessorPil(patch_size=14, temporal_patch_size=2, merge_size=2)
    template = TEMPLATE.replace("MARK", "<|vision_start|><|image_pad|><|vision_end|>")
    processor = without_video(tf.Qwen2_5_VLProcessor)(image, tokens, chat_template=template)
    vision: Sizes = {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 2048,
        "patch_size": 14,
    }
    windows: Sizes = {"spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31]}
    text: Sizes = {
        "hidden_size": 2048,
        "intermediate_size": 11_008,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "vocab_size": 151_936,
    }
    rope: Sizes = {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6}
    config = tf.Qwen2_5_VLConfig(
        vision_config={**vision, **windows, "in_channels": 3},
        text_config={
            **text,
            "num_hidden_layers": layers or 36,
            "rope_parameters": rope,
            "tie_word_embeddings": True,
            "max_position_embeddings": 128_000,
        },
        image_token_id=number(tokens, "<|image_pad|>"),
        video_token_id=number(tokens, "<|video_pad|>"),
        vision_start_token_id=number(tokens, "<|vision_start|>"),
        vision_end_token_id=number(tokens, "<|vision_end|>"),
        tie_word_embeddings=True,
    )
    return processor, config


def llava_next_7b(layers: int | None = None) -> Made:
    """LLaVA-NeXT (v1.6) upon Mistral-7B: CLIP-L/14 at 336 px, read two layers before its end, up to 2,880 tokens."""
    tokens = tokenizer("<image>", size=32_064)
    pins = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
    image = tf.LlavaNextImageProcessorPil(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336}, image_grid_pinpoints=pins)
    processor = tf.LlavaNextProcessor(
        image, tokens, 14, "default", chat_template=TEMPLATE.replace("MARK", "<image>"), num_additional_image_tokens=1
    )
    vision: Sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 336}
    text: Sizes = {
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "sliding_window": None,
    }
    config = tf.LlavaNextConfig(
        vision_config=tf.CLIPVisionConfig(**vision, patch_size=14, projection_dim=768),
        text_config=tf.MistralConfig(**text, num_hidden_layers=layers or 32, vocab_size=32_064, max_position_embeddings=32_768),
        image_token_index=number(tokens, "<image>"),
        image_grid_pinpoints=pins,
        vision_feature_layer=-2,
    )
    return processor, config


PUBLISHED: dict[str, Callable[[int | None], Made]] = {
    "smolvlm-256m": smolvlm_256m,
    "llava-onevision-0.5b": llava_onevision_half_b,
    "qwen2.5-vl-3b": qwen2_5_vl_3b,
    "llava-next-7b": llava_next_7b,
}


def write(name: str, folder: Path, dtype: str = "float32", layers: int | None = None) -> Path:
    """A checkpoint as people save one: weights drawn from seed 0, configuration, processor."""
    if (folder / "preprocessor_config.json").is_file() or (folder / "processor_config.json").is_file():
        return folder  # the processor is written last
    processor, config = PUBLISHED[name](layers)
    torch.manual_seed(0)
    model = tf.AutoModelForImageTextToText.from_config(config, dtype=getattr(torch, dtype))
    model.generation_config.eos_token_id = None  # random weights would end an answer anywhere; every run makes the same number of tokens
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
