"""What is remembered is bounded in bytes."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from scipy import sparse

from scratchpad.caching import Cache, nbytes
from scratchpad.sae.load import load_sae
from scratchpad.workbench import DEFAULT_SAE


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: Cache[np.ndarray] = Cache(10_000_000)
    for n in range(9):
        cache.put(n, np.zeros(1_000_000, np.uint8))
    assert len(cache) == 9
    assert cache.find(0) is not None
    cache.put("large", np.zeros(3_000_000, np.uint8))
    assert [key for key in (0, 1, 2, 3, 4, 8, "large") if key in cache] == [0, 4, 8, "large"]
    assert cache.held <= 10_000_000
    cache.put("too large", np.zeros(20_000_000, np.uint8))
    assert "too large" not in cache
    assert 0 in cache
    made: list[int] = []
    assert [cache.get("x", lambda: made.append(1) or np.ones(1)) is not None for _ in range(3)] == [True] * 3
    assert made == [1]
    few: Cache[int] = Cache(10**6, count=2)
    for n in range(5):
        few.put(n, n + 1)
    assert [n for n in range(5) if n in few] == [3, 4]


def test_bytes_are_those_of_what_a_value_holds() -> None:
    array = np.zeros((1000, 100), np.float32)
    assert nbytes(array) == 400_000
    assert nbytes(array[:1]) == 400_000, "a view keeps the whole"
    assert 800_000 <= nbytes([torch.zeros(1000, 100), array, array]) < 801_000
    assert nbytes(Image.new("RGB", (100, 100))) == 30_000
    assert nbytes(sparse.eye(1000, format="csr")) >= 12_000
    sae = load_sae(DEFAULT_SAE)
    assert nbytes(sae) >= sae.W_enc.nbytes + sae.W_dec.nbytes
    loop: list = []
    loop.append(loop)
    assert nbytes(loop) < 200
