"""Which latents are run first: size of the prediction and attention together, whatever the sign."""

from __future__ import annotations

import numpy as np

from scratchpad.analysis.suggest import likeliest


def test_the_sign_of_a_prediction_is_not_believed() -> None:
    predicted = np.array([-0.1, 2.0, -1.0, 0.0], np.float32)
    assert likeliest(predicted, np.array([1.0, 4.0, 3.0, 2.0], np.float32)).tolist() == [1, 2, 0, 3]


def test_both_signals_count() -> None:
    predicted = np.array([9.0, 8.0, 7.0, 6.0, 0.0], np.float32)
    weighted = np.array([0.0, 8.0, 1.0, 2.0, 9.0], np.float32)
    assert likeliest(predicted, weighted)[0] == 1  # second by each


def test_none_is_ranked_where_none_is_active() -> None:
    assert likeliest(np.zeros(0, np.float32), np.zeros(0, np.float32)).tolist() == []
