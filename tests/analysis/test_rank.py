"""Sparse scores equal dense ones (invariant 4)."""

from __future__ import annotations

import numpy as np

from scratchpad.analysis import rank
from tests.helpers import random_codes


def test_scores_equal_the_dense_product() -> None:
    codes = random_codes(patches=50, d_sae=300, k=9)
    weights = np.random.default_rng(1).dirichlet(np.ones(50), 6).astype(np.float32)
    active, scores = rank.scores(codes, weights)
    dense = codes.dense(np.arange(300))
    np.testing.assert_allclose(scores, (weights @ dense)[:, active], atol=1e-5)
    assert set(active) == set(np.flatnonzero(dense.max(0) > 0))


def test_mean_is_the_plain_mean() -> None:
    codes = random_codes(patches=20, d_sae=64, k=4)
    active, means = rank.mean_scores(codes)
    np.testing.assert_allclose(means, codes.dense(active).mean(0), atol=1e-6)


def test_one_latent_everywhere() -> None:
    codes = random_codes(patches=20, d_sae=64, k=4)
    latent = int(codes.active()[0])
    np.testing.assert_array_equal(codes.of(latent), codes.dense(np.array([latent]))[:, 0])
