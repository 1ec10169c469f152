"""ViT-Prisma's files: ReLU, top k, gated, layer_norm, and hook points that are none of the residual stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from tests.sae.formats.formulas import assert_agrees, assert_saelens_agrees, gated, layer_normed, pre, taken, topk


@pytest.mark.parametrize("act", ["relu", "topk"])
def test_prisma(four, x, tmp_path: Path, act: str) -> None:
    torch.save(four, tmp_path / "weights.pt")
    config = {"hook_point_layer": 9, "activation_fn_str": act, "activation_fn_kwargs": {"k": 6}, "normalize_activations": None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    sae = taken(tmp_path, "prisma", tmp_path / "out")
    assert sae.at == vision(9)
    assert_agrees(sae, x, pre(four, x).relu() if act == "relu" else topk(pre(four, x), 6).relu(), four)


PRISMA = {"hook_point_layer": 9, "activation_fn_str": "relu", "normalize_activations": "layer_norm", "cls_token_only": False}


def prisma_file(folder: Path, state: dict[str, torch.Tensor], **config: object) -> Path:
    torch.save(state, folder / "weights.pt")
    (folder / "config.json").write_text(json.dumps(PRISMA | config))
    return folder


def test_prisma_with_layer_norm(four, x, tmp_path: Path) -> None:
    x = x * 3 + 2
    sae = taken(prisma_file(tmp_path, four, hook_point="blocks.9.hook_resid_post"), "prisma", tmp_path / "out")
    codes = pre(four, layer_normed(x)).relu()
    torch.testing.assert_close(sae.activations(x), codes, atol=1e-5, rtol=1e-5)
    assert_saelens_agrees(sae, x, codes)
    back = (codes @ four["W_dec"] + four["b_dec"]) * (x.std(-1, keepdim=True) + 1e-5) + x.mean(-1, keepdim=True)
    torch.testing.assert_close(torch.from_numpy(sae.reconstruct(sae.encode(x.numpy()), x.numpy())), back, atol=1e-4, rtol=1e-4)


def test_prisma_gated(four, x, tmp_path: Path) -> None:
    gate = {"b_gate": four["b_enc"], "b_mag": four["b_enc"].flip(0), "r_mag": four["b_enc"] / 4}
    state = {name: four[name] for name in ("W_enc", "W_dec", "b_dec")} | gate
    sae = taken(prisma_file(tmp_path, state, architecture="gated", normalize_activations=None), "prisma", tmp_path / "out")
    assert_agrees(sae, x, gated(four, gate, x), four)


def test_prisma_s_hook_point_is_honoured(four, tmp_path: Path) -> None:
    for config, layer in (
        ({"hook_point": "blocks.{layer}.hook_resid_post"}, 9),
        ({"hook_point": "blocks.9.hook_resid_pre"}, 8),
        ({"layer_subtype": "hook_resid_post"}, 9),
    ):
        assert import_sae(prisma_file(tmp_path, four, **config), "prisma", tmp_path / f"out-{layer}")["at"] == f"vision.{layer}"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"hook_point": "blocks.9.hook_mlp_out"}, "reads blocks.9.hook_mlp_out, which is not the output of a vision block"),
        ({"layer_subtype": "hook_attn_out"}, "not the output of a vision block"),
        ({"cls_token_only": True}, "reads the class token alone"),
        ({"is_transcoder": True}, "a transcoder"),
        ({"normalize_activations": "magic"}, "normalises its input"),
        ({"activation_fn_str": "tanh-relu"}, "expected relu or topk"),
        ({"architecture": "magic"}, "expected standard or gated"),
    ],
)
def test_prisma_of_another_place_or_form_is_refused(four, tmp_path: Path, config: dict[str, object], why: str) -> None:
    folder = prisma_file(tmp_path, four, **config)
    for at in (None, vision(9)):  # whatever layer is given
        with pytest.raises(UserError, match=why):
            import_sae(folder, "prisma", tmp_path / "out", at=at)
    assert not (tmp_path / "out").exists()
