"""The untrained demo VLM: a LLaVA small enough for a laptop, with its tokenizer, processor and chat template.

Everything here is a plain transformers object, so that nothing downstream can tell it from any other LLaVA.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import nn
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from scratchpad.demo.questions import NUMBERS, PHRASES
from scratchpad.demo.world import BACKGROUNDS, CATEGORIES, KINDS, PATCH, SIGN, SIZE, WORDS

SYSTEM = "look at the picture and answer"
SPECIAL = ("<pad>", "<s>", "</s>", "<image>", "<|user|>", "<|assistant|>")
CONTEXT = 1024
OWN_WORLD = (
    "This demo model knows only its own world: up to four emoji on one of ten backgrounds. What it says about any other picture "
    "is a guess among those."
)

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] != 'system' %}" + SYSTEM + "{% endif %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{% elif message['role'] == 'assistant' %}<|assistant|>{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def world_words() -> list[str]:
    """Every word that occurs in a question or an answer of the emoji world."""
    phrases = itertools.chain.from_iterable(PHRASES.values())
    text = " ".join([*phrases, *KINDS, *BACKGROUNDS, *CATEGORIES, *WORDS, *NUMBERS, SIGN, SYSTEM])
    text += " a an the and on , yes no none nowhere top bottom left right"
    return sorted({word for word in text.replace("{a}", "").replace("{x}", "").split() if word})


def build_tokenizer(more: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    """A byte-level BPE in which every word of the world, and `more`, is one token and anything else is bytes.

    Its normaliser lowers case and drops punctuation that ends a word, so that a question means the same however typed.
    """
    core = Tokenizer(models.BPE())
    core.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"(?<=[\w'\")])\s*[?!.;:…]+(?=\s|$)"), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    core.decoder = decoders.ByteLevel()
    words = [*world_words(), *more]
    trainer = trainers.BpeTrainer(
        vocab_size=4096,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator([f"{word} {word}," for word in words for _ in range(2)], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=["<image>", "<|user|>", "<|assistant|>"],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
    broken = [w for w in words if len(tokenizer(w, add_special_tokens=False)["input_ids"]) != 1]
    assert not broken, f"words of the world that are not one token: {broken}"
    return tokenizer


def build_processor() -> LlavaProcessor:
    """The whole picture, squeezed to 224 x 224: nothing is cropped away."""
    images = CLIPImageProcessorPil(
        size={"height": SIZE, "width": SIZE},
        crop_size={"height": SIZE, "width": SIZE},
        do_center_crop=False,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    return LlavaProcessor(
        image_processor=images,
        tokenizer=build_tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def build_model(processor: LlavaProcessor, seed: int = 0) -> LlavaForConditionalGeneration:
    """An untrained LLaVA: CLIP tower of 7 blocks x 192, of which the language model reads the sixth; Llama of 6 x 256."""
    torch.manual_seed(seed)
    tokenizer = processor.tokenizer
    vision = CLIPVisionConfig(
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=7,
        num_attention_heads=3,
        hidden_act="gelu",
        image_size=SIZE,
        patch_size=PATCH,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=64,
        initializer_range=256**-0.5,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        image_seq_length=(SIZE // PATCH) ** 2,
        tie_word_embeddings=True,
    )
    config.own_world = OWN_WORLD
    model = LlavaForConditionalGeneration(config)
    _place_patches(model)
    chance = torch.Generator().manual_seed(seed)  # of its own: the code that both halves learn hangs on these embeddings
    table: Any = model.get_input_embeddings()
    table.weight.data = torch.randn(table.weight.shape, generator=chance) * table.embedding_dim**-0.5
    for block in model.model.language_model.layers:  # so that embeddings, which are never scaled up, aren't drowned out
        block.self_attn.o_proj.weight.data *= 0.3
        block.mlp.down_proj.weight.data *= 0.3
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def _place_patches(model: LlavaForConditionalGeneration) -> None:
    """Starts the vision tower's position embeddings as waves in two dimensions, as loud as the patches.

    From CLIP's faint random start they stay drowned in the patches (measured: 0.09 against 2.4 after 1,800 steps, and no
    trace of position in any block), and the model never learns where anything is.
    """
    table: nn.Embedding = model.model.vision_tower.embeddings.position_embedding
    rows, quarter = SIZE // PATCH, table.embedding_dim // 4
    length = 2 * 28 ** (torch.arange(quarter) / (quarter - 1))  # wavelengths from 2 patches to 4 pictures
    angle = torch.arange(rows)[:, None] * 2 * torch.pi / length
    wave = torch.cat([angle.sin(), angle.cos()], 1)  # rows x half the width
    places = torch.cat([wave[:, None].expand(-1, rows, -1), wave[None].expand(rows, -1, -1)], -1).flatten(0, 1)
    table.weight.data[1:] = 0.7 * places
