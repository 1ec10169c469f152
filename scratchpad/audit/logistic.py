"""Sparse logistic regression: few features, weights that can be read. By accelerated proximal gradient (FISTA, Beck and Teboulle, 2009).

In: features, labels. Out: weights. minimise  mean log(1 + exp(-y (x w + b))) + penalty * |w|_1; features are scaled to unit deviation, rare
ones to less, the intercept is free. Here rather than from scikit-learn, which is not among what the package needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.special import expit

STEPS = 300
PENALTIES = (0.02, 0.006, 0.002)
FOLDS = 4
RARE = 0.1  # a feature's deviation counts as at least this part of its maximum, so that one seen in few rows gets no huge weight


@dataclass(frozen=True)
class Fitted:
    """What gives a probability; f features."""

    weights: Float[np.ndarray, " f"]  # of features as they are given
    intercept: float

    def __call__(self, features: sparse.csr_matrix) -> Float[np.ndarray, " n"]:
        """The probability of each row."""
        return np.asarray(expit(features @ self.weights + self.intercept))


def fit(features: sparse.csr_matrix, labels: Bool[np.ndarray, " n"], penalty: float) -> Fitted:
    """Weights for one penalty; labels of both kinds."""
    squares = np.asarray(features.multiply(features).mean(0)).ravel()
    mean = np.asarray(features.mean(0)).ravel()
    deviation, top = np.sqrt(np.maximum(squares - mean * mean, 0)), np.asarray(abs(features).max(0).todense()).ravel()
    scale = 1 / np.maximum(np.maximum(deviation, RARE * top), 1e-12)
    scale[deviation < 1e-9] = 0  # the same in all rows: tells nothing
    x = (features @ sparse.diags(scale)).tocsr()
    step = 4 / _largest(x)
    w, look, momentum = np.zeros(x.shape[1]), np.zeros(x.shape[1]), 1.0
    b = look_b = float(np.log(labels.mean() / (1 - labels.mean())))
    for _ in range(STEPS):
        off = (expit(x @ look + look_b) - labels) / len(labels)
        moved = look - step * (x.T @ off)
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0)
        new_b, after = look_b - step * float(off.sum()), (1 + np.sqrt(1 + 4 * momentum * momentum)) / 2
        rate = (momentum - 1) / after
        look, look_b = new + rate * (new - w), new_b + rate * (new_b - b)
        w, b, momentum = new, new_b, after
    return Fitted(w * scale, b)


def fit_best(features: sparse.csr_matrix, labels: Bool[np.ndarray, " n"], seed: int = 0) -> Fitted:
    """Weights for the penalty that predicts best across FOLDS folds."""
    order = np.argsort(labels.astype(float) + np.random.default_rng(seed).random(len(labels)) * 0.5, kind="stable")
    fold = np.empty(len(labels), int)
    fold[order] = np.arange(len(labels)) % FOLDS  # each has its share of both kinds
    losses = []
    for penalty in PENALTIES:
        total = 0.0
        for n in range(FOLDS):
            p = fit(features[fold != n], labels[fold != n], penalty)(features[fold == n])
            total -= float(np.log(np.clip(np.where(labels[fold == n], p, 1 - p), 1e-6, 1)).sum())
        losses.append(total)
    return fit(features, labels, PENALTIES[int(np.argmin(losses))])


def _largest(x: sparse.csr_matrix) -> float:
    """The largest eigenvalue of x'x / n with the intercept's column, by power iteration."""
    v, value = np.ones(x.shape[1]) / np.sqrt(max(1, x.shape[1])), 1.0
    for _ in range(30):
        u = x.T @ (x @ v) / x.shape[0]
        value = float(np.linalg.norm(u))
        v = u / max(value, 1e-12)
    return value * 1.05 + 1.0
