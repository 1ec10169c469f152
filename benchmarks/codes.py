"""What sparse codes save over dense arrays: `python -m benchmarks.codes`.

Encoding p patches with a wide SAE and weighting the latents by attention, as the workbench does it and with dense arrays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import costs, report, row
from scratchpad.analysis.rank import scores
from scratchpad.records.hookpoint import vision
from scratchpad.sae.load import Sae


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=2880)
    parser.add_argument("--latents", type=int, default=65536)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chance = torch.Generator().manual_seed(0)
    matrix = torch.randn(options.width, options.latents, generator=chance) / options.width**0.5
    nothing = torch.zeros(options.latents), matrix.T, torch.zeros(options.width)
    sae = Sae("random", Path(), "topk", vision(0), {}, matrix, *nothing, k=options.k)
    x = torch.randn(options.patches, options.width, generator=chance).numpy()
    weights = torch.rand(options.tokens, options.patches, generator=chance).numpy()

    def sparse() -> tuple[np.ndarray, np.ndarray]:
        return scores(sae.encode(x), weights)

    def dense() -> np.ndarray:
        mapped: np.ndarray = weights @ sae.activations(torch.from_numpy(x)).numpy()
        return mapped

    latents, found = sparse()
    whole = dense()
    np.testing.assert_allclose(found, whole[:, latents], rtol=1e-3, atol=1e-3)
    assert not np.delete(whole, latents, 1).any()
    cost = costs({"sparse": sparse, "dense": dense}, repeat=options.repeat)
    array = options.patches * options.latents * 4
    rows = [
        row(
            name,
            one,
            of_one_dense_array=f"1/{array / max(1, one.peak_bytes):.1f}",
            time=f"{one.seconds / cost['dense'].seconds:.2f} x dense",
        )
        for name, one in cost.items()
    ]
    names = {"patches": options.patches, "latents": options.latents, "k": options.k, "tokens": options.tokens}
    report("codes", rows, names, options.json)


if __name__ == "__main__":
    main()
