"""What parts rows is found, what doesn't is not: p of a permutation test within strata holds its level."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from scratchpad.audit.parting import holm, part


def drawn(seed: int, planted: bool) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """60 rows in 6 strata whose base rates of 40 features differ; feature 7 goes with cases where it is planted."""
    rng = np.random.default_rng(seed)
    strata = rng.integers(0, 6, 60)
    rates = rng.random((6, 40))
    has = rng.random((60, 40)) < rates[strata]
    cases = rng.random(60) < rng.random(6)[strata]
    if planted:
        has[:, 7] = cases ^ (rng.random(60) < 0.05)
    return sparse.csr_matrix(has.astype(np.float32)), cases, strata


def test_a_planted_feature_is_found_and_no_other() -> None:
    has, cases, strata = drawn(0, planted=True)
    parted = part(has, cases, ~cases, strata)
    assert parted.features[np.argmax(parted.z)] == 7
    assert parted.features[parted.p <= 0.01].tolist() == [7]


def test_nothing_is_found_where_nothing_is_planted() -> None:
    """Of 40 sets without a planted feature, few have one below 0.05; features that only tell strata apart don't count."""
    smallest = [part(has, cases, ~cases, strata).p.min() for has, cases, strata in (drawn(seed, planted=False) for seed in range(40))]
    assert sum(p <= 0.05 for p in smallest) <= 6


def test_strata_without_controls_say_nothing() -> None:
    has = sparse.csr_matrix(np.ones((8, 1), np.float32))
    cases = np.array([True] * 4 + [False] * 4)
    parted = part(has, cases, ~cases, np.array([0] * 4 + [1] * 4))
    assert (len(parted.features), parted.cases) == (0, 0)


def test_holm_corrects_for_how_many_there_are() -> None:
    assert np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert holm([]) == []
