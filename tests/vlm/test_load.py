from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.errors import UserError
from scratchpad.records import Edit
from scratchpad.vlm import checkpoint
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.load import load_vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import generate
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench
from tests.vlm import tiny
from tests.vlm.tiny import prepared_of, vlm_of


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


def with_config(folder: Path, **changes: object) -> Path:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


def test_a_text_only_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'gpt2', which isn't a model for images and text"):
        load_vlm(with_config(copy(tmp_path), model_type="gpt2"))


def test_a_model_with_its_own_code_is_refused(tmp_path: Path) -> None:
    folder = with_config(copy(tmp_path), model_type="my_vlm", auto_map={"AutoConfig": "configuration_mine.MyConfig"})
    (folder / "configuration_mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="trust-remote-code"):
        load_vlm(folder)
    assert not (tmp_path / "ran").exists()


def test_a_model_too_large_for_memory_is_refused_before_loading(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    text = json.loads((folder / "config.json").read_text())["text_config"]
    with_config(folder, text_config=text | {"hidden_size": 2**17, "intermediate_size": 2**19})
    with pytest.raises(UserError, match="TB.*free on cpu"):
        load_vlm(folder)


def test_a_hub_id_without_network_is_one_sentence() -> None:
    with pytest.raises(UserError, match="configuration of nobody/no-such-model could not be loaded"):
        load_vlm("nobody/no-such-model")


@pytest.mark.parametrize(
    ("placement", "said"),
    [
        (Placement(device="cuda"), "none of it"),
        (Placement(device="toaster"), "expected cpu"),
        (Placement(dtype="int7"), "expected one of auto"),
        (Placement(bits=5), "expected 4 or 8"),
    ],
)
def test_a_placement_that_this_machine_lacks(placement: Placement, said: str) -> None:
    if placement.device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(UserError, match=said):
        load_vlm(DEFAULT_MODEL, placement)


def test_what_quantised_weights_need_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "find_spec", lambda name: None if name == "bitsandbytes" else object())
    with pytest.raises(UserError, match="bitsandbytes, which is not installed: pip install"):
        load_vlm(DEFAULT_MODEL, Placement(bits=4))


@pytest.mark.parametrize("bits", [8, 4])
def test_the_language_model_is_quantised_and_the_encoder_is_not(bits: int, bench: Workbench, scene_path: Path) -> None:
    """The SAE reads what it was trained on; the run is captured, differentiated and edited as ever."""
    small = Workbench(placement=Placement(bits=bits))
    own, analysis = (one.analyze(scene_path, "what animal is there") for one in (bench, small))
    assert np.array_equal(own.run.activations, analysis.run.activations)
    kinds = {name.split(".")[1]: type(part).__name__ for name, part in small.vlm.model.named_modules() if name.endswith("q_proj")}
    assert kinds == {"vision_tower": "Linear", "language_model": f"Linear{bits}bit" + ("Lt" if bits == 8 else "")}
    plain = small.forced(analysis, [Edit()])
    seen = [token.logprob for token in analysis.run.outputs()]
    assert plain.logprobs[0, : len(seen)] == pytest.approx(seen, abs=1e-3)
    # The gradient is this model's. int8 rounds activations at every layer, so a small step says nothing of a slope: what it predicts is
    # compared with what the same model predicts in float. A gradient of anything else correlates about 0; seen: 0.99 (8), 0.64 to 0.83 (4).
    latents = sorted(own.by_effect)
    alike = np.corrcoef([own.by_effect[i] for i in latents], [analysis.by_effect.get(i, 0.0) for i in latents])[0, 1]
    assert alike > {8: 0.8, 4: 0.3}[bits], alike


def test_half_precision_says_the_same() -> None:
    image = Image.new("RGB", (224, 224), (90, 160, 70))
    vlm = load_vlm(DEFAULT_MODEL, Placement(dtype="bfloat16"))
    assert vlm.model.dtype == torch.bfloat16
    assert generate(vlm, prepare(vlm, image, "What is the background?"), 8).text


ELSEWHERE = ("smolvlm", "mistral3")  # whose processors need packages that are installed nowhere here


@pytest.mark.parametrize("name", [name for name in tiny.FAMILIES if name not in ELSEWHERE])
def test_every_family_loads_from_a_folder(tmp_path: Path, name: str) -> None:
    made = tiny.FAMILIES[name]()
    made.model.save_pretrained(tmp_path)
    made.processor.save_pretrained(tmp_path)
    loaded = load_vlm(tmp_path)
    image = Image.new("RGB", (150, 60), (90, 160, 70))
    ours, theirs = (prepare(vlm, image, "What is it?") for vlm in (loaded, made))
    assert [t.id for t in ours.tokens] == [t.id for t in theirs.tokens]
    assert ours.grid.tiles == theirs.grid.tiles
    assert generate(loaded, ours, 4).ids == generate(made, theirs, 4).ids


@pytest.mark.parametrize(("name", "package"), [("smolvlm", "num2words"), ("mistral3", "torchvision")])
def test_a_processor_that_needs_a_missing_package_names_it(name: str, package: str, tmp_path: Path) -> None:
    made = tiny.FAMILIES[name]()
    made.model.save_pretrained(tmp_path)
    made.processor.save_pretrained(tmp_path)
    if find_spec(package):
        pytest.skip("it is installed here")
    with pytest.raises(UserError, match=f"(?i){package}"):
        load_vlm(tmp_path)


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
    config["metadata"].pop("weights_sha256")  # weights may be changed too
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


def test_pan_and_scan_makes_crops_of_gemma3_and_is_refused_elsewhere(tmp_path: Path) -> None:
    tiny = vlm_of("gemma3")
    tiny.model.save_pretrained(tmp_path)
    tiny.processor.save_pretrained(tmp_path)
    whole, crops = (load_vlm(tmp_path, Placement(pan_and_scan=given)) for given in (False, True))
    assert len(prepared_of(whole, (300, 900)).grid.tiles) == 1
    assert len(prepared_of(crops, (300, 900)).grid.tiles) > 1
    with pytest.raises(UserError, match="doesn't pan and scan"):
        load_vlm(DEFAULT_MODEL, Placement(pan_and_scan=True))
