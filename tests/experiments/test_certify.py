"""A certificate: baselines are what they say, the same code measures all, and what is beaten follows from intervals."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.analysis.beaten import beats, spread
from scratchpad.cli import main
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.sanity import FIRST, plan_of
from scratchpad.errors import UserError
from scratchpad.experiments.certify import Plan, certify, seeds_of
from scratchpad.records import dump, dumps, loads
from scratchpad.records.certificate import COMPARED, Certificate
from scratchpad.records.hookpoint import PROJECTOR
from scratchpad.sae.baselines import NEURONS, PCA, recipe_of
from scratchpad.sae.certificate import certificate_of, keep
from scratchpad.sae.decoder import shared
from scratchpad.sae.load import Sae, load_sae
from scratchpad.sae.pictures import set_aside
from scratchpad.sae.recovered import aurocs, countable, recovered
from scratchpad.sae.train import Recipe, _training
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

RECIPE = Recipe(d_sae=48, k=4, steps=30, size=256, centred=True)
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture(scope="module")
def plan(bench: Workbench) -> Plan:
    """A small budget on the demo's pictures: two questions, one of them edited."""
    whole = plan_of(bench.sae, SEEDS, None, scenes=24, edited=1, training_scenes=8)
    return replace(whole, recipe=RECIPE, asked=2)


@pytest.fixture(scope="module")
def certificate(bench: Workbench, plan: Plan, folder: Path) -> Certificate:
    before = bench.vlm.encoder_identity
    made = certify(bench.vlm, bench.sae, plan, folder)
    assert bench.vlm.encoder_identity == before  # the shuffled encoder's weights came back
    return made


def of(folder: Path, name: str) -> Sae:
    return load_sae(folder / name)


def test_every_baseline_has_the_same_budget(certificate: Certificate, folder: Path) -> None:
    names = [f"{kind}-{seed}" for kind in ("trained", "random-decoder", "random-encoder", "random-model") for seed in SEEDS]
    assert {path.name for path in folder.iterdir()} == {*names, "neurons", "pca"}
    for name in names:
        sae = of(folder, name)
        assert (sae.d_sae, sae.k, str(sae.at)) == (RECIPE.d_sae, RECIPE.k, "vision.5")
        assert (sae.metadata["baseline"]["steps"], sae.metadata["training_activations"]) == (RECIPE.steps, 8 * 196)
    for name in ("neurons", "pca"):
        assert (of(folder, name).d_sae, of(folder, name).k) == (2 * 192, RECIPE.k)
    assert [b.name for b in certificate.baselines] == ["random decoder", "random encoder", "random model", NEURONS, PCA]


