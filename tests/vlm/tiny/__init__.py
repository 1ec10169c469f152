"""A tiny randomly initialised model of every family's true classes, with a processor built here: nothing is downloaded.

Sizes are odd on purpose: rows differ from columns, tiles from images, and heads from key-value heads, so that nothing
can be swapped without a test noticing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare
from tests.vlm.tiny.llavas import aya_vision, internvl, llava, llava_next, llava_onevision, vipllava
from tests.vlm.tiny.others import (
    blip2,
    deepseek_vl,
    gemma3,
    idefics3,
    janus,
    lighton_ocr,
    mistral3,
    ovis2,
    paligemma,
    paligemma2,
    smolvlm,
)
from tests.vlm.tiny.parts import PLAIN, tokenizer
from tests.vlm.tiny.qwens import glm4v, glm4v_moe, glm46v, qwen2_5_vl, qwen2_vl, qwen3_vl, qwen3_vl_moe
from tests.vlm.tiny.retrievers import RETRIEVERS, retriever_of

__all__ = [
    "FAMILIES",
    "NAMES",
    "PLAIN",
    "RETRIEVERS",
    "blip2",
    "gemma3",
    "llava",
    "noise",
    "prepared_of",
    "retriever_of",
    "tokenizer",
    "vlm_of",
]

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
