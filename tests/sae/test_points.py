"""SAEs at the projector and in the language model: from a folder of images to a verdict and a case, as at a vision layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.analysis.standing import change_of
from scratchpad.cases.bundle import pack, unpack
from scratchpad.cases.record import record, replay
from scratchpad.cli import main
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.errors import UserError
from scratchpad.reader import check_fit
from scratchpad.records import Analysis, Edit, LatentEdit, dumps, loads
from scratchpad.records.edit import ablation, scaling
from scratchpad.records.hookpoint import PROJECTOR, HookPoint, language
from scratchpad.sae.judge import judge
from scratchpad.sae.load import load_sae
from scratchpad.saliency.look import look
from scratchpad.saliency.methods import sae_attention
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.run import generate
from scratchpad.vlm.standing import standing
from scratchpad.workbench import DEFAULT_MODEL, Workbench

MODEL = str(DEFAULT_MODEL)
POINTS = [PROJECTOR, language(2)]
MOST_OF = [pytest.param(PROJECTOR, marks=pytest.mark.slow), language(2)]  # what takes seconds, and is the same at the projector
QUICK = ["--width", "64", "--k", "4", "--steps", "30", "--batch", "256", "--buffer", "2000"]
Asked = tuple[Workbench, Analysis]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("images")
    for scene in held_out(8, first=HELD_OUT_START + 93_000_000):
        (out / scene.background).mkdir(exist_ok=True)
        picture(scene).save(out / scene.background / f"{scene.seed}.png")
    return out


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SAE for each point, from one pass over the images."""
    out = tmp_path_factory.mktemp("saes")
    (out / "prompts.txt").write_text("what is in the picture\n\nwhat is the background\n")
    where = ["--at", ",".join(map(str, POINTS)), "--prompts", str(out / "prompts.txt"), "--images", str(folder)]
    assert main(["train-sae", "--model", MODEL, *where, "--out", str(out), *QUICK]) == 0
    for at in POINTS:
        assert main(["index", "--model", MODEL, "--sae", str(out / str(at)), "--images", str(folder)]) == 0
    return out


@pytest.fixture(scope="module")
def asked_at(bench: Workbench, trained: Path, scene_image: Image.Image) -> Callable[[HookPoint], Asked]:
    benches = {at: Workbench(bench.vlm, trained / str(at)) for at in POINTS}
    answers = {at: own.analyze(scene_image, "What is in the picture?") for at, own in benches.items()}
    return lambda at: (benches[at], answers[at])


@pytest.mark.parametrize("at", POINTS, ids=str)
def test_a_trained_sae_says_where_it_reads(trained: Path, at: HookPoint) -> None:
    sae = load_sae(trained / str(at))
    assert sae.at == at
    assert sae.width == 256
    assert ("training_prompts" in sae.metadata) == (at.place == "language")
    assert json.loads((trained / str(at) / "metrics.json").read_text())["l0"] > 0
    assert sae.identity != replace(sae, at=language(3)).identity


@pytest.mark.parametrize("at", POINTS, ids=str)
def test_an_analysis_is_of_the_same_answer_and_comes_back(
    analysis: Analysis, asked_at: Callable[[HookPoint], Asked], at: HookPoint
) -> None:
    own, asked = asked_at(at)
    assert asked.run.answer_ids == analysis.run.answer_ids
    assert (asked.sae.at, asked.run.at) == (at, at)
    assert asked.codes.values.shape[0] == asked.run.grid.patches  # a patch has what its image token has
    places = asked.run.places
    codes = own.trial(asked).codes
    assert len(codes.values) == places.count == len(asked.run.states())
    np.testing.assert_array_equal(codes.values[places.pictured], asked.codes.values)  # one token a patch in this model
    strongest = asked.latents[0]
    weighted = (
        asked.weights.values[[asked.weights.tokens.index(t.index) for t in asked.run.outputs()]] @ asked.codes.of(strongest.id)
    ).mean()
    assert strongest.score == pytest.approx(weighted, rel=1e-4)
    assert strongest.mean_score == pytest.approx(asked.codes.of(strongest.id).mean(), rel=1e-4)
    assert loads(Analysis, dumps(asked)).sae.at == at
    assert dumps(loads(Analysis, dumps(asked))) == dumps(asked)


