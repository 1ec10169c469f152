"""Attention by layer and head equals the model's own eager attention, and its mean is what a run captured (invariant 2)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.analysis.weigh import of_tokens
from scratchpad.errors import UserError
from scratchpad.records import Analysis
from scratchpad.records.hookpoint import vision
from scratchpad.vlm.attention import instead
from scratchpad.vlm.heads import rows_by_head
from scratchpad.vlm.logprobs import answered
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.run import run
from scratchpad.workbench import Workbench
from tests.vlm.tiny import prepared_of, vlm_of


def test_every_head_equals_eager(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    token = analysis.run.outputs()[-1].index
    seen = bench.attention_by_head(analysis, token)
    with instead(bench.vlm.model, "eager"), torch.no_grad():
        inputs = answered(bench.vlm, prepared.inputs, prepared.length, analysis.run.answer_ids)
        out = bench.vlm.model(**inputs, output_attentions=True)
    theirs = torch.stack(out.attentions)[:, 0, :, token - 1].numpy()[..., prepared.image_positions]  # y h v
    assert seen.rows is not None
    assert seen.rows.shape == (6, 8, 196)
    np.testing.assert_allclose(seen.rows, theirs, atol=1e-4)
    np.testing.assert_allclose(seen.shares, theirs.sum(-1), atol=1e-4)
    assert seen.shares.std() > 0.01, "the heads don't differ"
    np.testing.assert_allclose(seen.rows.mean(1), analysis.run.attention_of(token), atol=1e-4)
    patches = analysis.run.grid.to_patches(theirs)
    np.testing.assert_allclose(seen.maps / 255 * seen.peaks[..., None], patches, atol=float(patches.max()) / 400)


@pytest.mark.parametrize("name", ["llava_next", "qwen2_5_vl", "paligemma2", "gemma3"])  # tiles and windows, m-RoPE, capped scores, a prefix
def test_every_head_equals_eager_where_heads_share_keys(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    answer = run(vlm, prepared, vision(0), max_new_tokens=4)
    inputs = answered(vlm, prepared.inputs, prepared.length, answer.answer_ids)
    for position in (prepared.length - 1, prepared.length + 2):
        rows = rows_by_head(vlm, prepared, answer.answer_ids, position)
        with instead(vlm.model, "eager"), torch.no_grad():
            out = vlm.model(**inputs, use_cache=False, output_attentions=True)
        theirs = torch.stack(out.attentions)[:, 0, :, position].numpy()[..., prepared.image_positions]
        assert rows.shape[1] == 4
        np.testing.assert_allclose(rows, theirs, atol=1e-4)
        assert rows.std(1).max() > 1e-3, "the heads don't differ"
        captured = answer.rows()[answer.queries.tolist().index(position)]
        np.testing.assert_allclose(rows.mean(1), captured, atol=1e-4)


def test_a_map_of_all_layers_and_heads_is_the_analysis_own(bench: Workbench, analysis: Analysis) -> None:
    whole = bench.head_map(analysis)
    np.testing.assert_allclose(whole.values, of_tokens(analysis.weights, [whole.token])[0], atol=1e-5)
    late = bench.head_map(analysis, whole.token, layers=range(3, 6))
    rows = analysis.run.attention_of(whole.token)[3:].mean(0)
    np.testing.assert_allclose(late.values, analysis.run.grid.to_patches(rows / rows.sum()), atol=1e-5)
    assert late.share == pytest.approx(rows.sum(), abs=1e-5)
    single = bench.head_map(analysis, whole.token, [5], [2])
    assert (single.layers, single.heads) == ((5,), (2,))
    assert np.abs(single.values - late.values).max() > 1e-3


def test_layers_heads_and_tokens_that_are_not_there_are_refused(bench: Workbench, analysis: Analysis) -> None:
    for layers, heads, says in (([6], None, "0 to 5"), (None, [8], "0 to 7"), ([], None, "one or more"), ([-1], None, "0 to 5")):
        with pytest.raises(UserError, match=says):
            bench.head_map(analysis, None, layers, heads)
    image = next(t.index for t in analysis.run.tokens if t.role == "image")
    with pytest.raises(UserError, match="text token"):
        bench.attention_by_head(analysis, image)
