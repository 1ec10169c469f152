"""A picture on which no latent is active: that is a result, through every door."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from scratchpad.benches import Benches
from scratchpad.cases.bundle import pack, unpack
from scratchpad.cases.record import record, replay
from scratchpad.cli import main
from scratchpad.records import Analysis as AnalysisRecord
from scratchpad.records import Edit, loads
from scratchpad.ui.handlers import Handlers
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped SAE with every latent held below zero."""
    folder = tmp_path_factory.mktemp("sae") / "silent"
    shutil.copytree(DEFAULT_SAE, folder)
    weights = load_file(folder / "sae_weights.safetensors")
    weights["b_enc"] = torch.full_like(weights["b_enc"], -1e6)
    save_file(weights, folder / "sae_weights.safetensors")
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"] = {name: value for name, value in config["metadata"].items() if "sha256" not in name and "hash" not in name}
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


def test_no_latent_is_active_and_everything_says_so(bench: Workbench, silent: Path, scene_image: Image.Image) -> None:
    quiet = Workbench(bench.vlm, silent)
    analysis = quiet.suggest(quiet.analyze(scene_image, "What is in the picture?"))
    assert analysis.run.answer == bench.analyze(scene_image, "What is in the picture?").run.answer
    assert (analysis.latents, analysis.heatmap.latents, analysis.heatmap.clusters, analysis.scores.latents) == ((), (), (), ())
    assert analysis.suggested is not None
    assert not analysis.suggested.flipped
    assert not analysis.fidelity.fits  # nothing is explained, and that is said
    assert not quiet.suffice(analysis).flipped
    assert not quiet.keep(analysis).flipped
    assert quiet.verify(analysis).effects == ()
    assert quiet.test(analysis, Edit(keep_error=False)).verdict.kind == "inconclusive"
    kept = unpack(pack(record(quiet, analysis)))
    assert replay(kept, quiet).agrees


def test_the_command_line_and_the_page_say_so(silent: Path, scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(scene_path), "What is in the picture?", "--sae", str(silent)]) == 0
    assert "no latent is active on this picture" in capsys.readouterr().out
    drawn, said, asked = Handlers(Benches([(DEFAULT_MODEL, silent)])).ask([str(scene_path)], "What is in the picture?")
    assert (said, drawn is None, asked is None) == ("", False, False)
    assert loads(AnalysisRecord, json.dumps(json.loads(drawn or "")["analysis"])).latents == ()
