"""Our encoding is SAELens's, for every architecture it can save; damage is one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from scratchpad.sae.judge import fidelity
from scratchpad.sae.load import load_sae
from scratchpad.workbench import DEFAULT_SAE, Workbench


def saved(kind: str, folder: Path) -> Path:
    from sae_lens.saes import batchtopk_sae, gated_sae, jumprelu_sae, standard_sae, topk_sae

    torch.manual_seed(0)
    match kind:
        case "gated":
            sae = gated_sae.GatedTrainingSAE(gated_sae.GatedTrainingSAEConfig(d_in=24, d_sae=96))
        case "jumprelu":
            sae = jumprelu_sae.JumpReLUTrainingSAE(jumprelu_sae.JumpReLUTrainingSAEConfig(d_in=24, d_sae=96))
        case "layer_norm" | "constant_norm_rescale" | "expected_average_only_in":
            sae = topk_sae.TopKTrainingSAE(topk_sae.TopKTrainingSAEConfig(d_in=24, d_sae=96, k=7, normalize_activations=kind))
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


NORMALISED = ["layer_norm", "constant_norm_rescale", "expected_average_only_in"]


@pytest.mark.parametrize("kind", ["topk", "topk-raw", "batchtopk", "standard", "gated", "jumprelu", *NORMALISED])
def test_codes_and_reconstruction_equal_saelens(kind: str, tmp_path: Path) -> None:
    from sae_lens import SAE

    folder = saved(kind, tmp_path / kind)
    theirs, ours = SAE.load_from_disk(folder), load_sae(folder)
    x = torch.randn(40, 24) * 3 + 1
    with torch.no_grad():
        a = theirs.encode(x)
        hat = theirs.decode(a)
    codes = ours.encode(x.numpy())
    np.testing.assert_allclose(codes.dense(np.arange(96)), a.numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.activations(x), a.numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.reconstruct(codes, x.numpy()), hat.detach().numpy(), atol=1e-5)
    assert (codes.values > 0).sum() > 40
    assert ours.at == vision(3)


def test_a_checkpoint_whose_scale_is_beside_it_is_read_with_it(tmp_path: Path) -> None:
    from sae_lens import SAE

    folder = saved("expected_average_only_in", tmp_path / "sae")
    (folder / "activation_scaler.json").write_text(json.dumps({"scaling_factor": 0.25, "has_whitening": False}))
    x = torch.randn(40, 24) * 4
    theirs = SAE.load_from_disk(folder)
    theirs.fold_activation_norm_scaling_factor(0.25)  # as SAELens' trainer does at the end
    a = theirs.encode(x).detach()
    ours = load_sae(folder)
    np.testing.assert_allclose(ours.activations(x), a.numpy(), atol=1e-5)
    for source, scale in ((folder, None), (folder, 0.25)):
        import_sae(source, "saelens", tmp_path / f"out-{scale}", input_scale=scale)
        again = load_sae(tmp_path / f"out-{scale}")
        np.testing.assert_allclose(again.activations(x), a.numpy(), atol=1e-5)
        assert again.normalise == "none"
    (folder / "activation_scaler.json").write_text(json.dumps({"scaling_factor": 0}))
    with pytest.raises(UserError, match="expected a number above 0"):
        load_sae(folder)


def test_a_scale_that_is_not_known_is_said_to_be(tmp_path: Path) -> None:
    ours = load_sae(saved("expected_average_only_in", tmp_path / "sae"))
    x = np.random.default_rng(0).normal(size=(40, 24)).astype(np.float32)
    assert "scaled by a factor" in fidelity(ours, x, ours.encode(x)).sentence


@pytest.mark.parametrize("kind", ["layer_norm", "constant_norm_rescale"])
def test_a_patch_normalised_by_itself_can_be_neither_scaled_nor_reconstructed_alone(kind: str, tmp_path: Path) -> None:
    folder = saved(kind, tmp_path / "sae")
    with pytest.raises(UserError, match="normalises each patch"):
        import_sae(folder, "saelens", tmp_path / "out", input_scale=0.5)
    assert not (tmp_path / "out").exists()
    ours = load_sae(folder)
    with pytest.raises(ValueError, match="without the activations"):
        ours.reconstruct(ours.encode(np.ones((2, 24), np.float32)))


@pytest.mark.parametrize(
    ("hook", "read"),
    [
        ("blocks.9.hook_resid_post", "vision.9"),
        ("blocks.9.hook_resid_pre", "vision.8"),
        ("vision_tower.vision_model.encoder.layers.4", "vision.4"),
        ("model.visual.blocks.7", "vision.7"),
        ("encoder.layer.3.output", "vision.3"),
        ("blocks.9.hook_mlp_out", "not the output of a vision block"),
        ("blocks.9.attn.hook_z", "not the output of a vision block"),
        ("blocks.0.hook_resid_pre", "not the output of a vision block"),
        ("model.language_model.layers.12", "language.12"),
        ("model.layers.24", "language.24"),
        ("model.language_model.layers.12.input", "language.11"),
        ("projector", "projector"),
        ("model.language_model.layers.12.mlp", "not the output of a language-model block"),
        ("language_model.lm_head", "not the output of a language-model block"),
        ("hook_embed", "does not say which layer"),
    ],
)
def test_a_hook_point_s_name_is_read_where_no_layer_is_said(folder: Path, hook: str, read: str) -> None:
    edit(folder, metadata={"hook_name": hook})
    if " " not in read:
        assert str(load_sae(folder).at) == read
    else:
        with pytest.raises(UserError, match=read):
            load_sae(folder)
        if "which layer" not in read:  # another place than a block's output stays so, whatever layer is said
            edit(folder, metadata={"hook_name": hook, "layer": 9})
            with pytest.raises(UserError, match=read):
                load_sae(folder)


def test_a_configuration_from_before_saelens_6(tmp_path: Path) -> None:
    from sae_lens import SAE

    folder = saved("topk-raw", tmp_path / "sae")
    now = json.loads((folder / "cfg.json").read_text())
    before = {field: now[field] for field in ("d_in", "d_sae", "dtype", "apply_b_dec_to_input")} | {"normalize_activations": "layer_norm"}
    before |= {"hook_name": "blocks.4.hook_resid_post", "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 7}, "device": "cpu"}
    (folder / "cfg.json").write_text(json.dumps(before))
    x = torch.randn(40, 24)
    theirs, ours = SAE.load_from_disk(folder), load_sae(folder)
    np.testing.assert_allclose(ours.activations(x), theirs.encode(x).detach().numpy(), atol=1e-5)
    assert (ours.at, ours.k, ours.normalise) == (vision(4), 7, "layer_norm")
    import_sae(folder, "saelens", tmp_path / "out")
    assert load_sae(tmp_path / "out").identity == ours.identity


@pytest.mark.parametrize(
    ("architecture", "why"),
    [
        ("temporal", "from the tokens before"),
        ("transcoder", "another layer than it reads"),
        ("skip_transcoder", "another layer than it reads"),
        ("jumprelu_transcoder", "another layer than it reads"),
        ("matching_pursuit", "one after another"),
        ("abstopk", "below 0"),
    ],
)
def test_what_can_t_be_read_is_refused_with_its_reason(folder: Path, architecture: str, why: str) -> None:
    edit(folder, architecture=architecture)
    with pytest.raises(UserError, match=why):
        load_sae(folder)


def test_attention_heads_are_refused(folder: Path) -> None:
    edit(folder, reshape_activations="hook_z")
    with pytest.raises(UserError, match="attention heads"):
        load_sae(folder)


@pytest.mark.parametrize("name", ["emoji-early", "emoji-middle", "emoji-last"])
def test_shipped_saes_load_in_saelens(name: str) -> None:
    from sae_lens import SAE

    sae = SAE.load_from_disk(DEFAULT_SAE.parent / name)
    assert vision(sae.cfg.metadata.layer) == load_sae(DEFAULT_SAE.parent / name).at


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
    edit(folder, architecture="magic")
    with pytest.raises(UserError, match="architecture"):
        load_sae(folder)
    edit(folder, architecture="gated")
    with pytest.raises(UserError, match="lacks the tensors b_gate, b_mag, r_mag of architecture gated"):
        load_sae(folder)


def test_declared_width_that_is_not_the_decoder_s(folder: Path) -> None:
    edit(folder, d_in=100)
    with pytest.raises(UserError, match="declares 100"):
        load_sae(folder)


def test_no_layer(folder: Path) -> None:
    edit(folder, metadata={})
    with pytest.raises(UserError, match="layer"):
        load_sae(folder)
