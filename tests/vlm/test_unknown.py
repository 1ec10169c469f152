"""A family that nobody wrote an adapter for: measured on the model, it goes through all that a known one does, with the same numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from scratchpad.cli import main
from scratchpad.errors import UserError
from scratchpad.records import Analysis
from scratchpad.records.edit import ablation
from scratchpad.sae.harvest import harvest
from scratchpad.vlm import families
from scratchpad.vlm.adapter import Shown
from scratchpad.vlm.check import check
from scratchpad.vlm.families.generic import Generic
from scratchpad.vlm.forcing import force
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.ramps import ramp, unnormalised
from scratchpad.vlm.run import run_and_keep
from scratchpad.workbench import Workbench
from tests.vlm import tiny
from tests.vlm.tiny import noise, vlm_of

WITHOUT = ("aya_vision", "vipllava")  # several tiles; several layers read, a class token
PICTURE, QUESTION = noise((60, 150), 1), "What is it?"


@dataclass(frozen=True)
class Pair:
    """One checkpoint, loaded by measurement alone and with its family's adapter, with an SAE trained on the former."""

    measured: Workbench
    declared: Workbench

    def analyses(self) -> tuple[Analysis, Analysis]:
        ours, theirs = (bench.analyze(PICTURE, QUESTION, 4) for bench in (self.measured, self.declared))
        return ours, theirs


@pytest.fixture(scope="module", params=WITHOUT)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder, made = tmp_path_factory.mktemp(request.param), tiny.FAMILIES[request.param]()
    made.model.save_pretrained(folder / "model")
    made.processor.save_pretrained(folder / "model")
    (folder / "pictures").mkdir()
    for i in range(6):
        noise((60, 150), i).save(folder / "pictures" / f"{i}.png")
    declared = load_vlm(folder / "model")
    assert not isinstance(declared.adapter, Generic)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "FAMILIES", tuple(family for family in families.FAMILIES if request.param not in family.model_types))
        measured = load_vlm(folder / "model")
        assert isinstance(measured.adapter, Generic)
        train = ["train-sae", "--model", str(folder / "model"), "--images", str(folder / "pictures"), "--out", str(folder / "sae")]
        options = ["--layer", str(measured.read_layer), "--width", "4x", "--k", "4", "--steps", "30", "--batch", "64", "--buffer", "256"]
        assert main([*train, *options]) == 0
        assert main(["inspect", str(folder / "model"), "--check"]) == 0
    return Pair(Workbench(measured, folder / "sae"), Workbench(declared, folder / "sae"))


def measured(vlm: Vlm) -> Vlm:
    """The same model, as if nobody had written its adapter."""
    return replace(vlm, adapter=Generic(vlm.model, vlm.processor))


@pytest.mark.parametrize("name", [*WITHOUT, "llava", "gemma3", "internvl", "lighton_ocr", "mistral3"])
def test_what_is_measured_is_what_the_adapter_declares(name: str) -> None:
    theirs = vlm_of(name)
    ours = measured(theirs)
    assert ours.adapter.read_layers == theirs.adapter.read_layers
    assert (ours.leading, ours.width, ours.adapter.packed) == (theirs.leading, theirs.width, theirs.adapter.packed)
    for size in ((60, 150), (150, 60)):
        a, b = (prepare(vlm, noise(size), "?").grid for vlm in (ours, theirs))
        assert a.tiles == b.tiles
        np.testing.assert_allclose(a.token_patches.toarray(), b.token_patches.toarray(), atol=1e-6)
    assert check(ours, prepare(ours, PICTURE, "?"), 10_000).holds


def test_an_analysis_records_the_picture_and_nothing_else(pair: Pair) -> None:
    ours, theirs = pair.analyses()
    assert ours.run.answer_ids == theirs.run.answer_ids
    np.testing.assert_array_equal(ours.run.activations, theirs.run.activations)
    np.testing.assert_array_equal(ours.run.attention, theirs.run.attention)
    assert ours.by_effect == pytest.approx(theirs.by_effect, abs=1e-5)
    assert ours.latents
    assert np.ptp(ours.run.activations, 0).max() > 0.1, "every patch looks the same: a blank tile's"


def test_edited_runs_are_those_of_the_adapter(pair: Pair) -> None:
    """One at a time and in batches, with their controls; the adapter reuses more of the clean run, and the numbers are the same."""
    ours, theirs = pair.analyses()
    edit = ablation([ours.latents[0].id])
    alone = [bench.ablate(found, edit) for bench, found in ((pair.measured, ours), (pair.declared, theirs))]
    assert alone[0].after.text == alone[1].after.text
    np.testing.assert_allclose(alone[0].delta_logprob, alone[1].delta_logprob, atol=1e-5)
    edits = [ablation([row.id]) for row in ours.latents]
    batch, other = (bench.forced(found, edits).logprobs for bench, found in ((pair.measured, ours), (pair.declared, theirs)))
    np.testing.assert_allclose(batch, other, atol=1e-5)
    plain = np.array([token.logprob for token in ours.run.outputs()])
    assert abs(batch - plain).max() > 1e-4, "no edit changes anything"
    controls = [bench.control(found, edit, 3) for bench, found in ((pair.measured, ours), (pair.declared, theirs))]
    np.testing.assert_allclose(controls[0].effects, controls[1].effects, atol=1e-5)
    np.testing.assert_allclose(controls[0].noise, controls[1].noise, atol=1e-5)


