"""OpenAI's keys, EleutherAI's sparsify, overcomplete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from tests.sae.formats.formulas import D, L, above, assert_agrees, assert_saelens_agrees, layer_normed, pre, taken, topk


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
    sae, codes = taken(tmp_path / "a.pt", "openai", tmp_path / "topk", at=vision(5)), topk(pre(four, layer_normed(x)).relu(), 6)
    torch.testing.assert_close(sae.activations(x), codes, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(sae.W_dec, decoder["W_dec"])
    assert_saelens_agrees(sae, x, codes)
    torch.save(state | {"activation": "ReLU"}, tmp_path / "b.pt")
    assert_agrees(taken(tmp_path / "b.pt", "openai", tmp_path / "relu", at=vision(5)), x, pre(four, x).relu(), decoder)
    for bad, why in (({"activation": "magic"}, "expected ReLU or TopK"), ({"activation": "TopK"}, "doesn't say its k")):
        torch.save(state | bad, tmp_path / "c.pt")
        with pytest.raises(UserError, match=why):
            import_sae(tmp_path / "c.pt", "openai", tmp_path / "out", at=vision(5))


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
    assert sae.at == vision(7)
    assert_agrees(sae, x, topk(pre(four, x).relu(), 5), four)
    with pytest.raises(UserError, match="give --at"):  # it isn't said whether that is the vision encoder
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
        import_sae(tmp_path / "a.pt", "overcomplete", tmp_path / "no", at=vision(2))
    assert_agrees(taken(tmp_path / "a.pt", "overcomplete", tmp_path / "relu", at=vision(2), k=0), x, acts, none)
    assert_agrees(taken(tmp_path / "a.pt", "overcomplete", tmp_path / "topk", at=vision(2), k=4), x, topk(acts, 4), none)
    jump = torch.linspace(-2, 1, L)
    torch.save(state | {"thresholds": jump}, tmp_path / "b.pt")
    before = x @ four["W_enc"] + four["b_enc"]
    assert_agrees(taken(tmp_path / "b.pt", "overcomplete", tmp_path / "jump", at=vision(2)), x, above(before, jump.exp()), none)
    for extra in ({"encoder.mlp_blocks.0.0.weight": torch.zeros(D, D)}, {"encoder.final_block.1.weight": torch.ones(L)}):
        torch.save(state | extra, tmp_path / "c.pt")
        with pytest.raises(UserError, match="several blocks or with LayerNorm"):
            import_sae(tmp_path / "c.pt", "overcomplete", tmp_path / "no", at=vision(2))
