"""Our encoding is SAELens's, for every architecture it can save; damage is one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.sae.load import load_sae
from scratchpad.workbench import DEFAULT_SAE, Workbench


def saved(kind: str, folder: Path) -> Path:
    from sae_lens.saes import batchtopk_sae, standard_sae, topk_sae

    torch.manual_seed(0)
    match kind:
        case "topk":
            sae = topk_sae.TopKTrainingSAE(topk_sae.TopKTrainingSAEConfig(d_in=24, d_sae=96, k=7))
        case "topk-raw":
            sae = topk_sae.TopKTrainingSAE(topk_sae.TopKTrainingSAEConfig(d_in=24, d_sae=96, k=7, rescale_acts_by_decoder_norm=False))
        case "batchtopk":
            sae = batchtopk_sae.BatchTopKTrainingSAE(batchtopk_sae.BatchTopKTrainingSAEConfig(d_in=24, d_sae=96, k=7))
            sae.topk_threshold.fill_(0.3)
        case "standard":
            sae = standard_sae.StandardTrainingSAE(standard_sae.StandardTrainingSAEConfig(d_in=24, d_sae=96))
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    sae.cfg.metadata.layer = 3
    sae.save_inference_model(folder)
    return folder


@pytest.mark.parametrize("kind", ["topk", "topk-raw", "batchtopk", "standard"])
def test_codes_and_reconstruction_equal_saelens(kind: str, tmp_path: Path) -> None:
    from sae_lens import SAE

    folder = saved(kind, tmp_path / kind)
    theirs, ours = SAE.load_from_disk(folder), load_sae(folder)
    x = torch.randn(40, 24)
    with torch.no_grad():
        a = theirs.encode(x)
        hat = theirs.decode(a)
    codes = ours.encode(x.numpy())
    np.testing.assert_allclose(codes.dense(np.arange(96)), a.numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.reconstruct(codes), hat.detach().numpy(), atol=1e-5)
    assert ours.layer == 3


@pytest.mark.parametrize("name", ["emoji-early", "emoji-middle", "emoji-last"])
def test_shipped_saes_load_in_saelens(name: str) -> None:
    from sae_lens import SAE

    sae = SAE.load_from_disk(DEFAULT_SAE.parent / name)
    assert sae.cfg.metadata.layer == load_sae(DEFAULT_SAE.parent / name).layer


@pytest.mark.parametrize("name", ["emoji-early", "emoji-middle", "emoji-last"])
def test_shipped_saes_belong_to_the_shipped_encoder(name: str, bench: Workbench) -> None:
    assert load_sae(DEFAULT_SAE.parent / name).metadata["encoder_identity"] == bench.vlm.encoder_identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "sae"
    out.mkdir()
    for name in ("cfg.json", "sae_weights.safetensors"):
        shutil.copy(DEFAULT_SAE / name, out / name)
    return out


def edit(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "cfg.json").read_text())
    (folder / "cfg.json").write_text(json.dumps(config | changes))


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no cfg.json"):
        load_sae(tmp_path)


def test_truncated_weights(folder: Path) -> None:
    path = folder / "sae_weights.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        load_sae(folder)


def test_broken_config(folder: Path) -> None:
    (folder / "cfg.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        load_sae(folder)


def test_unknown_architecture(folder: Path) -> None:
    edit(folder, architecture="gated")
    with pytest.raises(UserError, match="architecture"):
        load_sae(folder)


def test_declared_width_that_is_not_the_decoder_s(folder: Path) -> None:
    edit(folder, d_in=100)
    with pytest.raises(UserError, match="declares 100"):
        load_sae(folder)


def test_no_layer(folder: Path) -> None:
    edit(folder, metadata={})
    with pytest.raises(UserError, match="layer"):
        load_sae(folder)
