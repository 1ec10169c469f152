"""From a folder of images to an SAE that's judged, indexed and searched: every step as a user takes it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.cli import main
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.afar import Models
from scratchpad.sae.decoder import clusters, neighbours
from scratchpad.sae.harvest import harvest
from scratchpad.sae.index import open_index
from scratchpad.sae.load import load_sae
from scratchpad.sae.pictures import labels_of, pictures
from scratchpad.sae.stream import Mixer, Source
from scratchpad.sae.train import read_position
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import run
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench
from tests.forked import begun

MODEL = str(DEFAULT_MODEL)
QUICK = ["--width", "64", "--k", "4", "--steps", "40", "--batch", "256", "--buffer", "2000"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve scenes, by background, and among them what is no image."""
    out = tmp_path_factory.mktemp("images")
    for scene in held_out(12, first=HELD_OUT_START + 90_000_000):
        (out / scene.background).mkdir(exist_ok=True)
        picture(scene).save(out / scene.background / f"{scene.seed}.png")
    (out / "broken.png").write_bytes(b"no image")
    return out


def test_a_folder_is_read_in_order_and_what_is_broken_is_counted(folder: Path) -> None:
    found = pictures(folder)
    assert len(found) == 13
    assert len(list(found.in_order())) == 12
    assert found.skipped == ["broken.png"]
    labels = labels_of(found, None)
    assert {next(iter(row)) for row in labels if row} == {path.name for path in folder.iterdir() if path.is_dir()}
    with pytest.raises(UserError, match="no folder"):
        pictures(folder / "nowhere")
    with pytest.raises(UserError, match="no images"):
        len(pictures(folder / "..")) and pictures(Path(__file__).parent / ".." / "analysis")


def test_labels_from_a_file(folder: Path, tmp_path: Path) -> None:
    found = pictures(folder)
    name = Path(found.names[1]).name
    (tmp_path / "l.csv").write_text(f"{name},a;b\n")
    assert labels_of(found, tmp_path / "l.csv")[1] == {"a", "b"}
    (tmp_path / "l.json").write_text(json.dumps({name: ["c"]}))
    assert labels_of(found, tmp_path / "l.json")[1] == {"c"}
    (tmp_path / "bad.json").write_text("[")
    with pytest.raises(UserError, match="can't be read"):
        labels_of(found, tmp_path / "bad.json")


def test_harvested_activations_are_those_of_a_run(bench: Workbench, folder: Path) -> None:
    images = [p for _, p in pictures(folder).in_order(range(1, 5))]
    rows = list(harvest(bench.vlm, images, [vision(2), vision(5)], size=3))
    for image, row in zip(images, rows, strict=True):
        seen = run(bench.vlm, prepare(bench.vlm, image, "hi"), vision(5), 1).activations
        np.testing.assert_allclose(row[vision(5)].numpy(), seen, atol=1e-4)
    with_class = next(harvest(bench.vlm, images, [vision(5)], class_token=True))[vision(5)]
    np.testing.assert_allclose(with_class[1:].numpy(), rows[0][vision(5)].numpy(), atol=1e-4)


def test_batches_mix_images_and_lose_none(bench: Workbench, folder: Path) -> None:
    source = Source(Models(bench.vlm), pictures(folder), [vision(5)], seed=0)
    batches = Mixer(source, 196, 196 * 12).batches(vision(5))
    first = next(batches)
    every = torch.cat([rows[vision(5)] for rows in harvest(bench.vlm, (p for _, p in pictures(folder).in_order()), [vision(5)])])
    owner = torch.cdist(first, every).argmin(1) // 196
    assert torch.cdist(first, every).min(1).values.max() < 0.1  # rounding, where distances are 15
    assert len(set(owner.tolist())) > 8


def test_a_cache_gives_what_the_model_gives(bench: Workbench, folder: Path, tmp_path: Path) -> None:
    found = pictures(folder)
    one = iter(Source(Models(bench.vlm), found, [vision(5)], 0, tmp_path / "c"))
    first = [next(one)[vision(5)] for _ in range(12)]
    second = [next(one)[vision(5)] for _ in range(12)]  # from disk
    assert sorted(float(x.sum()) for x in first) == pytest.approx(sorted(float(x.sum()) for x in second))
    again = iter(Source(Models(bench.vlm), found, [vision(5)], 0, tmp_path / "c"))
    assert torch.equal(next(again)[vision(5)], first[0])
    with pytest.raises(UserError, match="another model, other hook points"):
        Source(Models(bench.vlm), found, [vision(4)], 0, tmp_path / "c")


