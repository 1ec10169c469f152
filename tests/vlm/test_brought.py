"""What users bring: checkpoints as people save them, not as we would. Each is read as it's meant, or refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForImageTextToText

from scratchpad.errors import UserError
from scratchpad.records import Edit
from scratchpad.records.edit import ablation
from scratchpad.records.hookpoint import vision
from scratchpad.sae.harvest import harvest
from scratchpad.vlm import checkpoint
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.forcing import force
from scratchpad.vlm.gradient import gradient
from scratchpad.vlm.inspect import inspect, lines
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import generate, run, run_and_keep
from scratchpad.workbench import Workbench
from tests.vlm import tiny
from tests.vlm.tiny import PLAIN, noise, prepared_of

ASKED = {
    "do_sample": True,
    "temperature": 0.2,
    "top_k": 3,
    "num_beams": 3,
    "repetition_penalty": 1.8,
    "no_repeat_ngram_size": 1,
    "suppress_tokens": [7, 8],
    "forced_eos_token_id": 9,
}


def saved(name: str, folder: Path, made: Vlm | None = None, **how: object) -> Path:
    made = made or tiny.FAMILIES[name]()
    made.model.save_pretrained(folder, **how)
    made.processor.save_pretrained(folder)
    return folder


def altered(folder: Path, file: str, **changes: object) -> Path:
    path = folder / file
    value = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(value | changes))
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved("llava", tmp_path_factory.mktemp("llava") / "model")


@pytest.fixture
def folder(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "model"))


def said(vlm: Vlm) -> tuple[int, ...]:
    return run(vlm, prepared_of(vlm), vision(0), 6).answer_ids


@pytest.mark.parametrize("name", ["llava", "gemma3"])
def test_an_answer_is_greedy_whatever_the_generation_config_asks_for(name: str, tmp_path: Path) -> None:
    """With a penalty in it, the likeliest next token is another one than log-probabilities say, and an empty edit no identity."""
    own = load_vlm(saved(name, tmp_path / "model"))
    vlm = load_vlm(altered(tmp_path / "model", "generation_config.json", **ASKED))
    prepared = prepared_of(vlm)
    assert said(vlm) == said(own)
    assert force(vlm, prepared, said(vlm)).unchanged[0]
    report = inspect(vlm)
    assert {"num_beams 3", "repetition_penalty 1.8", "do_sample True"} <= set(report["set_aside"])
    assert any("without what its generation config asks for" in line and "num_beams 3" in line for line in lines(report))
    assert inspect(own)["set_aside"] == []


def test_an_answer_still_ends_where_the_checkpoint_says(folder: Path) -> None:
    first = said(load_vlm(folder))[0]
    assert said(load_vlm(altered(folder, "generation_config.json", eos_token_id=[2, first]))) == (first,)


@pytest.mark.parametrize("key", ["_attn_implementation", "attn_implementation"])
def test_flash_attention_in_the_configuration_is_left_out(key: str, plain: Path, folder: Path) -> None:
    assert said(load_vlm(altered(folder, "config.json", **{key: "flash_attention_2"}))) == said(load_vlm(plain))


def test_shards(plain: Path, folder: Path) -> None:
    whole = load_vlm(plain)
    for path in folder.glob("model*"):
        path.unlink()
    whole.model.save_pretrained(folder, max_shard_size="20KB")
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 3
    loaded = load_vlm(folder)
    assert (loaded.identity, said(loaded)) == (whole.identity, said(whole))
    shards[1].unlink()
    with pytest.raises(UserError, match=f"could not be loaded: .*{shards[1].name}"):
        load_vlm(folder)


def test_tied_weights(tmp_path: Path) -> None:
    made = tiny.llava()
    made.model.config.tie_word_embeddings = made.model.config.text_config.tie_word_embeddings = True
    made.model.tie_weights()
    loaded = load_vlm(saved("llava", tmp_path, made))
    assert loaded.model.lm_head.weight.data_ptr() == loaded.model.get_input_embeddings().weight.data_ptr()
    assert said(loaded) == said(made)
    assert loaded.identity == load_vlm(tmp_path).identity


@pytest.fixture(scope="module")
def sae(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """float32, of the tiny LLaVA's last block read."""
    from safetensors.torch import save_file

    vlm, out = load_vlm(plain), tmp_path_factory.mktemp("sae")
    draw = torch.Generator().manual_seed(0)
    weights = {"W_enc": torch.randn(vlm.width, 96, generator=draw), "b_enc": torch.zeros(96)}
    save_file(weights | {"W_dec": weights["W_enc"].T.contiguous(), "b_dec": torch.zeros(vlm.width)}, out / "sae_weights.safetensors")
    config = {"architecture": "topk", "k": 6, "d_in": vlm.width, "d_sae": 96, "metadata": {"layer": vlm.read_layer}}
    (out / "cfg.json").write_text(json.dumps(config))
    return out


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_under_a_float32_sae(dtype: str, plain: Path, sae: Path) -> None:
    half, whole = (Workbench(plain, sae, Placement(dtype=kind)) for kind in (dtype, "float32"))
    ours, theirs = (bench.analyze(noise((60, 150)), "What is it?", 4) for bench in (half, whole))
    assert str(half.vlm.model.dtype) == f"torch.{dtype}"
    assert (half.sae.W_enc.dtype, ours.run.activations.dtype) == (torch.float32, np.float32)
    x = theirs.run.activations
    assert np.abs(ours.run.activations - x).max() < 0.05 * np.abs(x).max()
    same = half.ablate(ours, Edit())
    assert same.before == same.after
    assert half.ablate(ours, ablation([row.id for row in ours.latents])).effect != 0
    assert all(np.isfinite(value) for value in ours.by_effect.values())


