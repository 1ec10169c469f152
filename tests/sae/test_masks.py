"""Names from patch masks: the class whose patches a latent tells best, with the AUROC that the dense formula gives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from scratchpad.cli import main
from scratchpad.demo.draw import draw_scene
from scratchpad.demo.evaluate import held_out
from scratchpad.demo.world import HELD_OUT_START, PATCH
from scratchpad.errors import UserError
from scratchpad.grid import single_tile
from scratchpad.records import Codes
from scratchpad.sae.index import open_index
from scratchpad.sae.masks import Evidence, open_masks, patch_classes
from scratchpad.sae.pictures import pictures
from scratchpad.stats import auroc
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE

SCENES = 160


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """images/, masks/ (0 for the background, a number for every kind of thing) and classes.json."""
    out = tmp_path_factory.mktemp("drawn")
    (out / "images").mkdir()
    (out / "masks").mkdir()
    classes: dict[str, int] = {"background": 0}
    for scene in held_out(SCENES, first=HELD_OUT_START + 120_000_000):
        picture = draw_scene(scene)
        numbers = np.array([classes.setdefault(thing.name, len(classes)) for thing in scene.things] + [0])
        Image.fromarray(picture.pixels).save(out / "images" / f"{scene.seed}.png")
        mask = numbers[picture.labels].astype(np.uint8)
        Image.fromarray(np.kron(mask, np.ones((PATCH, PATCH), np.uint8))).save(out / "masks" / f"{scene.seed}.png")
    (out / "classes.json").write_text(json.dumps({number: name for name, number in classes.items()}))
    return out


def test_a_patch_is_of_the_class_that_covers_half_of_it() -> None:
    mask = np.array([[1, 1, 2, 2], [1, 3, 3, 3], [4, 5, -1, -1], [6, 7, -1, 8]])
    assert patch_classes(mask, single_tile((4, 4), (0, 0, 4, 4), 2, 2)).tolist() == [1, 2, -1, -1]
    wide = np.tile([[0, 0, 0, 9]], (2, 1))
    assert patch_classes(wide, single_tile((2, 4), (0, 0, 2, 4), 1, 4)).tolist() == [0, 0, 0, 9]
    padded = patch_classes(wide, single_tile((2, 4), (-2, 0, 4, 4), 3, 1))
    assert padded.tolist() == [-1, 0, -1]  # what lies beyond the picture is of no class


def test_names_and_areas_are_those_of_the_dense_formula() -> None:
    rng, evidence = np.random.default_rng(0), Evidence()
    dense, classes = [], []
    for _ in range(6):
        indices = np.stack([rng.permutation(12)[:3] for _ in range(50)])
        values = np.maximum(np.round(rng.normal(0.3, 1, (50, 3)), 1), 0)  # rounded, so that some tie
        of = rng.choice([-1, 0, 4, 7], 50)
        values[of == 4] += (indices[of == 4] == 5) * 2.0
        evidence.add(of, Codes("s", 12, values.astype(np.float32), indices), rng)
        row = np.zeros((50, 12))
        np.put_along_axis(row, indices, values, 1)
        dense.append(row)
        classes.append(of)
    whole, of = np.concatenate(dense), np.concatenate(classes)
    areas = np.stack([auroc(whole[of >= 0], of[of >= 0] == c) for c in (0, 4, 7)])
    best, area = evidence.names(12)
    np.testing.assert_allclose(area, areas.max(0), atol=1e-6)
    assert best.tolist() == np.array([0, 4, 7])[areas.argmax(0)].tolist()
    assert best[5] == 4


def test_what_is_seen_late_is_as_likely_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scratchpad.sae.masks.PATCHES", 40)
    rng, evidence = np.random.default_rng(1), Evidence()
    for n in range(400):
        evidence.add(np.full(2, n), Codes("s", 4, np.ones((2, 1), np.float32), np.zeros((2, 1), np.int64)), rng)
    assert len(evidence.parts) == 20
    assert 120 < np.mean([c[0] for c, _ in evidence.parts]) < 280


@pytest.mark.slow  # what is counted from masks is held to the dense formula in make test
def test_the_command_names_the_demos_latents(drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sae = tmp_path / "sae"
    shutil.copytree(DEFAULT_SAE, sae)
    before = open_index(DEFAULT_SAE)
    given = ["--masks", str(drawn / "masks"), "--classes", str(drawn / "classes.json"), "--json"]
    assert main(["index", "--model", str(DEFAULT_MODEL), "--sae", str(sae), "--images", str(drawn / "images"), *given]) == 0
    assert json.loads(capsys.readouterr().out)["masks_skipped"] == []
    index = open_index(sae)
    assert index is not None
    assert before is not None
    rows = [
        (row, before.row(row.id)) for i in range(before.latents.num_rows) if (row := index.row(i)) and row.name and row.name != "background"
    ]
    assert all(row.source == "masks" for row, _ in rows)
    sure = [(row, old) for row, old in rows if row.auroc and row.auroc > 0.95 and old and old.auroc and old.auroc > 0.95]
    often = {name for name, cells in _cells(drawn).items() if cells >= 60}  # those that the masks show enough of
    sure = [(row, old) for row, old in sure if old.name in often]
    assert len(sure) > 20
    agree = sum(row.name == old.name for row, old in sure) / len(sure)
    assert agree > 0.95, f"{100 * agree:.0f}% of {len(sure)} names are those that labels of other pictures gave"


def _cells(drawn: Path) -> dict[str, int]:
    """How many patches every class fills in all masks."""
    classes = json.loads((drawn / "classes.json").read_text())
    every = np.concatenate([np.asarray(Image.open(path))[::PATCH, ::PATCH].ravel() for path in (drawn / "masks").iterdir()])
    return {classes[str(number)]: int(count) for number, count in zip(*np.unique(every, return_counts=True), strict=True)}


def test_a_data_sets_column_of_masks(drawn: Path, tmp_path: Path) -> None:
    files = sorted((drawn / "images").iterdir())[:3]
    columns = {"image": [str(f) for f in files], "annotation": [str(drawn / "masks" / f.name) for f in files]}
    kinds = datasets.Features({name: datasets.Image() for name in columns})
    datasets.Dataset.from_dict(columns, features=kinds).save_to_disk(tmp_path / "set")
    found = pictures(tmp_path / "set")
    grid = single_tile((224, 224), (0, 0, 224, 224), 14, 14)
    from_set = open_masks("annotation", None, found)
    from_folder = open_masks(str(drawn / "masks"), None, pictures(drawn / "images"))
    for n in range(3):
        assert from_set.of_patches(n, grid).tolist() == from_folder.of_patches(n, grid).tolist()
    assert from_set.name(3) == "class 3"
    with pytest.raises(UserError, match="no column of images 'mask'; it has image, annotation"):
        open_masks("mask", None, found)


def test_bad_masks(drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = pictures(drawn / "images")
    grid = single_tile((224, 224), (0, 0, 224, 224), 14, 14)
    stem = Path(found.names[0]).stem
    for data, said in [(b"no image", "cannot identify"), (None, "expected a number a pixel"), (b"wide", "but its picture is 224 x 224")]:
        folder = tmp_path / said.replace(" ", "-")
        folder.mkdir()
        if data == b"no image":
            (folder / f"{stem}.png").write_bytes(data)
        else:
            Image.new("L" if data else "RGB", (300, 100)).save(folder / f"{stem}.png")
        masks = open_masks(str(folder), None, found)
        assert (masks.of_patches(0, grid) == -1).all()
        assert (masks.of_patches(1, grid) == -1).all()
        assert len(masks.skipped) == 1
        assert said in masks.skipped[0]
    Image.fromarray(np.full((112, 112), 255, np.uint8)).save(folder / f"{stem}.png")
    assert (open_masks(str(folder), None, found).of_patches(0, grid) == -1).all()  # 255 is nothing ...
    (tmp_path / "c.json").write_text('{"255": "sky"}')
    assert (open_masks(str(folder), str(tmp_path / "c.json"), found).of_patches(0, grid) == 255).all()  # ... unless it's named
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.json").write_text("[1]")
    (tmp_path / "none.txt").write_text("\n\n")
    for args, said in [
        (("nowhere", None), "no folder nowhere"),
        ((str(tmp_path / "empty"), None), "named as an image"),
        ((str(drawn / "masks"), str(tmp_path / "bad.json")), "can't be read"),
        ((str(drawn / "masks"), str(tmp_path / "none.txt")), "names no class"),
    ]:
        with pytest.raises(UserError, match=said):
            open_masks(*args, found)
    alone = ["index", "--model", str(DEFAULT_MODEL), "--sae", str(DEFAULT_SAE), "--images", str(drawn / "images"), "--classes", "x"]
    assert main(alone) == 2
    assert "without --masks" in capsys.readouterr().err
