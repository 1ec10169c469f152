"""What capturing attention and activations adds to a plain run: `python -m benchmarks.capture`.

Three ways to the same answer: plain `generate` with SDPA; our run, with every layer's attention rows of all text tokens
kept; and what one would do without us, eager attention with `output_attentions=True`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from benchmarks.measure import costs, report, row
from benchmarks.models import build, sizes
from scratchpad.vlm.attention import instead
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes(parser)
    options = parser.parse_args()
    vlm, prepared = build(options)
    rows = []
    for stage, new in (("prefill and one token", 1), (f"prefill and {options.new_tokens} tokens", options.new_tokens)):
        ways: dict[str, Callable[[], object]] = {
            "plain": partial(plain, vlm, prepared, new),
            "captured": partial(run, vlm, prepared, vlm.read_point, new),
            "eager": partial(eager, vlm, prepared, new),
        }
        cost = costs(ways, options.device, options.repeat)
        base, ours, theirs = cost["plain"], cost["captured"], cost["eager"]
        rows += [
            row(f"{stage}: plain", base, time="1", extra_memory=""),
            row(
                f"{stage}: captured",
                ours,
                time=f"{ours.seconds / base.seconds:.2f} x plain",
                extra_memory=f"{(ours.peak_bytes - base.peak_bytes) / held(vlm, base.peak_bytes):+.1%} of plain's peak",
            ),
            row(
                f"{stage}: eager",
                theirs,
                time=f"{theirs.seconds / ours.seconds:.2f} x captured",
                extra_memory=_times(theirs.peak_bytes - base.peak_bytes, ours.peak_bytes - base.peak_bytes),
            ),
        ]
    names = {"layers": options.layers, "width": options.width, "image tokens": prepared.grid.image_tokens, "device": options.device}
    report("capture", rows, names | {"dtype": options.dtype}, options.json)


def _times(theirs: int, ours: int) -> str:
    """How many times more; where ours is nothing at all, by how much."""
    return f"{theirs / ours:.0f} x captured's" if ours > 2**20 else f"{theirs / 2**20:.0f} MiB beside none"


def held(vlm: Vlm, peak: int) -> int:
    """A plain run's whole peak: the weights and what it takes beside them."""
    return peak + sum(p.numel() * p.element_size() for p in vlm.model.parameters())


@torch.no_grad()
def plain(vlm: Vlm, prepared: Prepared, new: int, **more: object) -> object:
    with instead(vlm.model, "sdpa"):
        return _generate(vlm, prepared, new, **more)


@torch.no_grad()
def eager(vlm: Vlm, prepared: Prepared, new: int) -> object:
    with instead(vlm.model, "eager"):
        return _generate(vlm, prepared, new, output_attentions=True)


def _generate(vlm: Vlm, prepared: Prepared, new: int, **more: object) -> object:
    how = {"do_sample": False, "return_dict_in_generate": True, "output_logits": True}
    model: Any = vlm.model
    return model.generate(**prepared.inputs, max_new_tokens=new, **how, **more)


if __name__ == "__main__":
    main()
