"""Files as each project's own code writes them; our encoding equals the project's formula."""

from __future__ import annotations

import json
import pickle
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scratchpad.errors import UserError
from scratchpad.sae.foreign import FORMATS, import_sae
from scratchpad.sae.load import Sae, load_sae

D, L, N = 12, 40, 30


@pytest.fixture
def four() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    return {"W_enc": draw(D, L), "b_enc": draw(L), "W_dec": draw(L, D), "b_dec": draw(D)}


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(N, D, generator=torch.Generator().manual_seed(1))


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


def test_patchsae(four, x, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project pickles its configuration beside the tensors; its values are read, its class never."""
    module = types.ModuleType("src.sae_training.config")
    config_class = type("ViTSAERunnerConfig", (), {"__module__": "src.sae_training.config", "__qualname__": "ViTSAERunnerConfig"})
    module.ViTSAERunnerConfig = config_class  # type: ignore[attr-defined]
    for name in ("src", "src.sae_training"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "src.sae_training.config", module)
    config = config_class()
    config.__dict__.update(block_layer=10, model_name="openai/clip-vit-base-patch16", class_token=False, device=torch.device("cpu"))
    torch.save({"cfg": config, "state_dict": four}, tmp_path / "final.pt")
    for name in ("src", "src.sae_training", "src.sae_training.config"):
        monkeypatch.delitem(sys.modules, name)
    sae = taken(tmp_path / "final.pt", "patchsae", tmp_path / "out")
    assert sae.layer == 10
    assert_agrees(sae, x, pre(four, x).relu(), four)


def test_patchsae_counts_layers_from_the_end(four, tmp_path: Path) -> None:
    torch.save({"cfg": {"block_layer": -2}, "state_dict": four}, tmp_path / "a.pt")
    with pytest.raises(UserError, match="give --layer"):
        import_sae(tmp_path / "a.pt", "patchsae", tmp_path / "out")


def test_fastsae(four, x, tmp_path: Path) -> None:
    torch.save(four, tmp_path / "vanilla_state_dict.pt")
    (tmp_path / "vanilla_config.json").write_text(json.dumps({"activation_name": "relu"}))
    assert_agrees(taken(tmp_path, "patchsae", tmp_path / "out", layer=3), x, pre(four, x).relu(), four)


def saev_file(path: Path, header: dict, state: dict[str, torch.Tensor]) -> None:
    with open(path, "wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        torch.save(state, file)


@pytest.mark.parametrize(
    ("header", "state", "said", "codes"),
    [
        ({"d_vit": D, "exp_factor": 2, "seed": 0}, {}, {}, lambda w, x: pre(w, x).relu()),
        ({"schema": 2, "cfg": {"activation": {"cls": "Relu", "params": {}}}}, {}, {}, lambda w, x: pre(w, x, False).relu()),
        ({"schema": 1, "cls": "TopK", "cfg": {"top_k": 5}}, {}, {"subtract": True}, lambda w, x: topk(pre(w, x), 5)),
        (
            {"schema": 4, "cfg": {"activation": {"cls": "BatchTopK", "params": {"top_k": 5}}}},
            {},
            {},
            lambda w, x: topk(pre(w, x, False), 5),
        ),
        (
            {"schema": 5, "cfg": {"activation": {"cls": "BatchTopK", "params": {"top_k": 5}}}},
            {"activation.threshold": torch.tensor(1.5)},
            {},
            lambda w, x: pre(w, x, False) * (pre(w, x, False) > 1.5),
        ),
    ],
)
def test_saev(four, x, tmp_path: Path, header, state, said, codes) -> None:
    saev_file(tmp_path / "sae.pt", header, four | state)
    assert_agrees(taken(tmp_path, "saev", tmp_path / "out", layer=7, **said), x, codes(four, x), four)


def test_saev_schema_1_was_written_both_ways(four, tmp_path: Path) -> None:
    saev_file(tmp_path / "sae.pt", {"schema": 1, "cls": "Relu", "cfg": {}}, four)
    with pytest.raises(UserError, match="whether b_dec is subtracted"):
        import_sae(tmp_path, "saev", tmp_path / "out", layer=7)


@pytest.mark.parametrize("act", ["relu", "topk"])
def test_prisma(four, x, tmp_path: Path, act: str) -> None:
    torch.save(four, tmp_path / "weights.pt")
    config = {"hook_point_layer": 9, "activation_fn_str": act, "activation_fn_kwargs": {"k": 6}, "normalize_activations": None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    sae = taken(tmp_path, "prisma", tmp_path / "out")
    assert sae.layer == 9
    assert_agrees(sae, x, pre(four, x).relu() if act == "relu" else topk(pre(four, x), 6).relu(), four)


def layer_normed(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.std(-1, keepdim=True) + 1e-5)


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


def gated(w: dict[str, torch.Tensor], gate: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    inner = (x - w["b_dec"]) @ w["W_enc"]
    return (inner + gate["b_gate"] > 0) * (inner * gate["r_mag"].exp() + gate["b_mag"]).relu()


def test_prisma_s_hook_point_is_honoured(four, tmp_path: Path) -> None:
    for config, layer in (
        ({"hook_point": "blocks.{layer}.hook_resid_post"}, 9),
        ({"hook_point": "blocks.9.hook_resid_pre"}, 8),
        ({"layer_subtype": "hook_resid_post"}, 9),
    ):
        assert import_sae(prisma_file(tmp_path, four, **config), "prisma", tmp_path / f"out-{layer}")["layer"] == layer


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
    for layer in (None, 9):  # whatever layer is given
        with pytest.raises(UserError, match=why):
            import_sae(folder, "prisma", tmp_path / "out", layer=layer)
    assert not (tmp_path / "out").exists()


def test_sae_for_vlm_batch_topk(four, x, tmp_path: Path) -> None:
    state = linear(four, "b_dec")
    state |= {"k": torch.tensor(6), "threshold": torch.tensor(2.0)}
    torch.save(state, tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "BatchTopKSAE", "k": 6}}))
    acts = pre(four, x).relu()
    assert_agrees(taken(tmp_path, "sae-for-vlm", tmp_path / "out", layer=1), x, acts * (acts > 2), four)
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "AutoEncoderTopK"}}))
    assert_agrees(taken(tmp_path, "sae-for-vlm", tmp_path / "out2", layer=1), x, topk(acts, 6), four)


def test_sae_for_vlm_matryoshka(four, x, tmp_path: Path) -> None:
    torch.save(four | {"k": torch.tensor(6), "threshold": torch.tensor(-1.0), "group_sizes": torch.tensor([20, 20])}, tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "MatroyshkaBatchTopKSAE"}}))
    assert_agrees(taken(tmp_path, "sae-for-vlm", tmp_path / "out", layer=1), x, pre(four, x).relu(), four)


def test_sae_for_vlm_autoencoder_has_its_decoder_s_lengths_in_its_codes(four, x, tmp_path: Path) -> None:
    """Its loader makes decoder rows one long and multiplies the encoder by their lengths: the reconstruction stays."""
    torch.save(linear(four, "bias"), tmp_path / "ae.pt")
    norms = four["W_dec"].norm(dim=1)
    unit = four | {"W_dec": four["W_dec"] / norms[:, None]}
    for format in ("sae-for-vlm", "dictionary-learning"):
        sae = taken(tmp_path, format, tmp_path / format, layer=1)
        assert_agrees(sae, x, pre(four, x).relu() * norms, unit)
        torch.testing.assert_close(sae.activations(x) @ sae.W_dec, pre(four, x).relu() @ four["W_dec"], atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("format", ["sae-for-vlm", "dictionary-learning"])
def test_jumprelu(four, x, tmp_path: Path, format: str) -> None:
    """sae-for-vlm's multiplies its codes by the decoder's lengths and divides by them in decoding; today's dictionary_learning doesn't."""
    threshold = four["b_enc"].abs() + 0.5
    torch.save(four | {"threshold": threshold}, tmp_path / "ae.pt")
    before = pre(four, x, False)
    codes, norms = before * (before > threshold), four["W_dec"].norm(dim=1)
    sae = taken(tmp_path, format, tmp_path / "out", layer=1)
    if format == "sae-for-vlm":
        assert_agrees(sae, x, codes * norms, four | {"W_dec": four["W_dec"] / norms[:, None]})
    else:
        assert_agrees(sae, x, codes, four)


def test_dictionary_learning_new_and_gated(four, x, tmp_path: Path) -> None:
    torch.save(linear(four, "decoder.bias"), tmp_path / "ae.pt")
    trainer = {"dict_class": "AutoEncoderNew", "layer": 6, "submodule_name": "resid_post_layer_6", "lm_name": "clip"}
    (tmp_path / "config.json").write_text(json.dumps({"trainer": trainer}))
    sae = taken(tmp_path, "dictionary-learning", tmp_path / "new")
    assert sae.layer == 6
    assert_agrees(sae, x, pre(four, x, False).relu(), four)
    gate = {"gate_bias": four["b_enc"], "mag_bias": four["b_enc"].flip(0), "r_mag": four["b_enc"] / 4}
    state = {name: value for name, value in linear(four, "decoder_bias").items() if name != "encoder.bias"}
    torch.save(state | gate, tmp_path / "ae.pt")
    names = {"b_gate": gate["gate_bias"], "b_mag": gate["mag_bias"], "r_mag": gate["r_mag"]}
    assert_agrees(taken(tmp_path, "dictionary-learning", tmp_path / "gated"), x, gated(four, names, x), four)
    (tmp_path / "config.json").write_text(json.dumps({"trainer": trainer | {"submodule_name": "mlp_out_layer_6"}}))
    with pytest.raises(UserError, match="not the output of a vision block"):
        import_sae(tmp_path, "dictionary-learning", tmp_path / "mlp", layer=6)


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
    assert (sae.layer, sae.normalise) == (7, "layer_norm" if unit else "none")
    expected = codes(four, layer_normed(x) if unit else x)
    torch.testing.assert_close(sae.activations(x), expected, atol=1e-5, rtol=1e-5)
    assert_saelens_agrees(sae, x, expected)


def above(values: torch.Tensor, threshold: float | torch.Tensor) -> torch.Tensor:
    return values.relu() * (values > threshold)


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
        import_sae(folder, "patchsae", tmp_path / "out", layer=3)
    (folder / "config.json").unlink()
    torch.save(four | {"threshold": torch.tensor(1.0)}, folder / "sae.pt")
    with pytest.raises(UserError, match="holds threshold too"):
        import_sae(folder, "patchsae", tmp_path / "out", layer=3)


@pytest.mark.parametrize("tied", [True, False])
def test_openai_s_keys(four, x, tmp_path: Path, tied: bool) -> None:
    """TopK SAEs normalise their input, others don't, as its loader has it."""
    x = x * 3 + 1
    state = {
        "encoder.weight": four["W_enc"].T,
        "latent_bias": four["b_enc"],
        "pre_bias": four["b_dec"],
        "stats_last_nonzero": torch.zeros(L),
    }
    state |= {"decoder.linear.weight": four["W_enc"].T} if tied else {"decoder.weight": four["W_dec"].T}
    decoder = four | ({"W_dec": four["W_enc"].T} if tied else {})
    torch.save(state | {"activation": "TopK", "activation_state_dict": {"k": 6, "postact_fn": "ReLU"}}, tmp_path / "a.pt")
    sae, codes = taken(tmp_path / "a.pt", "openai", tmp_path / "topk", layer=5), topk(pre(four, layer_normed(x)).relu(), 6)
    torch.testing.assert_close(sae.activations(x), codes, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(sae.W_dec, decoder["W_dec"])
    assert_saelens_agrees(sae, x, codes)
    torch.save(state | {"activation": "ReLU"}, tmp_path / "b.pt")
    assert_agrees(taken(tmp_path / "b.pt", "openai", tmp_path / "relu", layer=5), x, pre(four, x).relu(), decoder)
    for bad, why in (({"activation": "magic"}, "expected ReLU or TopK"), ({"activation": "TopK"}, "doesn't say its k")):
        torch.save(state | bad, tmp_path / "c.pt")
        with pytest.raises(UserError, match=why):
            import_sae(tmp_path / "c.pt", "openai", tmp_path / "out", layer=5)


def sparsify_folder(root: Path, place: str, w: dict[str, torch.Tensor], **config: object) -> Path:
    folder = root / place
    folder.mkdir()
    state = {"encoder.weight": w["W_enc"].T, "encoder.bias": w["b_enc"], "W_dec": w["W_dec"], "b_dec": w["b_dec"]}
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "sae.safetensors")
    said = {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": L, "k": 5, "d_in": D}
    (folder / "cfg.json").write_text(json.dumps(said | {"multi_topk": False, "skip_connection": False, "transcode": False} | config))
    return folder


def test_sparsify(four, x, tmp_path: Path) -> None:
    sae = taken(sparsify_folder(tmp_path, "vision_model.encoder.layers.7", four), "sparsify", tmp_path / "out")
    assert sae.layer == 7
    assert_agrees(sae, x, topk(pre(four, x).relu(), 5), four)
    with pytest.raises(UserError, match="give --layer"):  # it isn't said whether that is the vision encoder
        import_sae(sparsify_folder(tmp_path, "layers.7", four), "sparsify", tmp_path / "no")
    for number, (config, why) in enumerate(
        (({"transcode": True}, "a transcoder"), ({"activation": "groupmax"}, "expected topk"), ({"k": None}, "has no k"))
    ):
        folder = sparsify_folder(tmp_path, f"vision.layers.{number}", four, **config)
        with pytest.raises(UserError, match=why):
            import_sae(folder, "sparsify", tmp_path / "no")


def test_overcomplete_with_batchnorm(four, x, tmp_path: Path) -> None:
    norm = torch.nn.BatchNorm1d(L)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            tensor.copy_(torch.randn(L, generator=torch.Generator().manual_seed(2)))  # type: ignore[union-attr]
        norm.running_var.copy_(torch.rand(L, generator=torch.Generator().manual_seed(3)) + 0.1)  # type: ignore[union-attr]
    state = {"encoder.final_block.0.weight": four["W_enc"].T, "encoder.final_block.0.bias": four["b_enc"]}
    state |= {"dictionary._weights": four["W_dec"], "dictionary.multiplier": torch.tensor(0.5)}
    batch = {f"encoder.final_block.1.{name}": value for name, value in norm.state_dict().items()}
    none = {"b_dec": torch.zeros(D), "W_dec": four["W_dec"] / four["W_dec"].norm(dim=1, keepdim=True) * torch.tensor(0.5).exp()}
    acts = norm.eval()(x @ four["W_enc"] + four["b_enc"]).relu().detach()
    torch.save(state | batch, tmp_path / "a.pt")
    with pytest.raises(UserError, match="doesn't say whether it's a TopK; give --k"):
        import_sae(tmp_path / "a.pt", "overcomplete", tmp_path / "no", layer=2)
    assert_agrees(taken(tmp_path / "a.pt", "overcomplete", tmp_path / "relu", layer=2, k=0), x, acts, none)
    assert_agrees(taken(tmp_path / "a.pt", "overcomplete", tmp_path / "topk", layer=2, k=4), x, topk(acts, 4), none)
    jump = torch.linspace(-2, 1, L)
    torch.save(state | {"thresholds": jump}, tmp_path / "b.pt")
    before = x @ four["W_enc"] + four["b_enc"]
    assert_agrees(taken(tmp_path / "b.pt", "overcomplete", tmp_path / "jump", layer=2), x, above(before, jump.exp()), none)
    for extra in ({"encoder.mlp_blocks.0.0.weight": torch.zeros(D, D)}, {"encoder.final_block.1.weight": torch.ones(L)}):
        torch.save(state | extra, tmp_path / "c.pt")
        with pytest.raises(UserError, match="several blocks or with LayerNorm"):
            import_sae(tmp_path / "c.pt", "overcomplete", tmp_path / "no", layer=2)


def test_the_command_names_every_format() -> None:
    from scratchpad.cli.saes import FORMATS as SAID

    assert tuple(SAID.replace(" or ", ", ").split(", ")) == FORMATS


class Evil:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (Path.touch, (Path("/tmp/scratchpad-was-run"),))


@pytest.mark.parametrize("format", [format for format in FORMATS if format not in ("saev", "saelens")])
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, format: str) -> None:
    trace = Path("/tmp/scratchpad-was-run")
    trace.unlink(missing_ok=True)
    torch.save({"cfg": Evil(), "state_dict": {}}, tmp_path / "ae.pt")
    with pytest.raises(UserError, match="never run"):
        import_sae(tmp_path / "ae.pt", format, tmp_path / "out", layer=0)
    (tmp_path / "ae.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match="never run"):
        import_sae(tmp_path / "ae.pt", format, tmp_path / "out", layer=0)
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


def test_other_bad_input_is_a_sentence(four, tmp_path: Path) -> None:
    for format in FORMATS[:-1]:
        (tmp_path / "x.pt").write_bytes(b"hello")
        with pytest.raises(UserError):
            import_sae(tmp_path / "x.pt", format, tmp_path / "out", layer=0)
    with pytest.raises(UserError, match="expected one of"):
        import_sae(tmp_path / "x.pt", "magic", tmp_path / "out")
    torch.save({"cfg": {"block_layer": 1}, "state_dict": four | {"b_enc": torch.zeros(3)}}, tmp_path / "y.pt")
    with pytest.raises(UserError, match="don't fit"):
        import_sae(tmp_path / "y.pt", "patchsae", tmp_path / "out")
