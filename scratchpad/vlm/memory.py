"""How much memory a model needs, told before a byte of its weights is read.

In: a configuration. Out: bytes. Weights are counted on the meta device; one run adds its keys and values and the widest
layer's activations, which at the sizes people ask with are small beside them.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoModelForImageTextToText, PreTrainedConfig

TOKENS = 4096  # positions a run is reckoned with
LANGUAGE = re.compile(r"\b(language_model|text_model)\b.*\blayers\b")  # parameters of a language model's blocks


def needed_bytes(config: PreTrainedConfig, dtype: torch.dtype, bits: int | None = None) -> int:
    """Bytes for the weights in `dtype`, the language model's matrices in `bits`, and one run of TOKENS positions."""
    retrieval = getattr(config, "vlm_config", None)
    auto: Any = AutoModelForImageTextToText if retrieval is None else AutoModel
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = auto.from_config(retrieval or config)
    weights = quantised = 0
    for name, parameter in model.named_parameters():
        if bits and parameter.ndim == 2 and LANGUAGE.search(name):
            quantised += parameter.numel()
        else:
            weights += parameter.numel()
    text: Any = config.get_text_config()
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    cached = 2 * text.num_hidden_layers * (getattr(text, "num_key_value_heads", None) or text.num_attention_heads) * head * TOKENS
    passing = 4 * TOKENS * (text.intermediate_size + text.hidden_size)
    return int((weights + cached + passing) * dtype.itemsize + quantised * (bits or 0) / 8)


def free_bytes(device: str) -> int | None:
    """Memory that is free on a device; None where it can't be told."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    limits = [_meminfo("MemAvailable"), _container_limit()]
    return min((limit for limit in limits if limit is not None), default=None)


def _meminfo(field: str) -> int | None:
    path = Path("/proc/meminfo")
    if not path.is_file():
        return None
    rows = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(rows[field].split()[0]) * 1024 if field in rows else None


def _container_limit() -> int | None:
    most, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if not most.is_file() or most.read_text().strip() == "max":
        return None
    return int(most.read_text()) - int(used.read_text())


def readable(size: int) -> str:
    """Bytes as people say them."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"
