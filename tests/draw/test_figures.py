"""Figures draw what the records hold, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchpad.cases.bundle import unpack
from scratchpad.draw import figures
from scratchpad.errors import UserError
from scratchpad.records import Analysis
from scratchpad.records.edit import ablation
from scratchpad.workbench import Workbench

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def analysis(bench: Workbench, scene_path: Path) -> Analysis:
    return bench.analyze(scene_path, "describe this scene")


def test_maps_lie_over_the_picture(bench: Workbench, analysis: Analysis, scene_path: Path) -> None:
    token = analysis.run.outputs()[-1]
    row = analysis.weights.values[analysis.weights.tokens.index(token.index)]
    for drawn, values in (
        (figures.attention(analysis, token.index), row),
        (figures.latent(analysis, analysis.latents[0].id), np.asarray(analysis.codes.of(analysis.latents[0].id))),
    ):
        layers: Any = drawn.data
        grey, map_ = layers
        assert np.asarray(grey.z).shape[:2] == analysis.run.grid.size
        np.testing.assert_allclose(np.asarray(map_.z), analysis.run.grid.picture(values))
        assert map_.zmin == 0
    by_text = figures.attention(analysis, token.text)
    assert token.text.strip() in by_text.layout.title.text
    with pytest.raises(UserError, match="no text token 'zebra'"):
        figures.attention(analysis, "zebra")
    with pytest.raises(UserError, match="Picture 1 was asked for"):
        figures.attention(analysis, token.index, 1)


def test_heatmap_and_effect(bench: Workbench, analysis: Analysis) -> None:
    drawn: Any = figures.heatmap(analysis, question=True)
    np.testing.assert_allclose(np.asarray(drawn.data[0].z), analysis.heatmap.values)
    answer: Any = figures.heatmap(analysis)
    assert np.asarray(answer.data[0].z).shape == (len(analysis.run.outputs()), len(analysis.heatmap.latents))
    assert len(set(drawn.data[0].y)) == len(analysis.heatmap.tokens)
    assert [int(name.rpartition("#")[2]) for name in drawn.data[0].x] == list(analysis.heatmap.latents)
    assert len(drawn.layout.shapes) == len(analysis.heatmap.clusters)
    test = bench.test(analysis, ablation([analysis.latents[0].id]))
    shown: Any = figures.effect(test)
    np.testing.assert_allclose(shown.data[0].y, test.comparison.delta_logprob)
    np.testing.assert_allclose(shown.data[1].x, test.control.effects)
    assert shown.data[4].x[0] == pytest.approx(test.comparison.effect)
    assert test.verdict.kind in shown.layout.title.text.lower()


def test_a_case_opens_as_records_and_is_drawn_without_a_model() -> None:
    """Case -> records -> figures."""
    kept = unpack((ROOT / "tests/cases/fixtures/format-1.case").read_bytes())
    analysis = kept.case.analysis
    drawn: Any = figures.heatmap(analysis, question=True)
    np.testing.assert_allclose(np.asarray(drawn.data[0].z), analysis.heatmap.values)
    over: Any = figures.attention(analysis, analysis.run.answer)
    assert np.asarray(over.data[0].z).shape[:2] == (224, 224)
    assert figures.effect(kept.case.tests[0]).data
