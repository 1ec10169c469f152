"""Effects of edits: by region, by image, towards a target, what rises, what is predicted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.errors import UserError
from scratchpad.records import Analysis, Edit, LatentEdit, Sampling
from scratchpad.records.edit import ablation
from scratchpad.vlm.forcing import force
from scratchpad.vlm.prepare import Prepared
from scratchpad.workbench import Workbench


def test_alternatives_are_the_models_own(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...], prepared: Prepared) -> None:
    told = bench.ablate(analysis, ablation(likeliest))
    plain = force(bench.vlm, prepared, analysis.run.answer_ids)
    assert len(told.alternatives) == len(told.before.tokens)
    for one, token in zip(told.alternatives, told.before.tokens, strict=True):
        assert one.before[0][0] == token.text  # greedy decoding says the likeliest
        assert [p for _, p in one.before] == sorted((p for _, p in one.before), reverse=True)
    assert told.alternatives[0].before[0][1] == pytest.approx(float(plain.logprobs[0, 0]), abs=1e-5)


def test_towards_a_target(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...], prepared: Prepared) -> None:
    told = bench.ablate(analysis, ablation(likeliest), target="yes").toward
    assert told is not None
    ids = tuple(bench.vlm.processor.tokenizer("yes", add_special_tokens=False)["input_ids"])  # type: ignore[attr-defined]
    assert told.before == pytest.approx(float(force(bench.vlm, prepared, ids).logprobs.sum()), abs=1e-5)
    assert told.after != told.before
    with pytest.raises(UserError, match="can't say"):
        bench.ablate(analysis, ablation(likeliest), target="  ")


def test_an_inactive_latent_has_no_effect_and_is_said(bench: Workbench, analysis: Analysis) -> None:
    quiet = next(i for i in range(bench.sae.d_sae) if i not in set(analysis.codes.active().tolist()))
    told = bench.ablate(analysis, ablation([quiet]))
    assert told.inactive == (quiet,)
    assert not any(told.delta_logprob)
    assert not told.changed


def test_a_region_limits_an_edit_and_whole_regions_add_up(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...]) -> None:
    latent = likeliest[0]
    trials = bench.trial(analysis)
    top, bottom = (
        trials.change(Edit((LatentEdit(latent, "set", 0.0, box),))) for box in ((0.0, 0.0, 112.0, 224.0), (112.0, 0.0, 224.0, 224.0))
    )
    whole = trials.change(ablation([latent]))
    assert whole is not None
    both = sum(part.rows for part in (top, bottom) if part is not None)
    np.testing.assert_allclose(both, whole.rows, atol=1e-6)


def test_an_edit_of_one_image_leaves_the_other_alone(bench: Workbench, scene_image: Image.Image) -> None:
    pair = bench.analyze([scene_image, scene_image], "what is in the picture")
    latent = int(pair.codes.active()[0])
    change = bench.trial(pair).change(Edit((LatentEdit(latent, "add", 3.0, image=1),)))
    assert change is not None
    assert not change.rows[:196].any()
    assert change.rows[196:].any(1).all()
    with pytest.raises(UserError, match="images 0 to 1"):
        bench.trial(pair).change(Edit((LatentEdit(latent, "add", 3.0, image=2),)))


def test_what_rises_is_more_active_on_the_edited_activations(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...]) -> None:
    told = bench.ablate(analysis, ablation(likeliest))
    change = bench.trial(analysis).change(ablation(likeliest))
    assert change is not None
    after = bench.sae.encode(analysis.run.activations + change.rows)
    for risen in told.risen:
        assert risen.latent not in likeliest
        assert risen.after == pytest.approx(after.of(risen.latent).mean(), rel=1e-5)
        assert risen.after > risen.before


def test_predicted_effects_are_verified_by_real_ablations(bench: Workbench, analysis: Analysis, prepared: Prepared) -> None:
    told = bench.verify(analysis, 12)
    changes = [bench.trial(analysis).change(ablation([latent])) for latent in (e.latent for e in told.effects)]
    forced = force(
        bench.vlm,
        prepared,
        analysis.run.answer_ids,
        bench.sae.at,
        torch.from_numpy(np.stack([change.rows for change in changes if change is not None])),
    )
    plain = force(bench.vlm, prepared, analysis.run.answer_ids)
    np.testing.assert_allclose([e.actual for e in told.effects], forced.logprobs.sum(1) - plain.logprobs.sum(), atol=1e-3)
    assert [e.predicted for e in told.effects] == [analysis.by_effect[e.latent] for e in told.effects]
    every = sorted((abs(e.actual) for e in bench.verify(analysis).effects), reverse=True)
    assert every[0] == pytest.approx(max(abs(e.actual) for e in told.effects), abs=1e-4)  # the likeliest come first
    rank = bench.verify(analysis).spearman
    assert rank is not None
    assert rank > 0.2  # of one question; benchmarks.causal has the median of many


def test_a_grey_picture_says_what_habit_says(bench: Workbench, analysis: Analysis) -> None:
    told = bench.blank(analysis)
    grey = bench.answer(Image.new("RGB", (224, 224), (128, 128, 128)), analysis.question.prompt)
    assert told.answer == grey
    assert told.same == (grey == analysis.run.answer)
    assert told.logprob < told.with_picture


def test_a_seed_draws_the_same_and_an_empty_edit_changes_nothing_of_it(
    bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...]
) -> None:
    how = Sampling(2.0, 7)
    before = torch.random.get_rng_state()
    empty = bench.ablate(analysis, Edit(()), None, how).sampled
    assert empty is not None
    assert empty.before == empty.after
    assert torch.equal(torch.random.get_rng_state(), before)
    edited = bench.ablate(analysis, ablation(likeliest), None, how).sampled
    assert edited is not None
    assert edited.before == empty.before
    drawn = {bench.ablate(analysis, Edit(()), None, Sampling(5.0, seed)).sampled.before for seed in range(6)}  # type: ignore[union-attr]
    assert len(drawn) > 1
    cold = bench.ablate(analysis, Edit(()), None, Sampling(1e-4)).sampled
    assert cold is not None
    assert cold.before == analysis.run.answer
