"""The published formulas, and how an import is held against them."""

from __future__ import annotations

from pathlib import Path

import torch

from scratchpad.sae.foreign import import_sae
from scratchpad.sae.load import Sae, load_sae

D, L, N = 12, 40, 30


def pre(w: dict[str, torch.Tensor], x: torch.Tensor, subtract: bool = True) -> torch.Tensor:
    return (x - w["b_dec"] if subtract else x) @ w["W_enc"] + w["b_enc"]


def topk(values: torch.Tensor, k: int) -> torch.Tensor:
    best = values.topk(k, -1)
    return torch.zeros_like(values).scatter(-1, best.indices, best.values)


def taken(folder: Path, format: str, out: Path, **said) -> Sae:
    import_sae(folder, format, out, **said)
    return load_sae(out)


def assert_agrees(sae: Sae, x: torch.Tensor, codes: torch.Tensor, w: dict[str, torch.Tensor]) -> None:
    torch.testing.assert_close(sae.activations(x), codes, atol=1e-5, rtol=1e-5)
    ours = sae.encode(x.numpy())
    torch.testing.assert_close(torch.from_numpy(sae.reconstruct(ours)), codes @ w["W_dec"] + w["b_dec"], atol=1e-4, rtol=1e-4)
    assert_saelens_agrees(sae, x, codes)


def assert_saelens_agrees(sae: Sae, x: torch.Tensor, codes: torch.Tensor) -> None:
    from sae_lens import SAE

    torch.testing.assert_close(SAE.load_from_disk(sae.folder).encode(x).detach(), codes, atol=1e-5, rtol=1e-5)


def linear(w: dict[str, torch.Tensor], bias: str, encoder: str = "encoder.bias") -> dict[str, torch.Tensor]:
    """The same tensors by torch.nn.Linear's names."""
    return {"encoder.weight": w["W_enc"].T, encoder: w["b_enc"], "decoder.weight": w["W_dec"].T, bias: w["b_dec"]}


def layer_normed(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.std(-1, keepdim=True) + 1e-5)


def gated(w: dict[str, torch.Tensor], gate: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    inner = (x - w["b_dec"]) @ w["W_enc"]
    return (inner + gate["b_gate"] > 0) * (inner * gate["r_mag"].exp() + gate["b_mag"]).relu()


def above(values: torch.Tensor, threshold: float | torch.Tensor) -> torch.Tensor:
    return values.relu() * (values > threshold)
