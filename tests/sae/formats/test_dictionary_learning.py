"""Files of dictionary_learning and of sae-for-vlm, which came of it: their codes differ by the decoder's lengths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from tests.sae.formats.formulas import assert_agrees, gated, linear, pre, taken, topk


def test_sae_for_vlm_batch_topk(four, x, tmp_path: Path) -> None:
    state = linear(four, "b_dec")
    state |= {"k": torch.tensor(6), "threshold": torch.tensor(2.0)}
    torch.save(state, tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "BatchTopKSAE", "k": 6}}))
    acts = pre(four, x).relu()
    assert_agrees(taken(tmp_path, "sae-for-vlm", tmp_path / "out", at=vision(1)), x, acts * (acts > 2), four)
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "AutoEncoderTopK"}}))
    assert_agrees(taken(tmp_path, "sae-for-vlm", tmp_path / "out2", at=vision(1)), x, topk(acts, 6), four)


def test_sae_for_vlm_matryoshka(four, x, tmp_path: Path) -> None:
    torch.save(four | {"k": torch.tensor(6), "threshold": torch.tensor(-1.0), "group_sizes": torch.tensor([20, 20])}, tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "MatroyshkaBatchTopKSAE"}}))
    assert_agrees(taken(tmp_path, "sae-for-vlm", tmp_path / "out", at=vision(1)), x, pre(four, x).relu(), four)


def test_sae_for_vlm_autoencoder_has_its_decoder_s_lengths_in_its_codes(four, x, tmp_path: Path) -> None:
    """Its loader makes decoder rows one long and multiplies the encoder by their lengths: the reconstruction stays."""
    torch.save(linear(four, "bias"), tmp_path / "ae.pt")
    norms = four["W_dec"].norm(dim=1)
    unit = four | {"W_dec": four["W_dec"] / norms[:, None]}
    for format in ("sae-for-vlm", "dictionary-learning"):
        sae = taken(tmp_path, format, tmp_path / format, at=vision(1))
        assert_agrees(sae, x, pre(four, x).relu() * norms, unit)
        torch.testing.assert_close(sae.activations(x) @ sae.W_dec, pre(four, x).relu() @ four["W_dec"], atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("format", ["sae-for-vlm", "dictionary-learning"])
def test_jumprelu(four, x, tmp_path: Path, format: str) -> None:
    """sae-for-vlm's multiplies its codes by the decoder's lengths and divides by them in decoding; today's dictionary_learning doesn't."""
    threshold = four["b_enc"].abs() + 0.5
    torch.save(four | {"threshold": threshold}, tmp_path / "ae.pt")
    before = pre(four, x, False)
    codes, norms = before * (before > threshold), four["W_dec"].norm(dim=1)
    sae = taken(tmp_path, format, tmp_path / "out", at=vision(1))
    if format == "sae-for-vlm":
        assert_agrees(sae, x, codes * norms, four | {"W_dec": four["W_dec"] / norms[:, None]})
    else:
        assert_agrees(sae, x, codes, four)


def test_dictionary_learning_new_and_gated(four, x, tmp_path: Path) -> None:
    torch.save(linear(four, "decoder.bias"), tmp_path / "ae.pt")
    trainer = {"dict_class": "AutoEncoderNew", "layer": 6, "submodule_name": "resid_post_layer_6", "lm_name": "clip"}
    (tmp_path / "config.json").write_text(json.dumps({"trainer": trainer}))
    sae = taken(tmp_path, "dictionary-learning", tmp_path / "new")
    assert sae.at == vision(6)
    assert_agrees(sae, x, pre(four, x, False).relu(), four)
    gate = {"gate_bias": four["b_enc"], "mag_bias": four["b_enc"].flip(0), "r_mag": four["b_enc"] / 4}
    state = {name: value for name, value in linear(four, "decoder_bias").items() if name != "encoder.bias"}
    torch.save(state | gate, tmp_path / "ae.pt")
    names = {"b_gate": gate["gate_bias"], "b_mag": gate["mag_bias"], "r_mag": gate["r_mag"]}
    assert_agrees(taken(tmp_path, "dictionary-learning", tmp_path / "gated"), x, gated(four, names, x), four)
    (tmp_path / "config.json").write_text(json.dumps({"trainer": trainer | {"submodule_name": "mlp_out_layer_6"}}))
    with pytest.raises(UserError, match="not the output of a vision block"):
        import_sae(tmp_path, "dictionary-learning", tmp_path / "mlp", at=vision(6))