def test_data_goes_on_with_the_picture_after(bench: Workbench, folder: Path, tmp_path: Path) -> None:
    """A source made where another one stopped gives what that one would have given next, in any epoch, cached or not."""
    found = pictures(folder)
    for cache in (None, tmp_path / "c"):
        whole = Source(Models(bench.vlm), found, [vision(5)], 0, cache)
        rows = iter(whole)
        every = [next(rows)[vision(5)] for _ in range(26)]
        assert (whole.epoch, whole.seen) == (2, 2)
        # the last of an epoch may be the one that can't be read: then pictures are the same, counted from the epoch's beginning
        for epoch, seen in ((0, 5), (1, 4)):
            again = Source(Models(bench.vlm), found, [vision(5)], 0, cache, epoch=epoch, seen=seen)
            after = iter(again)
            given = [next(after)[vision(5)] for _ in range(4)]
            broken = found.order(epoch).index(found.names.index("broken.png")) if cache is None else 99
            first = seen - 1 if broken < seen else seen  # as many are seen again as couldn't be read before
            following = every[12 * epoch + first :]
            assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(given, following, strict=False))


@pytest.mark.parametrize(
    "architecture", ["batchtopk", "matryoshka", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("topk", "standard"))]
)
def test_every_architecture_trains_and_loads(folder: Path, tmp_path: Path, architecture: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sae"
    arguments = ["train-sae", "--model", MODEL, "--layer", "5", "--images", str(folder), "--out", str(out)]
    assert main([*arguments, "--architecture", architecture, *QUICK, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["skipped"] == ["broken.png"]
    sae = load_sae(out)
    assert sae.d_sae == 64
    assert sae.metadata["training_images"]["count"] == 13
    assert sae.metadata["metrics"]["variance_explained"] == told["saes"][0]["metrics"]["variance_explained"]
    assert "model_revision" in sae.metadata
    if architecture == "topk":  # the others need more steps than these: a threshold is a running mean, sparsity comes late
        assert told["saes"][0]["metrics"]["variance_explained"] > 0
    assert not (out / "checkpoint").exists()


def test_several_layers_share_a_pass_and_are_judged_indexed_searched(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train-sae", "--model", MODEL, "--layer", "3,5", "--images", str(folder), "--out", str(tmp_path), *QUICK]) == 0
    sae = str(tmp_path / "layer-5")
    assert load_sae(tmp_path / "layer-3").at == vision(3)
    assert main(["index", "--model", MODEL, "--sae", sae, "--images", str(folder)]) == 0
    index = open_index(Path(sae))
    assert index is not None
    row = index.row(0)
    assert row is not None
    detail = index.detail(0)
    assert len(detail["neighbours"]) == 8
    assert sum(map(sum, (index.detail(i)["histogram"] for i in range(64)))) > 0
    capsys.readouterr()
    assert main(["eval-sae", "--model", MODEL, "--sae", sae, "--images", str(folder), "--most", "4", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert judged["answers_unchanged"]["of"] == 4
    assert judged["fits"] == (judged["variance_explained"] >= 0.5)  # of so short a training
    assert main(["latents", "--sae", sae, "--rename", "7=my own octopus"]) == 0
    assert main(["latents", "--sae", sae, "--search", "OCTOPUS own", "--json"]) == 0
    assert [r["id"] for r in json.loads(capsys.readouterr().out.splitlines()[-1])["latents"]] == [7]
    assert main(["latents", "--sae", sae, "--rename", "999=x"]) == 2
    image = str(next(folder.rglob("1*.png")))
    assert main(["latents", "--sae", sae, "--image", image, "--region", "0,0,64,64", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["latents"]
    assert rows == sorted(rows, key=lambda r: r["outside"] - r["inside"])


def test_killed_and_started_again_it_goes_on(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sae"
    arguments = ["train-sae", "--model", MODEL, "--layer", "5", "--images", str(folder), "--out", str(out), "--every", "20"]
    arguments += ["--width", "64", "--k", "4", "--batch", "256", "--buffer", "2000", "--json"]
    running = begun([*arguments, "--steps", "400"], err=os.devnull)
    for _ in range(6000):  # a busy machine takes its time to begin
        if (out / "checkpoint").is_dir() or running.exitcode is not None:
            break
        time.sleep(0.02)
    running.kill()
    running.join()
    if (out / "checkpoint").is_dir():
        shutil.rmtree(out / "checkpoint.old", ignore_errors=True)
        (out / "checkpoint").rename(out / "checkpoint.old")  # as a kill between its two renames leaves it
    stopped = read_position([out])
    assert stopped > (0, 0)
    assert main([*arguments, "--steps", "200"]) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (told["resumed_data"]["passes"], told["resumed_data"]["images"]) == stopped
    assert "200 steps, " in printed.err
    assert "passes over the images, about " in printed.err
    assert told["resumed_at"][0] >= 20
    assert told["saes"][0]["metrics"]["variance_explained"] > 0.3, told


def test_several_layers_go_on_from_the_least(tmp_path: Path) -> None:
    for name, told in (("a", "[2, 3]"), ("b", "[1, 40]"), ("old", None)):
        (tmp_path / name / "checkpoint").mkdir(parents=True)
        if told:
            (tmp_path / name / "checkpoint" / "position.json").write_text(told)
    assert read_position([tmp_path / "a", tmp_path / "b"]) == (1, 40)
    assert read_position([tmp_path / "a", tmp_path / "old"]) == (0, 0)
    assert read_position([tmp_path / "nowhere"]) == (0, 0)


def test_every_option_of_training_says_its_default() -> None:
    from scratchpad.cli import _parser

    commands = next(action for action in _parser()._actions if hasattr(action, "choices") and action.choices)
    train = commands.choices["train-sae"]  # type: ignore[index,call-overload]
    shown = " ".join(train.format_help().split())
    for action in train._actions:
        if action.default not in (None, False, "==SUPPRESS=="):
            assert action.help, action.dest
            assert f"default: {action.default})" in shown, action.dest


def test_no_readable_image_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    for command in (["eval-sae", "--sae", str(DEFAULT_SAE)], ["index", "--sae", str(shutil.copytree(DEFAULT_SAE, tmp_path / "sae"))]):
        assert main([command[0], "--model", MODEL, "--images", str(tmp_path), *command[1:]]) == 2
        assert "can be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--layer", "77"], "layer"),
        (["--layer", "x"], "expected numbers"),
        (["--at", "vision.77"], "vision layers 0 to 6"),
        (["--at", "nowhere"], "expected vision.N, projector or language.N"),
        (["--width", "big"], "multiple of 192"),
        (["--k", "500"], "no more active than there are"),
        (["--architecture", "magic"], "batchtopk"),
        (["--images", "nowhere"], "no folder"),
    ],
)
def test_bad_input_is_one_sentence(folder: Path, tmp_path: Path, change: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = [] if "--at" in change else ["--layer", "5"]
    arguments = ["train-sae", "--model", MODEL, *where, "--images", str(folder), "--out", str(tmp_path / "s"), *QUICK]
    assert main([*arguments, *change]) == 2
    assert says in capsys.readouterr().err


def test_neighbours_and_clusters_are_by_cosine(bench: Workbench) -> None:
    ids, cosines = neighbours(bench.sae)
    unit = bench.sae.W_dec / bench.sae.W_dec.norm(dim=1, keepdim=True)
    whole = (unit @ unit.T).fill_diagonal_(-2)
    np.testing.assert_allclose(cosines, whole.topk(8, 1).values.numpy(), atol=1e-5)
    assert (ids != np.arange(len(ids))[:, None]).all()
    label = clusters(bench.sae)
    inside = np.mean([label[near[0]] == label[i] for i, near in enumerate(ids)])
    assert inside > 0.2  # far above the one in 23 of chance


def test_an_sae_of_another_layer_is_noticed(bench: Workbench, scene_image: Image.Image, tmp_path: Path) -> None:
    from dataclasses import replace

    from scratchpad.sae.judge import fidelity

    points = [vision(layer) for layer in (3, 5)]
    seen = {at: run(bench.vlm, prepare(bench.vlm, scene_image, "hi"), at, 1).activations for at in points}
    wrong, right = (fidelity(bench.sae, seen[at], bench.sae.encode(seen[at])) for at in points)
    assert right.fits
    assert not wrong.fits
    assert "declares variance explained" in wrong.sentence
    scaled = replace(bench.sae, W_enc=bench.sae.W_enc * 3)
    told = fidelity(scaled, seen[vision(5)], scaled.encode(seen[vision(5)]))
    assert not told.fits
    shutil.copy(bench.sae.folder / "sae_weights.safetensors", tmp_path)
    shutil.copy(bench.sae.folder / "cfg.json", tmp_path)
    bare = fidelity(load_sae(tmp_path), seen[vision(5)], bench.sae.encode(seen[vision(5)]))  # measured, though nothing is declared
    assert (bare.declared_l0, bare.fits) == (None, True)
