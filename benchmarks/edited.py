"""What running again under an edit costs beside its bound: `python -m benchmarks.edited`.

The bound of an edit whose first changed token stands at position c of s: (s - c) / s of a plain prefill, plus decoding.
Several counterfactuals are run as one batch and one after another.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from benchmarks.capture import plain
from benchmarks.measure import costs, report, row
from benchmarks.models import build, sizes
from scratchpad.vlm.reuse import first_changed
from scratchpad.vlm.run import force_all, generate, run_and_keep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes(parser)
    parser.add_argument("--from-share", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 0.95], help="where in the image edits begin")
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    vlm, prepared = build(options)
    layer = vlm.read_layer
    found, known = run_and_keep(vlm, prepared, layer, options.new_tokens)
    chance = torch.Generator().manual_seed(0)

    def change(share: float) -> torch.Tensor:
        tokens = np.flatnonzero(np.diff(prepared.grid.token_patches.indptr))
        patch = prepared.grid.token_patches[tokens[int(share * (len(tokens) - 1))]].indices[0]
        out = torch.zeros(1, prepared.grid.patches, vlm.width)
        out[0, patch] = torch.randn(vlm.width, generator=chance)
        return out.to(options.device)

    changes = {share: change(share) for share in options.from_share}
    ways = {"prefill": lambda: plain(vlm, prepared, 1), "plain": lambda: plain(vlm, prepared, options.new_tokens)}
    ways |= {f"{share}": lambda d=d: generate(vlm, prepared, options.new_tokens, layer, d, known) for share, d in changes.items()}
    cost = costs(ways, options.device, options.repeat)
    decoding = cost["plain"].seconds - cost["prefill"].seconds
    rows = [row("plain run", cost["plain"], bound="", ratio="")]
    for share, d in changes.items():
        first = first_changed(vlm, prepared, layer, d[0].ne(0).any(-1).cpu().numpy())
        bound = (1 - first / prepared.length) * cost["prefill"].seconds + decoding
        one = cost[f"{share}"]
        rows.append(
            row(
                f"edit from position {first} of {prepared.length}",
                one,
                bound=f"{bound:.3f} s",
                ratio=f"{one.seconds / bound:.2f} x its bound",
            )
        )
    deltas = [change(0.5)[0].cpu().numpy() for _ in range(options.batch)]
    together = {
        "one batch": lambda: force_all(vlm, prepared, found.answer_ids, layer, deltas, known),
        "one after another": lambda: [force_all(vlm, prepared, found.answer_ids, layer, [d], known) for d in deltas],
        "one after another, nothing reused": lambda: [force_all(vlm, prepared, found.answer_ids, layer, [d]) for d in deltas],
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