def test_what_is_frozen_stays_as_chance_made_it(certificate: Certificate, folder: Path) -> None:
    """The scale of the input is folded into the weights at the end, so directions are compared."""

    def angles(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cosine_similarity(a, b, dim=-1)

    for seed in SEEDS:
        torch.manual_seed(seed)
        kind, config = _training(replace(RECIPE, seed=seed), 192, "cpu")
        drawn = kind(config)
        decoder, encoder, anew = (of(folder, f"{name}-{seed}") for name in ("random-decoder", "random-encoder", "trained"))
        assert angles(decoder.W_dec, drawn.W_dec).min() > 1 - 1e-5
        assert angles(encoder.W_enc.T, drawn.W_enc.T).min() > 1 - 1e-5
        assert not encoder.b_enc.any()
        assert angles(anew.W_dec, drawn.W_dec).min() < 1 - 1e-3
        assert angles(decoder.W_enc.T, drawn.W_enc.T).min() < 1 - 1e-3


def test_what_is_not_trained_is_a_basis_and_its_mirror_image(bench: Workbench, certificate: Certificate, folder: Path) -> None:
    x = np.random.default_rng(0).standard_normal((5, 192)).astype(np.float32) + of(folder, "pca").b_dec.numpy()
    for name in ("neurons", "pca"):
        sae = replace(of(folder, name), k=192)
        np.testing.assert_allclose(sae.reconstruct(sae.encode(x)), x, atol=1e-4)
    assert shared(of(folder, "pca"), of(folder, "pca")) == 1
    assert shared(of(folder, "random-decoder-1"), of(folder, "random-decoder-2")) == 0


def test_the_record_travels_and_says_what_could_not_be_had(certificate: Certificate) -> None:
    assert loads(Certificate, dumps(certificate)) == certificate
    assert set(certificate.given) >= {"auroc", "precision", "recall", "explained", "answers", "loss"}
    assert (certificate.pictures, certificate.asked, certificate.edited, certificate.seeds) == (24, 2, 1, SEEDS)
    by_name = {b.name: b for b in certificate.baselines}
    assert set(by_name["random model"].beaten) == {"auroc", "precision", "recall", "explained"}
    assert "can't read" in by_name["random model"].unmeasured
    assert len(by_name[PCA].measures["auroc"].values) == 1
    assert len(by_name["random decoder"].measures["auroc"].values) == len(SEEDS)
    # of the shipped SAE and of PCA it's known how they compare, whatever chance does
    assert certificate.given["explained"] > by_name[PCA].measures["explained"].mean > by_name[NEURONS].measures["explained"].mean


def test_what_is_beaten_follows_from_intervals(certificate: Certificate) -> None:
    for baseline in certificate.baselines:
        for measure, beaten in baseline.beaten.items():
            assert measure in COMPARED
            lowest = min(certificate.given[measure], certificate.trained[measure].low)
            assert beaten == (lowest > baseline.measures[measure].high)
        assert baseline.throughout == all(baseline.beaten.values())
    assert certificate.sentence.startswith(f"beats {certificate.beaten} of 5 baselines")
    good = spread([0.9, 0.91, 0.92])
    assert beats(0.9, good, spread([0.5, 0.51]))
    assert not beats(0.4, good, spread([0.5, 0.51]))  # the recipe does, this SAE doesn't
    assert not beats(0.9, spread([0.5, 0.6]), spread([0.5]))  # overlapping


def test_a_second_time_nothing_is_trained(bench: Workbench, plan: Plan, certificate: Certificate, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}

    def none_is_wanted() -> list[Image.Image]:
        raise AssertionError("the pictures were gone through again")

    made = seeds_of(bench.vlm, replace(plan, training=none_is_wanted), folder, print)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")} == before
    assert [len(saes) for saes in made.values()] == [2, 2, 2, 2, 1, 1]
    with pytest.raises(UserError, match="another model or recipe"):
        seeds_of(bench.vlm, replace(plan, recipe=replace(RECIPE, steps=31)), folder, print)


def test_it_is_kept_beside_the_weights_and_changes_neither_hash(certificate: Certificate, tmp_path: Path) -> None:
    sae = Path(shutil.copytree(DEFAULT_SAE, tmp_path / "sae", ignore=shutil.ignore_patterns("index")))
    identity = load_sae(sae).identity
    keep(sae, certificate)
    assert certificate_of(sae) == certificate
    assert load_sae(sae).identity == identity == certificate.identity
    config = json.loads((sae / "cfg.json").read_text())
    config["metadata"]["certificate"]["pictures"] = "many"
    (sae / "cfg.json").write_text(json.dumps(config))
    assert certificate_of(sae) is None
    assert certificate_of(tmp_path) is None


def test_labels_are_recovered_by_latents_chosen_elsewhere() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random((80, 3)) < 0.4
    peaks = np.concatenate([labels, rng.random((80, 40)) < 0.3], axis=1).astype(np.float32)
    told = recovered(peaks, labels)
    assert told.auroc == 1
    assert told.recall > 0.9
    chance = recovered(rng.random((80, 40)).astype(np.float32), labels)
    assert abs(chance.auroc - 0.5) < 0.2
    assert recovered(np.zeros((80, 4), np.float32), labels) == (0.5, 0, 0)
    assert aurocs(np.array([[1.0], [2], [3]]), np.array([[False], [True], [True]])) == 1
    names, there = countable([frozenset({"all", "odd"} if n % 2 else {"all"}) for n in range(20)])
    assert (names, there.sum()) == (("odd",), 10)


@pytest.mark.slow
def test_eval_sae_certifies_any_model_on_any_labelled_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped SAE narrowed to a small one; labels are the folders."""
    images, sae = tmp_path / "images", tmp_path / "small"
    names = [f"{n}.png" for n in range(400)]
    apart = [name for name in names if set_aside(name)][:24]
    seen = [name for name in names if not set_aside(name)][:4]
    for n, (name, scene) in enumerate(zip([*apart, *seen], held_out(28, first=FIRST + 1000), strict=True)):
        out = images / ("odd" if n % 2 else "even")
        out.mkdir(parents=True, exist_ok=True)
        picture(scene).save(out / name)
    _small(sae)
    flags = ["eval-sae", "--sanity", "--model", str(DEFAULT_MODEL), "--sae", str(sae), "--images", str(images)]
    quick = ["--seeds", "2", "--steps", "3", "--asked", "1", "--edited", "0", "--prompt", "what is the background"]
    assert main([*flags, *quick, "--json"]) == 0
    told = loads(Certificate, capsys.readouterr().out)
    assert (told.labels, told.budget.steps, told.budget.recipe_steps) == (2, 3, None)
    assert "causal" not in told.given
    assert certificate_of(sae) == told
    assert dump(told) == json.loads((sae / "cfg.json").read_text())["metadata"]["certificate"]
    for wrong, says in (
        (["--seeds", "1", "--steps", "3"], "at least 2"),
        (["--steps", "0"], "at least 1"),
        ([], "no training_steps; say how many with --steps"),
    ):
        assert main([*flags, *wrong]) == 2
        assert says in capsys.readouterr().err
    for path in sorted(images.rglob("*.png")):
        path.rename(images / path.name)
    assert main([*flags, "--seeds", "2", "--steps", "3"]) == 2
    assert "No held-out image has a label" in capsys.readouterr().err


def test_only_saes_of_the_vision_encoder_have_one(plan: Plan) -> None:
    with pytest.raises(UserError, match="reads projector; expected one of the vision encoder"):
        replace(plan, at=PROJECTOR)


def test_a_recipe_is_read_from_what_training_wrote(bench: Workbench) -> None:
    sae = replace(bench.sae, metadata=bench.sae.metadata | {"training_steps": 7, "training_batch": 64, "training_rate": 0.01})
    assert recipe_of(sae) == Recipe(d_sae=1024, k=8, steps=7, size=64, rate=0.01, centred=True)
    assert recipe_of(sae, 9).steps == 9
    other = replace(sae, k=None, architecture="jumprelu", metadata=sae.metadata | {"training_architecture": "batchtopk", "l0": 16.2})
    assert (recipe_of(other).architecture, recipe_of(other).k) == ("batchtopk", 16)
    with pytest.raises(UserError, match="can't be repeated"):
        recipe_of(replace(other, metadata={"training_steps": 7}))


def _small(out: Path) -> None:
    """An SAE of the demo's last layer with few latents, as its folder."""
    from safetensors.torch import load_file, save_file

    weights = load_file(DEFAULT_SAE / "sae_weights.safetensors")
    config = json.loads((DEFAULT_SAE / "cfg.json").read_text())
    wide = {"W_enc": weights["W_enc"][:, :32], "W_dec": weights["W_dec"][:32], "b_enc": weights["b_enc"][:32], "b_dec": weights["b_dec"]}
    out.mkdir()
    save_file({name: value.contiguous() for name, value in wide.items()}, out / "sae_weights.safetensors")
    known = {key: value for key, value in config["metadata"].items() if key not in ("weights_sha256", "certificate")}
    (out / "cfg.json").write_text(json.dumps(config | {"d_sae": 32, "metadata": known | {"training_batch": 256}}))
