"""A small SAE in four tensors, and activations."""

from __future__ import annotations

import pytest
import torch

from tests.sae.formats.formulas import D, L, N


@pytest.fixture
def four() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    return {"W_enc": draw(D, L), "b_enc": draw(L), "W_dec": draw(L, D), "b_dec": draw(D)}


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(N, D, generator=torch.Generator().manual_seed(1))
