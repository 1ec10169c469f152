from __future__ import annotations

import numpy as np

from scratchpad.analysis.heatmap import COLUMNS, chosen, heatmap


def test_columns_are_scaled_to_their_own_range() -> None:
    raw = np.array([[0.0, 10.0], [1.0, 30.0], [2.0, 20.0]], np.float32)
    found = heatmap((5, 6, 7), np.array([3, 8]), raw)
    by_latent = dict(zip(found.latents, found.values.T.tolist(), strict=True))
    assert by_latent == {3: [0, 0.5, 1], 8: [0, 1, 0.5]}


def test_columns_that_rise_together_are_one_cluster_and_neighbours() -> None:
    a, b = np.array([0.0, 1, 2, 3]), np.array([3.0, 0, 3, 0])
    raw = np.stack([a, b, a * 7 + 1, b * 2], 1).astype(np.float32)
    found = heatmap((0, 1, 2, 3), np.array([10, 20, 30, 40]), raw)
    assert {frozenset(c.latents) for c in found.clusters} == {frozenset({10, 30}), frozenset({20, 40})}
    assert sorted(found.latents) == [10, 20, 30, 40]
    assert [latent for c in found.clusters for latent in c.latents] == list(found.latents)


def test_no_latent_and_one_latent() -> None:
    assert heatmap((0, 1), np.array([], int), np.zeros((2, 0), np.float32)).clusters == ()
    assert heatmap((0, 1), np.array([4]), np.ones((2, 1), np.float32)).clusters[0].latents == (4,)


def test_a_constant_column_joins_no_cluster() -> None:
    raw = np.array([[1.0, 0, 0], [1, 1, 2], [1, 2, 4]], np.float32)
    found = heatmap((0, 1, 2), np.array([1, 2, 3]), raw)
    assert frozenset({1}) in {frozenset(c.latents) for c in found.clusters}


def test_what_fires_everywhere_takes_no_column_from_the_others() -> None:
    raw = np.arange(2 * COLUMNS, 0, -1, dtype=np.float32)[None]
    everywhere = np.where(np.arange(2 * COLUMNS) < COLUMNS, 0.9, 0.1)
    assert chosen(raw, everywhere).tolist() == list(range(2 * COLUMNS))
    assert chosen(raw, np.zeros(2 * COLUMNS)).tolist() == list(range(COLUMNS))
    assert chosen(np.zeros((0, 0), np.float32), np.zeros(0)).tolist() == []
