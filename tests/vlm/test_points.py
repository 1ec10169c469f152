"""Hook points behind the vision encoder: what is recorded is the model's own, changes act where they're said to, and decoding with a
cache says what teacher forcing without one does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import PROJECTOR, HookPoint, hook_point, language, vision
from scratchpad.sae.harvest import harvest_with_grids
from scratchpad.vlm.check import embeddings
from scratchpad.vlm.forcing import force
from scratchpad.vlm.gradient import gradient
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.points import changing_at
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.run import generate, run_and_keep
from scratchpad.vlm.states import hidden_states
from tests.vlm.tiny import noise, prepared_of, vlm_of

# causal, with tiles and newline tokens; packed; DeepStack; looking ahead in an image, with sliding windows; looking ahead in the prompt
NAMES = ["llava_onevision", "qwen2_5_vl", "qwen3_vl", "gemma3", "paligemma"]
POINTS = [PROJECTOR, language(0), language(1)]


def counted(vlm: Vlm, prepared: Prepared, at: HookPoint) -> int:
    return prepared.grid.image_tokens if at == PROJECTOR else prepared.length


def shaken(vlm: Vlm, prepared: Prepared, at: HookPoint, count: int = 1) -> torch.Tensor:
    """A change of the last image token, and at a point of the language model of the prompt's last token."""
    chance = torch.Generator().manual_seed(0)
    delta = torch.zeros(count, counted(vlm, prepared, at), vlm.width_at(at))
    last = -1 if at == PROJECTOR else prepared.image_positions[-1]
    for row in {last, delta.shape[1] - 1}:
        delta[:, row] = 3 * torch.randn(count, delta.shape[2], generator=chance)
    return delta


def rising(x: torch.Tensor) -> torch.Tensor:
    """Of tokens that aren't in the prompt: a change that hangs on their activations."""
    return 0.8 * x.relu()


