"""The untrained demo retrieval model: a ColPali small enough for a laptop, with its processor.

Its vision tower starts from the demo VLM's, as nearly as SigLIP can hold what CLIP holds. Plain transformers objects.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    ColPaliConfig,
    ColPaliForRetrieval,
    ColPaliProcessor,
    GemmaConfig,
    LlavaForConditionalGeneration,
    PaliGemmaConfig,
    SiglipVisionConfig,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from scratchpad.demo.model import build_tokenizer
from scratchpad.demo.world import PATCH, SIZE

PREFIX = "find"  # before every query
VISUAL = "look at the picture"  # after every image's tokens
BLOCKS = 6
EMBEDDING = 64
OWN_WORLD = "This demo model knows only its own world: up to four emoji on one of ten backgrounds, and signs with one of fourteen words."


def build_processor() -> ColPaliProcessor:
    """The whole picture, squeezed to 224 x 224, 14 x 14 image tokens; queries get PREFIX before and ten <pad> after."""
    images: Any = SiglipImageProcessorPil(
        size={"height": SIZE, "width": SIZE}, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5], do_convert_rgb=True
    )
    images.image_seq_length = (SIZE // PATCH) ** 2
    tokenizer = build_tokenizer((PREFIX, "says"))
    tokenizer.padding_side = "right"
    return ColPaliProcessor(images, tokenizer, visual_prompt_prefix=VISUAL, query_prefix=f"{PREFIX} ")


def build_model(processor: ColPaliProcessor, seed: int = 0) -> ColPaliForRetrieval:
    """An untrained ColPali: SigLIP tower of 6 blocks x 192, Gemma of 4 blocks x 256, embeddings of 64."""
    torch.manual_seed(seed)
    tokenizer: Any = processor.tokenizer
    vision = SiglipVisionConfig(
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=BLOCKS,
        num_attention_heads=3,
        hidden_act="gelu",
        image_size=SIZE,
        patch_size=PATCH,
        vision_use_head=False,
    )
    text = GemmaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=32,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    vlm = PaliGemmaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=processor.image_token_id,
        projection_dim=256,
    )
    config = ColPaliConfig(vlm_config=vlm, embedding_dim=EMBEDDING)
    config.own_world = OWN_WORLD
    return ColPaliForRetrieval(config)


@torch.no_grad()
def start_from(model: ColPaliForRetrieval, demo: LlavaForConditionalGeneration, spread: float = 1.0) -> None:
    """Copies the demo VLM's encoder: its blocks as they are; its first norm, which SigLIP lacks, folded into the patch embedding.

    Args:
        spread: what that norm divides by, as the mean over patches; the folding is exact but for how it varies.
    """
    tower: Any = model.vlm.vision_tower
    clip: Any = demo.model.vision_tower
    norm, embed = clip.pre_layrnorm, clip.embeddings
    gain, weight = norm.weight / spread, embed.patch_embedding.weight
    tower.embeddings.patch_embedding.weight.copy_((weight - weight.mean(0, keepdim=True)) * gain[:, None, None, None])
    tower.embeddings.patch_embedding.bias.copy_(norm.bias)
    places = embed.position_embedding.weight[1:]
    tower.embeddings.position_embedding.weight.copy_((places - places.mean(1, keepdim=True)) * gain)
    for mine, theirs in zip(tower.encoder.layers, clip.encoder.layers[:BLOCKS], strict=True):
        mine.load_state_dict(theirs.state_dict())


@torch.no_grad()
def spread_of(demo: LlavaForConditionalGeneration, pixels: torch.Tensor) -> float:
    """What the demo VLM's first norm divides by on these pictures, as a mean over patches."""
    clip: Any = demo.model.vision_tower
    return float(clip.embeddings(pixels)[:, 1:].std(-1).mean())