def test_tokens_of_text_have_codes_of_their_own(asked_at: Callable[[HookPoint], Asked], analysis: Analysis) -> None:
    own, asked = asked_at(language(2))
    assert asked_at(PROJECTOR)[1].spoken is analysis.spoken is None
    assert asked.spoken is not None
    text = [token.index for token in asked.run.text_tokens()]
    assert list(asked.spoken.tokens) == text[: len(asked.spoken.tokens)]  # but for the answer's last, which isn't fed back
    assert len(text) - len(asked.spoken.tokens) in (0, 1)
    again = own.sae.encode(asked.run.states()[list(asked.spoken.tokens)])
    np.testing.assert_array_equal(again.values, asked.spoken.codes.values)
    assert {*asked.spoken.codes.active().tolist()} <= {latent.id for latent in asked.latents}


@pytest.mark.parametrize("at", MOST_OF, ids=str)
def test_edits_act_with_controls_and_an_empty_one_is_the_identity(asked_at: Callable[[HookPoint], Asked], at: HookPoint) -> None:
    own, asked = asked_at(at)
    same = own.ablate(asked, Edit())
    assert (same.before, set(same.delta_logprob)) == (same.after, {0.0})
    effects = own.verify(asked, 4).effects
    assert max(abs(effect.actual) for effect in effects) > 1e-4
    strongest = max(effects, key=lambda effect: abs(effect.actual)).latent
    test = own.test(asked, ablation([strongest]))
    assert test.comparison.effect == pytest.approx(next(e.actual for e in effects if e.latent == strongest), abs=1e-4)
    assert test.control.sets
    assert test.verdict.sentence
    large = own.ablate(asked, Edit((LatentEdit(strongest, "add", 1e5),)))
    assert large.changed
    assert own.suffice(asked, most=1).tried > 0


def test_doses_and_words_are_of_tokens_too(asked_at: Callable[[HookPoint], Asked]) -> None:
    own, asked = asked_at(language(2))
    latent = asked.latents[0].id
    steered = own.steer(asked, latent)
    off = own.ablate(asked, scaling([latent], 0)).effect + own.trial(asked).plain.logprobs.sum()
    assert steered.doses[0].logprob == pytest.approx(off, abs=1e-3)
    assert steered.direct_raised


@pytest.mark.parametrize("at", POINTS, ids=str)
def test_a_region_holds_an_edit_to_the_image_tokens_in_it(asked_at: Callable[[HookPoint], Asked], at: HookPoint) -> None:
    own, asked = asked_at(at)
    trial = own.trial(asked)
    change = trial.change(Edit((LatentEdit(3, "add", 2.0, (0.0, 0.0, 32.0, 224.0)),)))
    assert change is not None
    moved = np.flatnonzero(change.rows.any(1))
    assert moved.tolist() == trial.places.pictured[: 2 * 14].tolist()
    assert change.later is None
    everywhere = trial.change(Edit((LatentEdit(3, "add", 2.0),)))
    assert everywhere is not None
    assert everywhere.rows.any(1).all()
    assert (everywhere.later is not None) == (at.place == "language")


def test_an_edit_in_the_language_model_acts_on_what_is_generated(bench: Workbench, asked_at: Callable[[HookPoint], Asked]) -> None:
    """What is precomputed of the prompt and computed on the way of the answer is what a change inside the block does at every token."""
    own, asked = asked_at(language(2))
    trial = own.trial(asked)
    for strength in (0.0, 4.0):
        edit = scaling([latent.id for latent in asked.latents[:12]], strength)
        said = trial.generate(trial.change(edit), 24)
        with standing(bench.vlm, own.sae.at, change_of(own.sae, edit)):
            expected = generate(bench.vlm, trial.prepared, 24)
        assert said.ids == expected.ids
        np.testing.assert_allclose([t.logprob for t in said.tokens], [t.logprob for t in expected.tokens], atol=1e-3)
        forced = trial.force([edit], said.ids)
        np.testing.assert_allclose(forced.logprobs[0][: len(said.tokens)], [t.logprob for t in said.tokens], atol=1e-3)


