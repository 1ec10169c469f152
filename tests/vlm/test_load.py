from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scratchpad.errors import UserError
from scratchpad.vlm.load import load_vlm
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench


def copy(tmp_path: Path, *leave_out: str) -> Path:
    out = tmp_path / "model"
    shutil.copytree(DEFAULT_MODEL, out, ignore=shutil.ignore_patterns(*leave_out) if leave_out else None)
    return out


def test_the_demo_is_a_plain_llava() -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor, LlavaForConditionalGeneration, LlavaProcessor

    model = AutoModelForImageTextToText.from_pretrained(DEFAULT_MODEL)
    assert type(model) is LlavaForConditionalGeneration
    assert type(AutoProcessor.from_pretrained(DEFAULT_MODEL)) is LlavaProcessor
    assert sum(p.numel() for p in model.parameters()) <= 10_000_000
    assert max(f.stat().st_size for f in DEFAULT_MODEL.iterdir()) <= 16 * 2**20


def test_no_folder() -> None:
    with pytest.raises(UserError, match="no model folder"):
        load_vlm("nowhere/at/all")


def test_no_config(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no config\.json"):
        load_vlm(tmp_path)


def test_no_weights(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights"):
        load_vlm(copy(tmp_path, "*.safetensors"))


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = copy(tmp_path, "*.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match="pickles"):
        load_vlm(folder)


def test_no_processor(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="processor"):
        load_vlm(copy(tmp_path, "processor_config.json", "tokenizer*", "chat_template*"))


def test_another_family_is_refused_by_name(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    with pytest.raises(UserError, match="gpt2"):
        load_vlm(folder)


def test_truncated_weights(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    path = sorted(folder.glob("*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match="weights"):
        load_vlm(folder)


def altered_sae(tmp_path: Path, **metadata: object) -> Path:
    out = tmp_path / "sae"
    shutil.copytree(DEFAULT_SAE, out, ignore=shutil.ignore_patterns("index"))
    config = json.loads((out / "cfg.json").read_text())
    config["metadata"] |= metadata
    (out / "cfg.json").write_text(json.dumps(config))
    return out


def test_an_sae_of_a_layer_that_has_no_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no effect"):
        Workbench(sae=altered_sae(tmp_path, layer=6))


def test_an_sae_of_another_width_is_refused(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    out = altered_sae(tmp_path)
    save_file(
        {"W_enc": torch.zeros(64, 8), "b_enc": torch.zeros(8), "W_dec": torch.zeros(8, 64), "b_dec": torch.zeros(64)},
        out / "sae_weights.safetensors",
    )
    config = json.loads((out / "cfg.json").read_text())
    (out / "cfg.json").write_text(json.dumps(config | {"d_in": 64, "d_sae": 8, "k": 2}))
    with pytest.raises(UserError, match="width 64"):
        Workbench(sae=out)
