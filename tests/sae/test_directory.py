"""Released SAEs by name: SAELens' own directory and loader, from a hub's cache that is laid out here, a tiny SAE in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from scratchpad.errors import UserError
from scratchpad.sae.directory import folder_of
from scratchpad.sae.load import load_sae

RELEASE, ID = "qwen2.5-7b-instruct-andyrdt", "resid_post_layer_3_trainer_1"
REPOSITORY, INSIDE = "andyrdt/saes-qwen2.5-7b-instruct", "resid_post_layer_3/trainer_1"
D, L = 8, 24


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """A cache as huggingface_hub keeps it, with one revision of the release's repository."""
    home = tmp_path / "hub" / f"models--{REPOSITORY.replace('/', '--')}"
    folder = home / "snapshots" / ("0" * 40) / INSIDE
    folder.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0" * 40)
    chance = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(*shape, generator=chance) for name, shape in {"encoder.weight": (L, D), "decoder.weight": (D, L)}.items()}
    weights |= {"encoder.bias": torch.randn(L, generator=chance), "b_dec": torch.randn(D, generator=chance), "k": torch.tensor(4)}
    weights["threshold"] = torch.tensor(0.5)
    torch.save(weights, folder / "ae.pt")
    trainer = {"layer": 3, "dict_class": "BatchTopKSAE", "activation_dim": D, "dict_size": L, "k": 4, "lm_name": "Qwen/Qwen2.5-7B-Instruct"}
    (folder / "config.json").write_text(json.dumps({"trainer": trainer, "buffer": {"ctx_len": 1024}}))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return weights


def test_a_released_sae_is_fetched_by_its_name_once(hub: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(f"{RELEASE}/{ID}")
    config = json.loads((folder / "cfg.json").read_text())
    assert config["metadata"]["hook_name"] == "language_model.blocks.3.hook_resid_post"
    assert torch.equal(load_file(folder / "sae_weights.safetensors")["W_dec"], hub["decoder.weight"].T)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nowhere")
    assert folder_of(f"{RELEASE}/{ID}") == folder


def test_what_cannot_be_fetched_is_a_sentence(hub: dict[str, torch.Tensor]) -> None:
    with pytest.raises(UserError, match="among them resid_post_layer_3"):
        load_sae(f"{RELEASE}/layer_99")
    with pytest.raises(UserError, match="could not be fetched"):
        load_sae(f"{RELEASE}/{ID.replace('3', '7', 1)}")
    with pytest.raises(UserError, match="not an SAE folder"):
        load_sae("no-such-release/at-all")
    assert not list(folder_of(f"{RELEASE}/{ID}").parent.glob("*.aside*"))