def hooks(vlm: Vlm) -> int:
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in vlm.model.modules())


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_a_point_is_the_models_own(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    made, _ = run_and_keep(vlm, prepared, PROJECTOR, 4)
    taken_in = embeddings(vlm, prepared)[:, : vlm.width_at(PROJECTOR)].numpy()  # DeepStack's additions beside them
    np.testing.assert_allclose(made.states(), taken_in, atol=1e-6)
    assert made.places.count == len(made.states()) == prepared.grid.image_tokens
    if name == "qwen3_vl":  # its hidden states are those behind DeepStack's additions
        return
    made, _ = run_and_keep(vlm, prepared, language(1), 4)
    states = hidden_states(vlm, prepared, made.answer_ids)[2].numpy()
    np.testing.assert_allclose(made.states(), states, atol=2e-4)  # with a cache, and without
    assert made.places.count == len(states) == prepared.length + 3
    assert made.places.pictured.tolist() == prepared.image_positions


@pytest.mark.parametrize("at", POINTS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_change_acts_and_none_is_the_identity(name: str, at: HookPoint) -> None:
    """Alone and in a batch, with what the clean run left and without it."""
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    embeddings(vlm, prepared)  # transformers places hooks of its own in the first pass, and leaves them
    before = hooks(vlm)
    made, clean = run_and_keep(vlm, prepared, at, 4)
    ids = made.answer_ids
    plain = force(vlm, prepared, ids)
    delta = shaken(vlm, prepared, at, 2)
    unmoved = force(vlm, prepared, ids, at, torch.zeros_like(delta)[:1])
    np.testing.assert_array_equal(unmoved.logprobs, plain.logprobs)
    anew = force(vlm, prepared, ids, at, delta)
    assert abs(anew.logprobs - plain.logprobs).max() > 1e-3
    np.testing.assert_allclose(force(vlm, prepared, ids, at, delta, clean).logprobs, anew.logprobs, atol=2e-5)
    alone = [force(vlm, prepared, ids, at, each[None]).logprobs[0] for each in delta]
    np.testing.assert_allclose(anew.logprobs, alone, atol=2e-5)
    assert hooks(vlm) == before, "a hook is left"


@pytest.mark.parametrize("at", POINTS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_decoding_with_a_cache_is_teacher_forcing_without(name: str, at: HookPoint) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    _, clean = run_and_keep(vlm, prepared, at, 4)
    delta, later = shaken(vlm, prepared, at), (rising if at.place == "language" else None)
    plain = generate(vlm, prepared, 5)
    assert generate(vlm, prepared, 5, at, torch.zeros_like(delta)).tokens == plain.tokens
    for known in (None, clean):
        said = generate(vlm, prepared, 5, at, delta, known, later=later)
        forced = force(vlm, prepared, said.ids, at, delta, later=[later])
        np.testing.assert_allclose([token.logprob for token in said.tokens], forced.logprobs[0][: len(said.tokens)], atol=2e-4)
        assert forced.unchanged[0]
    if at.place == "language":
        still = force(vlm, prepared, said.ids, at, delta)
        np.testing.assert_allclose(still.logprobs[0][0], forced.logprobs[0][0], atol=2e-5)  # the first token is predicted in the prompt
        assert abs(still.logprobs[0][1:] - forced.logprobs[0][1:]).max() > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_a_change_at_the_projector_moves_its_token_alone(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    delta = torch.zeros(1, prepared.grid.image_tokens, vlm.width_at(PROJECTOR))
    delta[0, 2] = 5.0
    plain = embeddings(vlm, prepared)
    with changing_at(vlm, PROJECTOR, prepared, delta):
        moved = (embeddings(vlm, prepared) - plain).abs().amax(1)
    assert torch.nonzero(moved).flatten().tolist() == [2]


@pytest.mark.parametrize("at", [PROJECTOR, language(1)], ids=str)
def test_a_gradient_is_the_slope_of_a_change(at: HookPoint) -> None:
    vlm = vlm_of("llava_onevision")
    prepared = prepared_of(vlm)
    made, _ = run_and_keep(vlm, prepared, at, 3)
    slope = gradient(vlm, prepared, made.answer_ids, at)
    assert slope.shape == made.states().shape
    step = 1e-3 * torch.randn(slope.shape, generator=torch.Generator().manual_seed(1))
    up, down = (force(vlm, prepared, made.answer_ids, at, sign * step[None]).logprobs.sum() for sign in (1, -1))
    assert (up - down) / 2 == pytest.approx(float((step.numpy() * slope).sum()), rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_is_the_same_whatever_is_held_or_taken_over(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    for at in (vision(0), PROJECTOR, language(0)):
        made, clean = run_and_keep(vlm, prepared, at, 2)
        slope = gradient(vlm, prepared, made.answer_ids, at)
        assert abs(slope).max() > 0
        for taken in (None, clean):
            again = gradient(vlm, prepared, made.answer_ids, at, clean=taken, held=0)
            np.testing.assert_allclose(again, slope, atol=1e-5 * abs(slope).max())


def test_a_gradient_of_a_large_question_holds_what_goes_into_blocks_alone() -> None:
    """Counted by what autograd saves: no machine's memory is asked."""
    vlm = vlm_of("llava_onevision")
    prepared = prepared_of(vlm)
    made, _ = run_and_keep(vlm, prepared, vision(0), 2)
    sizes = []
    for held in (2**40, 0):
        saved: list[int] = []

        def pack(x: torch.Tensor, saved: list[int] = saved) -> torch.Tensor:
            saved.append(x.numel())
            return x

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            gradient(vlm, prepared, made.answer_ids, vision(0), held=held)
        sizes.append(sum(saved))
    assert sizes[1] < sizes[0] / 2


@pytest.mark.parametrize("name", ["llava_onevision", "qwen2_5_vl", "gemma3"])
def test_harvested_activations_are_those_of_a_run(name: str) -> None:
    """Of several points in one pass that ends where the last is, for pictures of like shape and of others."""
    vlm = vlm_of(name)
    images = [noise((60, 150)), noise((60, 150), 1), noise((90, 60), 2)]
    points = [vlm.read_point, *POINTS]
    entered: list[int] = []
    handle = vlm.adapter.language_blocks[2].register_forward_pre_hook(lambda _m, _a: entered.append(1))
    try:
        seen = list(harvest_with_grids(vlm, images, points))
    finally:
        handle.remove()
    assert not entered, "a block behind the last point was run"
    for image, (rows, _) in zip(images, seen, strict=True):
        prepared = prepare(vlm, image, "Describe the image.")
        for at in points:
            made, _ = run_and_keep(vlm, prepared, at, 1)
            np.testing.assert_allclose(rows[at].numpy(), made.states()[made.places.pictured], atol=2e-4)


def test_a_point_is_said_and_read() -> None:
    for text in ("vision.5", "projector", "language.12"):
        assert str(hook_point(text)) == text
    for text in ("", "vision", "projector.1", "language.-1", "layers.3", "language.99999"):
        with pytest.raises(UserError, match=r"expected vision.N, projector or language.N"):
            hook_point(text)
    assert sorted([language(0), PROJECTOR, vision(3)], key=lambda at: at.order) == [vision(3), PROJECTOR, language(0)]
    with pytest.raises(UserError, match="language-model layers 0 to 2"):
        vlm_of("llava_onevision").check(language(99))
