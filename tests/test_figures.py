"""Figures draw what the records hold, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchpad import figures
from scratchpad.analysis.edit import ablation
from scratchpad.errors import UserError
from scratchpad.images import load_image
from scratchpad.records import Analysis
from scratchpad.workbench import Workbench

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def found(bench: Workbench, scene_path: Path) -> Analysis:
    return bench.analyze(scene_path, "describe this scene")


def test_maps_lie_over_the_picture(bench: Workbench, found: Analysis, scene_path: Path) -> None:
    picture = load_image(scene_path)
    token = found.run.outputs()[-1]
    row = found.weights.values[found.weights.tokens.index(token.index)]
    for drawn, values in (
        (figures.attention(found, picture, token.index), row),
        (figures.latent(bench, found, picture, found.latents[0].id), np.asarray(found.codes.of(found.latents[0].id))),
    ):
        layers: Any = drawn.data
        grey, map_ = layers
        assert np.asarray(grey.z).shape[:2] == found.run.grid.size
        np.testing.assert_allclose(np.asarray(map_.z), found.run.grid.picture(values))
        assert map_.zmin == 0
    by_text = figures.attention(found, picture, token.text)
    assert token.text.strip() in by_text.layout.title.text
    with pytest.raises(UserError, match="no text token 'zebra'"):
        figures.attention(found, picture, "zebra")
    with pytest.raises(UserError, match="the map is of one of"):
        figures.attention(found, picture.resize((20, 20)), token.index)


def test_heatmap_and_effect(bench: Workbench, found: Analysis) -> None:
    drawn: Any = figures.heatmap(bench, found)
    np.testing.assert_allclose(np.asarray(drawn.data[0].z), found.heatmap.values)
    assert len(set(drawn.data[0].y)) == len(found.heatmap.tokens)
    assert [int(name.rpartition("#")[2]) for name in drawn.data[0].x] == list(found.heatmap.latents)
    assert len(drawn.layout.shapes) == len(found.heatmap.clusters)
    edit = ablation(found.suggested)
    compared, control = bench.ablate(found, edit), bench.control(found, edit)
    shown: Any = figures.effect(compared, control)
    np.testing.assert_allclose(shown.data[0].y, compared.delta_logprob)
    np.testing.assert_allclose(shown.data[1].x, control.effects)
    assert shown.data[4].x[0] == pytest.approx(sum(compared.delta_logprob))


def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(from scratchpad import figures.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert example is not None
    assert 8 <= example[1].count("\n") <= 12
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(example[1], "README.md", "exec"), {})
    assert (tmp_path / "heatmap.html").stat().st_size > 10_000
    assert (tmp_path / "effect.html").stat().st_size > 10_000
