"""The answer's log-probability is one number, whoever asks for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scratchpad.vlm.forcing import force, force_each
from scratchpad.vlm.logprobs import answer_logprobs
from scratchpad.vlm.run import generate
from tests.vlm.tiny import NAMES, prepared_of, vlm_of


def test_by_hand() -> None:
    logits = torch.tensor([[[0.0, math.log(3.0)], [math.log(9.0), 0.0]]])
    found = answer_logprobs(logits, (1, 0))
    np.testing.assert_allclose(found.exp().numpy(), [[0.75, 0.9]], rtol=1e-6)


def test_half_precision_is_summed_in_single_and_double_stays_double() -> None:
    logits = torch.randn(2, 5, 7)
    assert answer_logprobs(logits.bfloat16(), range(5)).dtype == torch.float32
    assert answer_logprobs(logits.double(), range(5)).dtype == torch.float64
    rows = [answer_logprobs(row, range(5)) for row in logits]
    assert torch.equal(answer_logprobs(logits, range(5)), torch.stack(rows))


@pytest.mark.parametrize("name", NAMES)
def test_generated_forced_and_batched_are_the_same(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    answer = generate(vlm, prepared, 4)
    forced = force(vlm, prepared, answer.ids).logprobs[0]
    np.testing.assert_allclose(forced[: len(answer.tokens)], [token.logprob for token in answer.tokens], atol=1e-4)
    np.testing.assert_allclose(force_each(vlm, [prepared, prepared], answer.ids), [forced.sum()] * 2, atol=1e-4)
