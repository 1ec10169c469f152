"""Capture is exact, hooks are scoped, and an empty edit is the identity (invariants 1, 2 and 5)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records import Analysis, Edit, LatentEdit
from scratchpad.records.hookpoint import vision
from scratchpad.vlm.attention import NAME
from scratchpad.vlm.forcing import force
from scratchpad.vlm.hooks import adding
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.run import generate
from scratchpad.workbench import Workbench


@pytest.fixture
def eager(bench: Workbench) -> Iterator[None]:
    before = bench.vlm.model.config.text_config._attn_implementation
    bench.vlm.model.set_attn_implementation({"text_config": "eager"})
    yield
    bench.vlm.model.set_attn_implementation({"text_config": before})


def full_inputs(analysis: Analysis, prepared: Prepared) -> dict[str, torch.Tensor]:
    ids = torch.cat([prepared.inputs["input_ids"], torch.tensor([analysis.run.answer_ids])], 1)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": prepared.inputs["pixel_values"]}


def test_attention_equals_eager(bench: Workbench, analysis: Analysis, prepared: Prepared, eager: None) -> None:
    with torch.no_grad():
        out = bench.vlm.model(**full_inputs(analysis, prepared), output_attentions=True)
    theirs = torch.stack(out.attentions)[:, 0].mean(1).numpy()  # y s s
    columns = prepared.image_positions
    expected = theirs[:, analysis.run.queries][..., columns].transpose(1, 0, 2)
    np.testing.assert_allclose(analysis.run.attention, expected, atol=1e-5)
    assert expected.max() > 1e-3
    texts = [t.index for t in analysis.run.text_tokens()]
    assert set(texts[:-1]) <= set(analysis.run.queries.tolist())


@pytest.mark.parametrize("heads", [(0,), (3, 6)])
def test_attention_of_chosen_heads_equals_eager(
    bench: Workbench, analysis: Analysis, prepared: Prepared, heads: tuple[int, ...], request: pytest.FixtureRequest
) -> None:
    question = analysis.question
    of_heads = bench.analyze(question.pictures(), question.prompt, attention_layers=[2, 4], attention_heads=heads)
    assert of_heads.run.answer_ids == analysis.run.answer_ids
    request.getfixturevalue("eager")
    with torch.no_grad():
        out = bench.vlm.model(**full_inputs(analysis, prepared), output_attentions=True)
    theirs = torch.stack(out.attentions)[:, 0, list(heads)].mean(1).numpy()  # y s s
    columns = prepared.image_positions
    expected = theirs[:, of_heads.run.queries][..., columns].transpose(1, 0, 2)
    np.testing.assert_allclose(of_heads.run.attention, expected, atol=1e-5)
    token = of_heads.run.outputs()[0].index
    row = expected[of_heads.run.queries.tolist().index(token - 1), [2, 4]].mean(0)
    weights = of_heads.weights.values[of_heads.weights.tokens.index(token)]
    np.testing.assert_allclose(weights, row / row.sum(), atol=1e-4)
    assert np.abs(weights - analysis.weights.values[of_heads.weights.tokens.index(token)]).max() > 1e-3
    assert of_heads.attention_trust is None


def test_a_head_that_is_not_there_is_refused(bench: Workbench, analysis: Analysis) -> None:
    for heads in ([8], []):
        with pytest.raises(UserError, match="expected one or more of 0 to 7"):
            bench.analyze(analysis.question.pictures(), analysis.question.prompt, attention_heads=heads)


def test_output_token_attention_is_the_row_that_predicts_it(analysis: Analysis, prepared: Prepared) -> None:
    first = analysis.run.outputs()[0].index
    row = analysis.run.queries.tolist().index(first - 1)
    np.testing.assert_array_equal(analysis.run.attention_of(first), analysis.run.attention[row])
    prompt = next(t.index for t in analysis.run.tokens if t.role == "prompt")
    np.testing.assert_array_equal(analysis.run.attention_of(prompt), analysis.run.attention[analysis.run.queries.tolist().index(prompt)])


def test_captured_run_says_what_plain_generate_says(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    bench.vlm.model.set_attn_implementation({"text_config": "sdpa"})
    try:
        plain = bench.vlm.model.generate(**prepared.inputs, max_new_tokens=64, do_sample=False)
    finally:
        bench.vlm.model.set_attn_implementation({"text_config": NAME})
    assert tuple(plain[0, prepared.length :].tolist()) == analysis.run.answer_ids


def test_empty_edit_is_the_identity_bit_for_bit(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    compared = bench.ablate(analysis, Edit())
    assert compared.after.ids == compared.before.ids
    assert [t.logprob for t in compared.after.tokens] == [t.logprob for t in compared.before.tokens]
    assert set(compared.delta_logprob) == {0.0}


def test_scaling_by_one_is_the_identity(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    latent = analysis.latents[0].id
    compared = bench.ablate(analysis, Edit((LatentEdit(latent, "scale", 1.0),)))
    assert set(compared.delta_logprob) == {0.0}


def embeddings(bench: Workbench, prepared: Prepared) -> torch.Tensor:
    with torch.no_grad():
        features = bench.vlm.model.get_image_features(pixel_values=prepared.inputs["pixel_values"])
    return torch.cat(list(features.pooler_output))


@pytest.mark.parametrize("layer", range(6))
def test_a_large_edit_at_every_layer_reaches_the_language_model(
    bench: Workbench, analysis: Analysis, prepared: Prepared, layer: int
) -> None:
    plain = embeddings(bench, prepared)
    delta = torch.zeros(1, analysis.run.grid.patches, bench.vlm.width)
    delta[0, 3] = 5.0
    with adding(bench.vlm.block(vision(layer)), bench.vlm.leading, delta):
        changed = embeddings(bench, prepared)
    assert (changed - plain)[3].abs().max() > 1e-2
    torch.testing.assert_close(embeddings(bench, prepared), plain, rtol=0, atol=0)


def test_an_edit_of_the_last_layer_read_moves_one_token_only(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    plain = embeddings(bench, prepared)
    delta = torch.zeros(1, analysis.run.grid.patches, bench.vlm.width)
    delta[0, 17] = 5.0
    with adding(bench.vlm.block(bench.vlm.read_point), bench.vlm.leading, delta):
        moved = (embeddings(bench, prepared) - plain).abs().amax(1)
    assert torch.nonzero(moved).flatten().tolist() == [17]


def test_an_edit_after_the_layer_read_is_refused_with_the_reason(bench: Workbench) -> None:
    with pytest.raises(UserError, match="reads layer 5"):
        bench.vlm.block(vision(6))
    with pytest.raises(UserError, match="layers 0 to 6"):
        bench.vlm.block(vision(7))


def test_no_hook_is_left(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    def hooks() -> int:
        return sum(len(m._forward_hooks) for m in bench.vlm.model.modules())

    before = hooks()
    bench.ablate(analysis, Edit((LatentEdit(0, "add", 1.0),)))
    with pytest.raises(ZeroDivisionError), adding(bench.vlm.block(vision(1)), 1, torch.zeros(1, 196, 192)):
        raise ZeroDivisionError
    assert hooks() == before


def test_batched_counterfactuals_equal_single_ones(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    torch.manual_seed(0)
    deltas = torch.randn(3, analysis.run.grid.patches, bench.vlm.width)
    ids = analysis.run.answer_ids
    together = force(bench.vlm, prepared, ids, vision(5), deltas)
    alone = [force(bench.vlm, prepared, ids, vision(5), d[None]).logprobs[0] for d in deltas]
    np.testing.assert_allclose(together.logprobs, alone, atol=1e-4)


def test_forced_log_probabilities_are_the_generated_ones(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    forced = force(bench.vlm, prepared, analysis.run.answer_ids)
    said = [t.logprob for t in analysis.run.outputs()]
    np.testing.assert_allclose(forced.logprobs[0][: len(said)], said, atol=1e-4)
    assert forced.unchanged[0]


def test_zero_new_tokens_is_refused(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    with pytest.raises(UserError, match="at least 1"):
        generate(bench.vlm, prepared, 0)
