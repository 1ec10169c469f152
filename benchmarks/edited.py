"""What running again under an edit costs beside its bound: `python -m benchmarks.edited`.

The bound of an edit whose first changed token stands at position c of s: (s - c) / s of a plain prefill, plus decoding, both
read off the quickest plain run, which is split when its first token is there. It
counts every position alike; but later ones attend to more keys, so beside it stands one whose attention counts (s^2 - c^2) / s^2.
Several counterfactuals are run as one batch and one after another.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from benchmarks.capture import plain
from benchmarks.measure import costs, report, row
from benchmarks.models import build, sizes
from scratchpad.vlm.forcing import force_all
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.reuse import first_changed
from scratchpad.vlm.run import generate, run_and_keep


class Split(StoppingCriteria):
    """Tells a run's prefill from its decoding: when its first token was there."""

    def __init__(self) -> None:
        self.runs: list[tuple[float, float]] = []  # seconds until the first token, and from there on

    def time(self, run: Callable[[], object]) -> None:
        self.first = 0.0
        begun = time.perf_counter()
        run()
        self.runs.append((self.first - begun, time.perf_counter() - self.first))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        if not self.first:
            if input_ids.is_cuda:
                torch.cuda.synchronize()
            self.first = time.perf_counter()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def _attending(vlm: Vlm, length: int, options: argparse.Namespace) -> float:
    """Seconds that a plain prefill spends on attention alone: causal SDPA of its own shape, once a layer, the best of three."""
    text = vlm.model.config.get_text_config()
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    q, k, v = (torch.randn(1, text.num_attention_heads, length, head, device=options.device, dtype=vlm.model.dtype) for _ in range(3))
    attend = partial(torch.nn.functional.scaled_dot_product_attention, q, k, v, is_causal=True)
    layers: int = text.num_hidden_layers
    return costs({"attention": attend}, options.device, 3)["attention"].seconds * layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes(parser)
    parser.add_argument("--from-share", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 0.95], help="where in the image edits begin")
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    vlm, prepared = build(options)
    at = vlm.read_point
    found, known = run_and_keep(vlm, prepared, at, options.new_tokens)
    chance = torch.Generator().manual_seed(0)

    def change(share: float) -> torch.Tensor:
        tokens = np.flatnonzero(np.diff(prepared.grid.token_patches.indptr))
        patch = prepared.grid.token_patches[tokens[int(share * (len(tokens) - 1))]].indices[0]
        out = torch.zeros(1, prepared.grid.patches, vlm.width)
        out[0, patch] = torch.randn(vlm.width, generator=chance)
        return out.to(options.device)

    changes = {share: change(share) for share in options.from_share}
    split = Split()
    watched = partial(plain, vlm, prepared, options.new_tokens, stopping_criteria=StoppingCriteriaList([split]))
    ways: dict[str, Callable[[], object]] = {"plain": lambda: split.time(watched)}
    ways |= {f"{share}": partial(generate, vlm, prepared, options.new_tokens, at, d, known) for share, d in changes.items()}
    cost = costs(ways, options.device, options.repeat)
    prefill, decoding = min(split.runs, key=sum)
    attending = _attending(vlm, prepared.length, options)
    rows = [row("plain run", cost["plain"], bound="", ratio=f"{prefill:.3f} s until its first token, {decoding:.3f} s from there")]
    for share, d in changes.items():
        first = first_changed(vlm, prepared, at, d[0].ne(0).any(-1).cpu().numpy())
        before = first / prepared.length
        bound = (1 - before) * prefill + decoding
        keyed = (1 - before) * (prefill - attending) + (1 - before**2) * attending + decoding
        one = cost[f"{share}"]
        rows.append(
            row(
                f"edit from position {first} of {prepared.length}",
                one,
                bound=f"{bound:.3f} s",
                ratio=f"{one.seconds / bound:.2f} x its bound, {one.seconds / keyed:.2f} x one that counts the keys each position sees",
            )
        )
    deltas = [change(0.5)[0].cpu().numpy() for _ in range(options.batch)]
    together = {
        "one batch": lambda: force_all(vlm, prepared, found.answer_ids, at, deltas, known),
        "one after another": lambda: [force_all(vlm, prepared, found.answer_ids, at, [d], known) for d in deltas],
        "one after another, nothing reused": lambda: [force_all(vlm, prepared, found.answer_ids, at, [d]) for d in deltas],
    }
    cost = costs(together, options.device, options.repeat)
    for name, one in cost.items():
        rows.append(
            row(
                f"{options.batch} counterfactuals, {name}",
                one,
                bound="",
                ratio=f"{one.seconds / cost['one batch'].seconds:.2f} x one batch",
            )
        )
    names = {"layers": options.layers, "width": options.width, "image tokens": prepared.grid.image_tokens, "new tokens": options.new_tokens}
    report("edited", rows, names | {"device": options.device, "dtype": options.dtype}, options.json)


if __name__ == "__main__":
    main()