def test_bf16_weights_on_disk_stay_so(tmp_path: Path) -> None:
    made = tiny.llava()
    made.model.to(torch.bfloat16)
    vlm = load_vlm(saved("llava", tmp_path, made))
    assert vlm.model.dtype == torch.bfloat16
    assert len(said(vlm)) == 6


SYSTEM = "What is it? Answer shortly."  # the same words as the question's
TEXT_ONLY = "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}{% endfor %}[answer]"


@pytest.mark.parametrize(
    ("processor", "tokenizer", "mark"),
    [
        (f"SYSTEM: {SYSTEM} " + PLAIN.replace("MARK", "<image>"), None, "SYSTEM"),
        (TEXT_ONLY, None, "[user]"),
        (None, TEXT_ONLY, "[user]"),
        ("{{ raise_exception('only one system turn') }}", TEXT_ONLY, "[user]"),
    ],
)
def test_chat_templates_as_people_have_them(plain: Path, processor: str | None, tokenizer: str | None, mark: str) -> None:
    """With a system prompt; of text alone; beside the tokenizer only; one that can't be filled."""
    vlm = load_vlm(plain)
    vlm.processor.chat_template = processor
    vlm.processor.tokenizer.chat_template = tokenizer
    prepared = prepare(vlm, noise((60, 150)), "What is it?")
    assert len(prepared.image_positions) == prepared.grid.image_tokens
    assert "".join(token.text for token in prepared.tokens if token.role == "prompt") == "What is it?"
    assert mark in "".join(token.text for token in prepared.tokens if token.role == "system")
    asked = [token.index for token in prepared.tokens if token.role == "prompt"]
    assert min(asked) > max(prepared.image_positions)
    assert len(generate(vlm, prepared, 2).ids) == 2


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (None, "has no chat template; expected chat_template.jinja"),
        ("{{ raise_exception('no users here') }}", "can't be filled with a question about an image .no users here."),
        ("ASSISTANT:", "it leaves out <image>"),
        (PLAIN.replace("MARK", "<image>").replace("part['text']", "part['text'] | upper"), "changes the words 'What is it"),
    ],
)
def test_a_chat_template_that_can_t_be_used_is_refused(plain: Path, template: str | None, why: str) -> None:
    vlm = load_vlm(plain)
    vlm.processor.chat_template = vlm.processor.tokenizer.chat_template = template
    with pytest.raises(UserError, match=why) as refused:
        prepare(vlm, noise((60, 150)), "What is it?")
    assert "\n" not in str(refused.value)


def test_a_prompt_need_not_say_where_the_image_stands(plain: Path) -> None:
    vlm = load_vlm(plain)
    without, before = (prepare(vlm, noise((60, 150)), prompt) for prompt in ("What is it?", "<image>What is it?"))
    assert [token.id for token in without.tokens] == [token.id for token in before.tokens]


def dispatched(folder: Path, on_disk: Callable[[str], bool]) -> Vlm:
    """A checkpoint whose parts are on two devices, as accelerate's device_map spreads them: in memory, and on disk."""
    whole = load_vlm(folder)
    parts = {f"model.{name}": "disk" if on_disk(name) else "cpu" for name, _ in whole.model.model.named_children()}
    parts["lm_head"] = "disk" if on_disk("language_model") else "cpu"
    options = {"device_map": parts, "dtype": "auto", "offload_folder": str(folder.parent / "offloaded")}
    model = checkpoint.load_weights(folder, AutoModelForImageTextToText, Placement(device="auto"), options)
    assert {part.device.type for part in model.parameters()} == {"cpu", "meta"}
    return Vlm(whole.name, checkpoint.identity_of(model), model, whole.processor, Vlm.adapted(model, whole.processor))


@pytest.mark.parametrize("name", ["llava", "qwen3_vl"])
@pytest.mark.parametrize("language", [True, False])
def test_a_model_over_two_devices_is_the_same_model(name: str, language: bool, tmp_path: Path) -> None:
    folder = saved(name, tmp_path / "model")
    vlm, whole = dispatched(folder, lambda part: (part == "language_model") == language), load_vlm(folder)
    assert (vlm.identity, vlm.encoder_identity) == (whole.identity, whole.encoder_identity)
    results = []
    for each in (vlm, whole):
        prepared = prepared_of(each)
        made, clean = run_and_keep(each, prepared, vision(0), 6)
        deltas = torch.randn(2, prepared.grid.patches, each.width, generator=torch.Generator().manual_seed(0))
        results.append(
            (
                made.activations,
                made.attention,
                force(each, prepared, made.answer_ids, vision(0), deltas, clean).logprobs,
                gradient(each, prepared, made.answer_ids, each.read_point),
                np.array(generate(each, prepared, 6, vision(0), deltas[:1], clean).ids),
                next(iter(harvest(each, [noise((60, 150))], [vision(0)])))[vision(0)].numpy(),
            )
        )
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_device_map_of_auto_is_a_placement_like_any(plain: Path, sae: Path) -> None:
    spread, own = (Workbench(plain, sae, Placement(device=device)) for device in ("auto", "cpu"))
    ours, theirs = (bench.analyze(noise((60, 150)), "What is it?", 4) for bench in (spread, own))
    assert ours.run.answer_ids == theirs.run.answer_ids
    assert ours.model == theirs.model
