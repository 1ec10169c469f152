"""Every family through a whole analysis: answer, map, concepts, an ablation, and an empty edit that changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scratchpad.records import Edit
from scratchpad.records.edit import ablation
from scratchpad.vlm.checkpoint import identity_of
from scratchpad.workbench import Workbench
from tests.vlm.tiny import NAMES, noise, vlm_of

QUICK = ("llava", "qwen3_vl_moe", "glm4v", "janus", "ovis2", "mistral3")


def random_sae(folder: Path, width: int, layer: int) -> Path:
    draw = torch.Generator().manual_seed(0)
    w = torch.randn(width, 4 * width, generator=draw)
    weights = {"W_enc": w, "b_enc": torch.zeros(4 * width), "W_dec": w.T.contiguous() / width, "b_dec": torch.zeros(width)}
    save_file(weights, folder / "sae_weights.safetensors")
    config = {"architecture": "topk", "k": 4, "d_in": width, "d_sae": 4 * width, "metadata": {"layer": layer}}
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES])
def test_a_whole_analysis(name: str, tmp_path: Path) -> None:
    vlm = replace(vlm_of(name), identity=identity_of(vlm_of(name).model))
    bench = Workbench(vlm, random_sae(tmp_path, vlm.width, vlm.read_layer))
    asked = bench.analyze(noise((60, 150)), "What is it?", 3)
    grid = asked.run.grid
    assert len(asked.run.answer_ids) == 3
    assert asked.weights.values.shape[1] == grid.patches
    seeing = asked.weights.values.sum(1)  # less than 1 where newline tokens are looked at, which show no patch
    assert seeing.max() < 1 + 1e-4
    assert seeing[-1] > 0.5
    assert asked.heatmap.values.max() == 1
    same = bench.ablate(asked, Edit())
    assert same.before == same.after
    assert same.effect == 0
    strongest = max(asked.by_effect, key=lambda latent: abs(asked.by_effect[latent]))
    assert abs(bench.ablate(asked, ablation([strongest])).effect) > 1e-6
