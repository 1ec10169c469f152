"""PatchSAE's files, and FastSAE's."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from tests.sae.formats.formulas import assert_agrees, pre, taken


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
    assert sae.at == vision(10)
    assert_agrees(sae, x, pre(four, x).relu(), four)


def test_patchsae_counts_layers_from_the_end(four, tmp_path: Path) -> None:
    torch.save({"cfg": {"block_layer": -2}, "state_dict": four}, tmp_path / "a.pt")
    with pytest.raises(UserError, match="give --at"):
        import_sae(tmp_path / "a.pt", "patchsae", tmp_path / "out")


def test_fastsae(four, x, tmp_path: Path) -> None:
    torch.save(four, tmp_path / "vanilla_state_dict.pt")
    (tmp_path / "vanilla_config.json").write_text(json.dumps({"activation_name": "relu"}))
    assert_agrees(taken(tmp_path, "patchsae", tmp_path / "out", at=vision(3)), x, pre(four, x).relu(), four)


def test_weights_of_other_shapes_are_a_sentence(four, tmp_path: Path) -> None:
    torch.save({"cfg": {"block_layer": 1}, "state_dict": four | {"b_enc": torch.zeros(3)}}, tmp_path / "y.pt")
    with pytest.raises(UserError, match="don't fit"):
        import_sae(tmp_path / "y.pt", "patchsae", tmp_path / "out")
