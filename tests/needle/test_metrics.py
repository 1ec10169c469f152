"""Known answers, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scratchpad.needle import intervals
from scratchpad.needle.bias import biases
from scratchpad.needle.intervals import clearly_more, of_mean, of_share
from scratchpad.needle.metrics import Measured, measure


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
    hits = np.array([measure(rng.random((4, 4)), planted((4, 4), divmod(n % 16, 4))).accuracy for n in range(800)])
    low, high = of_share(hits)
    assert low <= 1 / 16 <= high


@pytest.mark.parametrize("runs", [2, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("share", [0.03, 0.3, 0.9, 1.0])
def test_an_interval_of_a_share_covers(runs: int, share: float) -> None:
    """Over 49 cells whose chances differ; the truth is their mean."""
    rng = np.random.default_rng(runs)
    covered = []
    for _ in range(600):
        chances = np.clip(rng.beta(4 * share, 4 * (1 - share), 49), 0, 1) if share < 1 else np.ones(49)
        low, high = of_share((rng.random((runs, 49)) < chances).astype(float).ravel())
        covered.append(low - 1e-9 <= chances.mean() <= high + 1e-9)
    assert np.mean(covered) >= 0.93, np.mean(covered)


@pytest.mark.parametrize("runs", [2, 5])
@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_an_interval_of_a_mean_covers(runs: int, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values as rank and distance have them: cells differ, runs of one cell are alike; the truth is the mean over such cells."""
    monkeypatch.setattr(intervals, "DRAWS", 1000)
    rng = np.random.default_rng(runs + 100)
    covered = []
    for n in range(2500):
        cell = rng.normal(0.3, 0.1, 49) if shape == "normal" else rng.gamma(1.5, 0.2, 49)
        values = (cell + rng.normal(0, 0.05, (runs, 49))).ravel()
        low, high = of_mean(values, np.tile(np.arange(49), runs), n)
        covered.append(low <= 0.3 <= high)
    assert np.mean(covered) >= 0.93, np.mean(covered)


def test_a_clear_winner_is_one_on_the_same_images() -> None:
    rng = np.random.default_rng(0)
    cells = np.tile(np.arange(49), 2)
    hard = rng.random(98) < 0.5  # images on which both fail
    better, other = np.where(hard, 0.0, 1.0), np.where(hard | (np.arange(98) % 6 == 0), 0.0, 1.0)
    assert clearly_more(better, other, cells)
    assert not clearly_more(other, better, cells)
    named = [clearly_more((rng.random(98) < 0.5) * 1.0, (rng.random(98) < 0.5) * 1.0, cells) for _ in range(200)]
    assert np.mean(named) <= 0.06  # one side of 5%, with the noise of 200 draws


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
    assert biases(tilted)[0].towards == "bottom left"
    ring = np.maximum(abs(y - 3), abs(x - 3)) == 3
    assert biases(ring + rng.normal(0, 0.2, (7, 7)))[0].towards == "border cells"
    inner = np.zeros((7, 7))
    inner[1:-1, 1:-1] = 1
    inner[2:-2, 2:-2] = 0
    assert biases(inner + rng.normal(0, 0.2, (7, 7)))[0].towards == "ring inside the border"
    named = [bool(biases(rng.normal(0, 1, (7, 7)), seed=n)) for n in range(200)]
    assert np.mean(named) <= 0.08  # 5% asked, with the noise of 200 draws
    assert biases(rng.normal(0, 1, (2, 2))) == []
