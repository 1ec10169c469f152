"""Sparse logistic regression finds what was planted and no more; areas and calibration are what they are called."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import expit

from scratchpad.audit.foresee import auc
from scratchpad.audit.logistic import fit, fit_best


def drawn(seed: int, rows: int = 600) -> tuple[sparse.csr_matrix, np.ndarray]:
    """30 features, of which the third and the eighth count."""
    rng = np.random.default_rng(seed)
    x = (rng.random((rows, 30)) < 0.3) * rng.random((rows, 30))
    labels = rng.random(rows) < expit(-2 + 8 * x[:, 2] - 6 * x[:, 7])
    return sparse.csr_matrix(x), labels


def test_what_counts_is_found() -> None:
    x, labels = drawn(0)
    model = fit_best(x, labels)
    strongest = np.argsort(-np.abs(model.weights))[:2]
    assert set(strongest.tolist()) == {2, 7}
    assert model.weights[2] > 0 > model.weights[7]
    held_out, truth = drawn(1)
    p = model(held_out)
    assert auc(p, truth) > 0.75
    assert abs(p.mean() - truth.mean()) < 0.05


def test_the_optimum_is_reached() -> None:
    """Where a weight isn't 0 the gradient of the loss is the penalty's, where it is, no more than that."""
    x, labels = drawn(2)
    penalty = 0.01
    model = fit(x, labels, penalty)
    scale = x.toarray().std(0)
    slope = (x.T @ (model(x) - labels) / len(labels)) / scale
    used = np.abs(model.weights) > 1e-9
    assert used.any()
    assert np.allclose(slope[used], -penalty * np.sign(model.weights[used]), atol=1e-4)
    assert (np.abs(slope[~used]) <= penalty + 1e-4).all()


def test_a_strong_penalty_leaves_the_base_rate() -> None:
    x, labels = drawn(3)
    model = fit(x, labels, 10.0)
    assert not model.weights.any()
    assert np.allclose(model(x), labels.mean(), atol=1e-6)


def test_area_counts_ties_half() -> None:
    assert auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True])) == 0.875