def test_searches_and_studies_run_to_their_end(pair: Pair) -> None:
    ours, theirs = pair.analyses()
    sets = [bench.suffice(found) for bench, found in ((pair.measured, ours), (pair.declared, theirs))]
    assert sets[0] == sets[1]
    diagnoses = [bench.diagnose(found) for bench, found in ((pair.measured, ours), (pair.declared, theirs))]
    assert diagnoses[0] == diagnoses[1]
    verified = [bench.verify(found, 3) for bench, found in ((pair.measured, ours), (pair.declared, theirs))]
    actual = [[effect.actual for effect in each.effects] for each in verified]
    np.testing.assert_allclose(*actual, atol=1e-5)
    assert pair.measured.blank(ours).answer == pair.declared.blank(theirs).answer
    assert pair.measured.at_place(PICTURE, (0, 0, 60, 75)) == pair.declared.at_place(PICTURE, (0, 0, 60, 75))
    assert [stage.says for stage in pair.measured.stages(ours)] == [stage.says for stage in pair.declared.stages(theirs)]


def test_harvested_activations_are_the_adapters(pair: Pair) -> None:
    pictures = [noise((60, 150), 1), noise((60, 150), 2), noise((150, 60), 3)]
    layer = pair.measured.sae.at
    for ours, theirs in zip(*(harvest(bench.vlm, pictures, [layer]) for bench in (pair.measured, pair.declared)), strict=True):
        assert torch.equal(ours[layer], theirs[layer])


def test_measuring_leaves_no_hook(pair: Pair) -> None:
    vlm = pair.measured.vlm

    def hooks() -> int:
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in vlm.model.modules())

    prepare(vlm, PICTURE, "?")
    before = hooks()
    prepare(vlm, noise((70, 140)), "?")  # a size not seen before: measured
    Generic(vlm.model, vlm.processor)
    assert hooks() == before


def test_image_tokens_without_places_are_refused() -> None:
    """Q-Former tokens are made of all patches: no map."""
    with pytest.raises(UserError, match="none has a place|no adapter"):
        prepare(tiny.blip2(), noise((60, 150)), "?")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("qwen2_vl", "says None as image_size"),  # which takes pictures of any shape
        ("llava_next", "could not be computed from one 28 px tile"),  # which wants to be told sizes
        ("idefics3", "could not be computed from one 28 px tile"),  # which wants an axis more
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(name: str, reason: str) -> None:
    known = vlm_of(name)
    with pytest.raises(UserError, match=f"have no adapter, and no map of this one could be trusted: .*{reason}") as refused:
        Generic(known.model, known.processor)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("again", "reason"), [(False, "1 of 5 tiles .* show nothing"), (True, "doesn't hold 80 patches")])
def test_tiles_other_than_the_encoders_are_refused(again: bool, reason: str) -> None:
    """One tile more than the encoder takes in: black as padding is, or the first once more."""
    vlm = measured(vlm_of("aya_vision"))
    adapter, size = vlm.adapter, (60, 150)
    inputs = prepare(vlm, noise(size), "?").inputs
    ramps = unnormalised(prepare(vlm, ramp(size), "?").inputs["pixel_values"], vlm.processor.image_processor)
    more = ramps[:1] if again else torch.zeros_like(ramps[:1])
    assert adapter.layout(Shown([size], inputs, ramps)).grid.patches == 64
    with pytest.raises(UserError, match=reason):
        adapter.layout(Shown([size], inputs, torch.cat([ramps, more])))


def test_pictures_of_any_shape_are_measured_and_edited_without_an_adapter() -> None:
    """Pixtral's encoder: several images padded to one size, all patches in one row, so that counterfactuals lie behind one another."""
    theirs = vlm_of("lighton_ocr")
    ours, pictures = measured(theirs), [noise((60, 150), 1), noise((97, 101), 2)]
    runs = []
    for vlm in (ours, theirs):
        prepared = prepare(vlm, pictures, "?")
        made, clean = run_and_keep(vlm, prepared, vlm.read_point, 3)
        deltas = torch.randn(2, prepared.grid.patches, vlm.width, generator=torch.Generator().manual_seed(0))
        runs.append((prepared.grid, made, force(vlm, prepared, made.answer_ids, vlm.read_point, deltas, clean).logprobs))
    assert [(tile.box, tile.rows, tile.cols) for tile in runs[0][0].tiles] == [
        (tile.box, tile.rows, tile.cols) for tile in runs[1][0].tiles
    ]
    np.testing.assert_allclose(runs[0][0].token_patches.toarray(), runs[1][0].token_patches.toarray(), atol=1e-6)
    np.testing.assert_array_equal(runs[0][1].activations, runs[1][1].activations)
    np.testing.assert_allclose(runs[0][2], runs[1][2], atol=1e-5)
