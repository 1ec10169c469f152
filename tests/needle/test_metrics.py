"""Known answers, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scratchpad.needle.bias import biases
from scratchpad.needle.metrics import Measured, interval, measure


def planted(shape: tuple[int, int], *at: tuple[int, int]) -> np.ndarray:
    out = np.zeros(shape, bool)
    for row, col in at:
        out[row, col] = True
    return out


def test_an_oracle_is_perfect() -> None:
    needle = planted((3, 4), (1, 2), (1, 3))
    assert measure(needle / needle.sum(), needle) == Measured(accuracy=1, score=0.5, rank=0, distance=0)


def test_two_by_two_by_hand() -> None:
    s = np.array([[0.1, 0.4], [0.3, 0.2]])
    assert measure(s, planted((2, 2), (0, 0))) == Measured(0, pytest.approx(0.1), 0.75, pytest.approx(1 / np.sqrt(2)))
    assert measure(s, planted((2, 2), (1, 0))) == Measured(0, pytest.approx(0.3), 0.25, pytest.approx(1))


def test_two_by_three_by_hand() -> None:
    s = np.array([[5.0, 1, 2], [3, 4, 0]])
    found = measure(s, planted((2, 3), (1, 1), (1, 2)))
    assert found == Measured(0, pytest.approx(2.0), pytest.approx(1 / 6), pytest.approx(np.sqrt(2) / np.sqrt(5)))


@pytest.mark.parametrize("at", [(0, 0), (1, 2), (2, 2)])
def test_ties_help_no_position(at: tuple[int, int]) -> None:
    assert measure(np.ones((3, 3)), planted((3, 3), at)).accuracy == pytest.approx(1 / 9)


def test_random_maps_score_chance_within_the_interval() -> None:
    rng = np.random.default_rng(0)
    hits = [measure(rng.random((4, 4)), planted((4, 4), divmod(n % 16, 4))).accuracy for n in range(800)]
    mean, low, high = interval(np.array(hits), np.repeat(np.arange(20), 40))
    assert low <= 1 / 16 <= high
    assert mean == pytest.approx(np.mean(hits))


def test_a_map_off_by_one_cell_has_the_known_distance() -> None:
    needle = planted((5, 9), (2, 3))
    assert measure(np.roll(needle, 1, 1).astype(float), needle).distance == pytest.approx(1 / np.hypot(4, 8))


def test_a_transposed_map_on_a_wide_grid_fails() -> None:
    with pytest.raises(AssertionError):
        measure(np.ones((9, 5)), planted((5, 9), (2, 3)))


def test_biases_are_named_and_chance_is_not() -> None:
    y, x = np.mgrid[0:7, 0:7]
    rng = np.random.default_rng(0)
    tilted = (y - x) + rng.normal(0, 1, (7, 7))
    assert biases(tilted)[0]["towards"] == "bottom left"
    ring = np.maximum(abs(y - 3), abs(x - 3)) == 3
    assert biases(ring + rng.normal(0, 0.2, (7, 7)))[0]["towards"] == "border cells"
    named = [bool(biases(rng.normal(0, 1, (7, 7)), seed=n)) for n in range(60)]
    assert np.mean(named) < 0.2
    assert biases(rng.normal(0, 1, (2, 2))) == []
