"""Files as each project's own code writes them; our encoding equals the project's formula."""

from __future__ import annotations

import json
import pickle
import sys
import types
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.sae.foreign import import_sae
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
    from sae_lens import SAE

    theirs = SAE.load_from_disk(sae.folder)
    torch.testing.assert_close(theirs.encode(x), codes, atol=1e-5, rtol=1e-5)


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


def test_prisma_with_a_normalised_input_is_refused(four, tmp_path: Path) -> None:
    torch.save(four, tmp_path / "weights.pt")
    (tmp_path / "config.json").write_text(json.dumps({"hook_point_layer": 9, "normalize_activations": "layer_norm"}))
    with pytest.raises(UserError, match="normalises its input"):
        import_sae(tmp_path, "prisma", tmp_path / "out")


def test_sae_for_vlm_batch_topk(four, x, tmp_path: Path) -> None:
    state = {"encoder.weight": four["W_enc"].T, "encoder.bias": four["b_enc"], "decoder.weight": four["W_dec"].T, "b_dec": four["b_dec"]}
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


class Evil:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (Path.touch, (Path("/tmp/scratchpad-was-run"),))


@pytest.mark.parametrize("format", ["patchsae", "prisma", "sae-for-vlm"])
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
    for format in ("patchsae", "saev", "prisma", "sae-for-vlm"):
        (tmp_path / "x.pt").write_bytes(b"hello")
        with pytest.raises(UserError):
            import_sae(tmp_path / "x.pt", format, tmp_path / "out", layer=0)
    with pytest.raises(UserError, match="expected one of"):
        import_sae(tmp_path / "x.pt", "magic", tmp_path / "out")
    torch.save({"cfg": {"block_layer": 1}, "state_dict": four | {"b_enc": torch.zeros(3)}}, tmp_path / "y.pt")
    with pytest.raises(UserError, match="don't fit"):
        import_sae(tmp_path / "y.pt", "patchsae", tmp_path / "out")
