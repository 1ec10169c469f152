"""Everything true of a scene: by what was drawn, by what the pixels are; and what of it each layer's latents are named by."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scratchpad.cli import main
from scratchpad.demo.draw import draw_scene
from scratchpad.demo.evaluate import held_out
from scratchpad.demo.labels import COLOURS, FAMILIES, GROUPS, LABELS, NUMBER, PATCHWISE, ROWS, STROKES, colours, patch_labels
from scratchpad.demo.labels import _textures as textures
from scratchpad.demo.saes import where_of
from scratchpad.demo.truth import share, truth
from scratchpad.demo.world import HELD_OUT_START, KINDS, SIGN, SIZE
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE

SCENES = list(held_out(30, first=HELD_OUT_START + 45_000_000))


def test_what_was_drawn_is_labelled_where_it_is() -> None:
    for scene in SCENES:
        drawn = draw_scene(scene)
        held = patch_labels(scene, drawn).reshape(ROWS, ROWS, -1)
        kinds = {thing.name for thing in scene.things}
        assert {name for name in (*KINDS, SIGN) if held[..., NUMBER[name]].any()} == kinds
        assert {word for word in GROUPS["word"] if held[..., NUMBER[word]].any()} == {t.word for t in scene.things if t.word}
        assert [name for name in GROUPS["background"] if held[..., NUMBER[name]].any()] == [scene.background]
        for thing, (y0, x0, y1, x1) in zip(scene.things, drawn.boxes, strict=True):
            rows, cols = np.nonzero(held[..., NUMBER[thing.name]])
            assert rows.min() * 16 < y1
            assert rows.max() * 16 + 16 > y0
            assert cols.min() * 16 < x1
            assert cols.max() * 16 + 16 > x0
            if thing.name != SIGN:
                assert (held[..., NUMBER[thing.name]] <= held[..., NUMBER[thing.category]]).all()
        assert np.array_equal(held, patch_labels(scene).reshape(ROWS, ROWS, -1))


def test_families_are_of_kinds_and_names_are_unique() -> None:
    assert all(kind in KINDS for kinds in FAMILIES.values() for kind in kinds)
    assert len(set(LABELS)) == len(LABELS)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((220, 30, 30), "red"),
        ((240, 140, 20), "orange"),
        ((250, 220, 50), "yellow"),
        ((40, 160, 60), "green"),
        ((40, 90, 220), "blue"),
        ((140, 60, 200), "purple"),
        ((240, 90, 170), "pink"),
        ((120, 75, 40), "brown"),
        ((240, 215, 165), "beige"),
        ((130, 130, 132), "grey"),
        ((250, 250, 248), "pale"),
        ((15, 15, 20), "dark"),
        ((40, 200, 200), "turquoise"),
    ],
)
def test_colours_are_what_they_are_called(rgb: tuple[int, int, int], name: str) -> None:
    assert COLOURS[colours(np.array([[rgb]], np.uint8))[0, 0]] == name


def test_textures_and_strokes() -> None:
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    wave = {"vertical strokes": x, "horizontal strokes": y, "rising strokes": x + y, "falling strokes": x - y}
    for name, along in wave.items():
        bright = 128 + 100 * np.sin(along / 1.5)
        out = np.zeros((len(LABELS), ROWS, ROWS), bool)
        textures(out, np.repeat(bright[..., None], 3, 2).astype(np.uint8))
        assert out[NUMBER[name], 1:-1, 1:-1].all(), name
        assert not any(out[NUMBER[other], 1:-1, 1:-1].any() for other in STROKES if other != name)
        assert out[NUMBER["striped"], 1:-1, 1:-1].all()
    out = np.zeros((len(LABELS), ROWS, ROWS), bool)
    textures(out, np.full((SIZE, SIZE, 3), 90, np.uint8))
    assert out[NUMBER["flat"]].all()
    out = np.zeros((len(LABELS), ROWS, ROWS), bool)
    textures(out, np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 1)).repeat(3, 2).astype(np.uint8))
    assert out[NUMBER["grainy"]].mean() > 0.9


def test_the_command_says_all_that_is_true(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = SCENES[0]
    assert main(["demo", "scene", "--seed", str(scene.seed), "--out", str(tmp_path / "s.png"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["labels"]
    assert told == [LABELS[i] for i in np.flatnonzero(patch_labels(scene).any(0))]
    assert {scene.background, *(thing.name for thing in scene.things)} <= set(told)


def test_an_index_is_told_of_every_label_of_every_patch() -> None:
    for scene in SCENES[:3]:
        held = patch_labels(scene)
        where = where_of(scene)[1]
        for patch, labels in enumerate(where.of_patch):
            assert list(where.sets[labels]) == [LABELS[i] for i in np.flatnonzero(held[patch])]
        assert set(where.whole) == {LABELS[i] for i in np.flatnonzero(held.any(0))} - PATCHWISE
        assert len(where.sets) == len({row.tobytes() for row in held})


def test_intervals_are_clustered_by_scene() -> None:
    """Ten names of one scene that are right or wrong together say less than ten of ten scenes."""
    together, apart = np.array([10, 0] * 20), np.array([1, 0] * 200)
    wide, narrow = share(together, np.full(40, 10)), share(apart, np.full(400, 1))
    assert wide["share"] == narrow["share"] == 0.5
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])
    assert share(np.array([5, 5]), np.array([5, 5]))["low"] < 0.5  # two scenes are no proof
    assert share(np.zeros(3, int), np.zeros(3, int))["share"] is None


@pytest.fixture(scope="module")
def measured() -> dict[str, dict]:  # type: ignore[type-arg]
    return truth(DEFAULT_MODEL, DEFAULT_SAE.parent, 8, lambda line: None)["saes"]  # type: ignore[no-any-return]


def test_names_that_are_shown_are_true(measured: dict[str, dict]) -> None:  # type: ignore[type-arg]
    for name, told in measured.items():
        at = told["at"]["5"]
        assert at["true"]["high"] >= 0.97, (name, at)
        assert at["true"]["share"] >= 0.94, (name, at)
        assert at["true_anywhere"]["share"] >= at["true"]["share"]


def test_early_layers_hold_colour_and_place_late_ones_kinds(measured: dict[str, dict]) -> None:  # type: ignore[type-arg]
    """The paper's finding, by what latents are named after: low layers colour and place, high layers what things are."""

    def part(name: str, *groups: str) -> float:
        counted = measured[name]["groups"]
        return sum(counted.get(group, 0) for group in groups) / sum(counted.values())

    low, high = ("colour", "position", "texture", "stroke"), ("kind", "word", "category")
    assert part("emoji-early", *low) > 2 * part("emoji-last", *low)
    assert part("emoji-last", *high) > 2 * part("emoji-early", *high)
