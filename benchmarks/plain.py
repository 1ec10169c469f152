"""What transformers alone needs for an answer: `python -m benchmarks.plain MODEL IMAGE QUESTION NEW_TOKENS [TIMES]`.

Nothing of ours runs but the processor's loading. Asked once, the peak is the encoder's, when the language model's weights, mapped from
disk, aren't in memory yet; asked twice, all of them are.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from PIL import Image
from transformers import AutoConfig, AutoModelForImageTextToText

from scratchpad.vlm.processor import load_processor


@torch.no_grad()
def main(folder: str, image: str, question: str, new_tokens: str, times: str = "1") -> None:
    processor: Any = load_processor(folder, AutoConfig.from_pretrained(folder))
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto").eval()
    content = [{"type": "image"}, {"type": "text", "text": question}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(images=[Image.open(image).convert("RGB")], text=[text], return_tensors="pt")
    for _ in range(int(times)):
        model.generate(**inputs, max_new_tokens=int(new_tokens), do_sample=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
