"""A randomly initialised LLaVA-NeXT of any size, with a processor built here: what a run costs doesn't hang on its weights."""

from __future__ import annotations

import argparse
import math

import numpy as np
import torch
import transformers as tf
from PIL import Image

from benchmarks.published import TEMPLATE, tokenizer
from scratchpad.vlm import attention
from scratchpad.vlm.families import adapter_of
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.protocols import typed

PATCH = 14
PROMPT = "What is on the table, and which of the things there would one need to write a letter?"


def sizes(parser: argparse.ArgumentParser) -> None:
    """The flags that all benchmarks of a model share."""
    parser.add_argument("--layers", type=int, default=12, help="of the language model")
    parser.add_argument("--width", type=int, default=768, help="of the language model")
    parser.add_argument("--side", type=int, default=24, help="patches on a tile's side; five tiles make 5 * side * side image tokens")
    parser.add_argument("--vision-layers", type=int, default=4)
    parser.add_argument("--vision-width", type=int, default=256)
    parser.add_argument("--new-tokens", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float16", "bfloat16"))
    parser.add_argument("--json", action="store_true")


def build(options: argparse.Namespace) -> tuple[Vlm, Prepared]:
    """The model, and a square picture with a question, which becomes a base view and 2 x 2 tiles."""
    torch.manual_seed(0)
    tokens = tokenizer("<image>")
    tile = options.side * PATCH
    image = tf.LlavaNextImageProcessorPil(
        size={"shortest_edge": tile}, crop_size={"height": tile, "width": tile}, image_grid_pinpoints=[[2 * tile, 2 * tile]]
    )
    template = TEMPLATE.replace("MARK", "<image>")
    processor = tf.LlavaNextProcessor(image, tokens, PATCH, "default", chat_template=template, num_additional_image_tokens=1)
    config = tf.LlavaNextConfig(
        vision_config=tf.CLIPVisionConfig(
            hidden_size=options.vision_width,
            intermediate_size=4 * options.vision_width,
            num_hidden_layers=options.vision_layers,
            num_attention_heads=max(1, options.vision_width // 64),
            image_size=tile,
            patch_size=PATCH,
        ),
        text_config=tf.LlamaConfig(
            vocab_size=len(tokens),
            hidden_size=options.width,
            intermediate_size=math.ceil(options.width * 8 / 3 / 64) * 64,
            num_hidden_layers=options.layers,
            num_attention_heads=options.width // 64,
            num_key_value_heads=options.width // 64,
            max_position_embeddings=8192,
        ),
        image_token_index=tokens.get_vocab()["<image>"],
        image_grid_pinpoints=[[2 * tile, 2 * tile]],
    )
    model = tf.LlavaNextForConditionalGeneration(config).to(options.device, getattr(torch, options.dtype)).eval().requires_grad_(False)
    model.generation_config.eos_token_id = None  # every run makes the same number of tokens
    model.generation_config.pad_token_id = 0
    attention.install(model)
    vlm = Vlm("benchmark", "benchmark", model, typed(processor), adapter_of(model, typed(processor)))
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (2 * tile, 2 * tile, 3), dtype=np.uint8))
    return vlm, prepare(vlm, picture, PROMPT, options.new_tokens)