@pytest.mark.parametrize("at", MOST_OF, ids=str)
def test_it_is_judged_and_maps_are_made(asked_at: Callable[[HookPoint], Asked], scene_image: Image.Image, at: HookPoint) -> None:
    own, asked = asked_at(at)
    judged = judge(own.vlm, own.sae, scene_image, "What is in the picture?", 64)
    assert judged.sums.count == asked.run.places.count
    trial = own.trial(asked)
    bare = trial.force([Edit(keep_error=False)]).logprobs.sum() - trial.plain.logprobs.sum()
    assert judged.moved == pytest.approx(bare, abs=1e-2)
    request = SaliencyRequest(scene_image, "What is in the picture?", "picture")
    seen = sae_attention(look(own.vlm, request, at, own.sae))
    assert seen.shape == (196,)
    assert seen.max() > 0


@pytest.mark.parametrize("at", MOST_OF, ids=str)
def test_a_case_replays(asked_at: Callable[[HookPoint], Asked], at: HookPoint) -> None:
    own, asked = asked_at(at)
    read = unpack(pack(record(own, asked, [own.test(asked, ablation([asked.latents[0].id]))])))
    assert read.case.analysis.sae.at == at
    assert (read.case.analysis.spoken is None) == (at == PROJECTOR)
    assert replay(read, own).agrees


@pytest.mark.parametrize("at", POINTS, ids=str)
def test_an_index_looks_up_and_a_region_is_read(asked_at: Callable[[HookPoint], Asked], scene_image: Image.Image, at: HookPoint) -> None:
    own, asked = asked_at(at)
    strongest = asked.latents[0]
    assert strongest.mean_activation is not None
    assert own.detail(strongest.id).references
    assert any(latent.guess for latent in asked.latents)
    whole, part = (own.at_place(scene_image, box) for box in (None, (0.0, 0.0, 64.0, 64.0)))
    assert whole.latents
    assert part.latents
    assert own.stages(asked)[-1].title == "Image tokens, coming out"


def test_bad_input_is_one_sentence(
    bench: Workbench, trained: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sae = load_sae(trained / "language.2")
    with pytest.raises(UserError, match=r"language.99 was given, but emoji-llava has language-model layers 0 to 5\."):
        check_fit(bench.vlm, replace(sae, at=language(99)))
    with pytest.raises(UserError, match=r"width 255 at language.2, but the language model of emoji-llava has width 256"):
        check_fit(bench.vlm, replace(sae, W_enc=sae.W_enc[:255], W_dec=sae.W_dec[:, :255], b_dec=sae.b_dec[:255]))
    with pytest.raises(UserError, match=r"vision layer.*width 256 at vision.5|width 256 at vision.5, but the vision encoder"):
        check_fit(bench.vlm, replace(sae, at=bench.vlm.read_point))
    with pytest.raises(UserError, match="at the projector"), standing(bench.vlm, PROJECTOR, torch.zeros_like):
        pass
    train = ["train-sae", "--model", MODEL, "--images", str(folder), "--out", str(tmp_path / "s"), *QUICK]
    (tmp_path / "empty.txt").write_text("\n")
    for more, says in (
        (["--at", "language.99"], "language-model layers 0 to 5"),
        (["--at", "projector", "--class-token"], "no class token behind the vision encoder"),
        (["--at", "projector", "--prompts", str(tmp_path / "empty.txt")], "give --at language.N"),
        (["--at", "language.1", "--prompts", str(tmp_path / "empty.txt")], "expected a prompt a line"),
        (["--at", "language.1", "--prompts", str(tmp_path / "none.txt")], "can't be read"),
    ):
        assert main([*train, *more]) == 2
        assert says in capsys.readouterr().err


def test_what_the_projectors_latents_do_to_the_language_models(asked_at: Callable[[HookPoint], Asked]) -> None:
    """From image tokens to all tokens of the sequence; the other way is refused."""
    own, asked = asked_at(PROJECTOR)
    later, there = asked_at(language(2))
    measured = own.influence(asked, later, 3, 4)
    assert (measured.sae.at, measured.onto.at) == (PROJECTOR, language(2))
    chosen = [target.latent.id for target in measured.targets]
    codes = later.sae.encode(there.run.states())
    np.testing.assert_allclose([t.mass for t in measured.targets], [np.asarray(codes.of(i)).sum() for i in chosen], rtol=1e-3)
    assert np.abs(measured.effects).max() > 1e-4
    with pytest.raises(UserError, match="isn't behind language.2"):
        later.influence(there, own)
