"""Bussmann's files: input_unit_norm, batch top k with its threshold or without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from tests.sae.formats.formulas import L, above, assert_saelens_agrees, layer_normed, pre, taken, topk


def bussmann_file(folder: Path, state: dict[str, torch.Tensor], kind: str, **config: object) -> Path:
    torch.save(state | {"num_batches_not_active": torch.zeros(L)}, folder / "sae.pt")
    said = {"sae_type": kind, "top_k": 5, "input_unit_norm": True, "hook_point": "blocks.8.hook_resid_pre", "model_name": "clip"}
    (folder / "config.json").write_text(json.dumps(said | config))
    return folder


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize(
    ("kind", "state", "said", "codes"),
    [
        ("vanilla", {}, {}, lambda w, x: pre(w, x).relu()),
        ("topk", {}, {}, lambda w, x: topk((pre(w, x) - w["b_enc"]).relu(), 5)),
        ("batchtopk", {"threshold": torch.tensor(3.0)}, {}, lambda w, x: above(pre(w, x) - w["b_enc"], 3.0)),
        ("batchtopk", {}, {"threshold": 2.0}, lambda w, x: above(pre(w, x) - w["b_enc"], 2.0)),
        ("batchtopk", {}, {"k": 4}, lambda w, x: topk((pre(w, x) - w["b_enc"]).relu(), 4)),
        (
            "jumprelu",
            {"jumprelu.log_threshold": torch.linspace(-1, 1, L)},
            {},
            lambda w, x: above(pre(w, x, False), torch.linspace(-1, 1, L).exp()),
        ),
    ],
)
def test_bussmann(four, x, tmp_path: Path, kind: str, state, said, codes, unit: bool) -> None:
    x = x * 3 + 1
    sae = taken(bussmann_file(tmp_path, four | state, kind, input_unit_norm=unit), "bussmann", tmp_path / "out", **said)
    assert (sae.at, sae.normalise) == (vision(7), "layer_norm" if unit else "none")
    expected = codes(four, layer_normed(x) if unit else x)
    torch.testing.assert_close(sae.activations(x), expected, atol=1e-5, rtol=1e-5)
    assert_saelens_agrees(sae, x, expected)


def test_bussmann_s_batchtopk_without_a_threshold_asks_for_a_rule(four, tmp_path: Path) -> None:
    folder = bussmann_file(tmp_path, four, "batchtopk")
    with pytest.raises(UserError, match="codes depend on the batch; give --k"):
        import_sae(folder, "bussmann", tmp_path / "out")
    with pytest.raises(UserError, match="expected at most one of them"):
        import_sae(folder, "bussmann", tmp_path / "out", k=3, threshold=1.0)
    with pytest.raises(UserError, match="--threshold -1.0 was given"):
        import_sae(folder, "bussmann", tmp_path / "out", threshold=-1.0)
    with pytest.raises(UserError, match="--k 3 was given"):
        import_sae(bussmann_file(tmp_path, four, "topk"), "bussmann", tmp_path / "out", k=3)
    with pytest.raises(UserError, match="expected one of vanilla, topk"):
        import_sae(bussmann_file(tmp_path, four, "magic"), "bussmann", tmp_path / "out")


def test_a_bussmann_file_is_not_patchsae_s(four, tmp_path: Path) -> None:
    folder = bussmann_file(tmp_path, four, "topk")
    with pytest.raises(UserError, match="sae_type, top_k, input_unit_norm; give --format bussmann"):
        import_sae(folder, "patchsae", tmp_path / "out", at=vision(3))
    (folder / "config.json").unlink()
    torch.save(four | {"threshold": torch.tensor(1.0)}, folder / "sae.pt")
    with pytest.raises(UserError, match="holds threshold too"):
        import_sae(folder, "patchsae", tmp_path / "out", at=vision(3))
