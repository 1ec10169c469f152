"""Dose and response are real runs, the words measured are theirs, and the direct effect is the output layer's reading."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records import Analysis, scaling
from scratchpad.records.steering import Steered
from scratchpad.workbench import Workbench


@pytest.fixture(scope="module")
def steered(bench: Workbench, analysis: Analysis, likeliest: tuple[int, ...]) -> Steered:
    return bench.steer(analysis, likeliest[0])


def test_every_dose_is_what_asking_again_gives(bench: Workbench, analysis: Analysis, steered: Steered) -> None:
    plain = float(bench.trial(analysis).plain.logprobs.sum())
    assert [dose.strength for dose in steered.doses] == [0, 0.5, 1, 1.5, 2, 3, 4]
    for dose in steered.doses:
        asked = bench.ablate(analysis, scaling([steered.latent.id], dose.strength))
        assert dose.answer == asked.after.text
        assert dose.logprob - plain == pytest.approx(asked.effect, abs=1e-3)
    assert abs(steered.doses[0].logprob - plain) > 0.05, "the likeliest latent does nothing"


def test_other_latents_of_like_mass_stand_beside_it(bench: Workbench, analysis: Analysis, steered: Steered) -> None:
    assert len({curve.latent.id for curve in steered.others} - {steered.latent.id}) == 8
    last = steered.others[-1]
    again = bench.forced(analysis, [scaling([last.latent.id], strength) for strength in last.strengths])
    np.testing.assert_allclose(last.logprobs, again.logprobs.sum(1), atol=1e-3)


def test_measured_words_are_those_whose_chance_moves_most(bench: Workbench, analysis: Analysis, steered: Steered) -> None:
    off, doubled = bench.forced(analysis, [scaling([steered.latent.id], strength) for strength in (0.0, 2.0)]).logprobs[:, 0]
    said = analysis.run.outputs()[0]
    assert steered.token == said.index
    own = {word.text: word for word in (*steered.raised, *steered.lowered)}[said.text]
    assert (own.off, own.doubled) == (pytest.approx(off, abs=1e-3), pytest.approx(doubled, abs=1e-3))
    for words, sign in ((steered.raised, 1), (steered.lowered, -1)):
        moves = [sign * (word.doubled - word.off) for word in words]
        assert moves == sorted(moves, reverse=True)
        assert all(move > 0 for move in moves)
        assert all(max(word.off, word.doubled) >= np.log(1e-3) for word in words)


def test_the_direct_effect_is_the_decoder_direction_through_projector_and_unembedding(
    bench: Workbench, analysis: Analysis, steered: Steered
) -> None:
    """By hand, on LLaVA's own modules: nothing of the language model between image tokens and output layer."""
    model, latent = bench.vlm.model, steered.latent.id
    states = torch.from_numpy(analysis.run.states())
    written = torch.from_numpy(analysis.codes.of(latent))[:, None] * bench.sae.directions()[latent]
    project = model.model.multi_modal_projector
    with torch.no_grad():
        moved = (project(states) - project(states - written)).mean(0)
        logits = model.lm_head(model.model.language_model.norm(moved))
    best = bench.vlm.processor.tokenizer.decode([int(logits.argmax())])  # type: ignore[attr-defined]
    text, score = steered.direct_raised[0]
    assert score == pytest.approx(float(logits.max() - logits.mean()), abs=1e-3) or "\ufffd" in best
    assert text == best or "\ufffd" in best
    assert steered.direct_lowered[0][1] < 0 < score
    assert steered.why_not_direct == ""


def test_a_silent_latent_and_a_word_of_the_question_are_refused(bench: Workbench, analysis: Analysis, steered: Steered) -> None:
    silent = next(i for i in range(bench.sae.d_sae) if i not in set(analysis.codes.active().tolist()))
    with pytest.raises(UserError, match="doesn't fire"):
        bench.steer(analysis, silent)
    with pytest.raises(UserError, match="one of the answer's"):
        bench.steer(analysis, steered.latent.id, 0)
