"""Maps against known masks: numbers on made-up maps, then the demo's scenes, maps and shuffled weights, for real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.demo.masked import masked_scenes
from scratchpad.grid import single_tile
from scratchpad.needle.masked import Masked, _pointing, on_masks
from scratchpad.needle.perturb import SHARES, areas, filled, perturbed, ranked
from scratchpad.needle.report import report
from scratchpad.needle.subject import Answering
from scratchpad.needle.sweep import Plan, sweep
from scratchpad.records.sweep import SCENES, MethodResult, SweepSummary, Winner, read_summary, summary_text
from scratchpad.vlm.shuffled import shuffled
from scratchpad.workbench import Workbench

GRID = single_tile((56, 56), (0, 0, 56, 56), 4, 4)
MASK = np.zeros((56, 56), bool)
MASK[:28, :28] = True  # the first four of 4 x 4 tokens
METHODS = ("gradient-input", "sae-attention", "centre")


def test_a_map_that_is_the_mask_is_right_in_every_number() -> None:
    own = np.kron(np.eye(2)[[0]].T @ np.eye(2)[[0]], np.ones((2, 2))).ravel()
    numbers = _pointing(own, GRID, MASK)
    assert (numbers["accuracy"], numbers["iou"], numbers["rank"], numbers["area"]) == (1, 1, 0, 0.25)
    other = _pointing(1 - own, GRID, MASK)
    assert (other["accuracy"], other["rank"]) == (0, 0.75)
    assert other["iou"] == 0
    assert _pointing(np.zeros(16), GRID, MASK)["accuracy"] == 0.25  # of a map that says nothing, chance


def test_deletion_takes_the_highest_tokens_and_insertion_brings_them_back() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (56, 56, 3)).astype(np.uint8))
    values = np.arange(16.0)
    order = ranked(values, GRID)
    assert order.tolist() == list(range(15, -1, -1))
    assert ranked(np.zeros(16), GRID, 1).tolist() != ranked(np.zeros(16), GRID, 2).tolist()
    pixels, empty = np.asarray(picture), filled(picture, "mean")
    changed = [np.asarray(part) for part in perturbed(picture, GRID, order, "mean")]
    assert len(changed) == 2 * len(SHARES)
    gone, back = changed[0], changed[1]  # a sixteenth: the last token
    assert (gone[42:, 42:] == empty[42:, 42:]).all()
    assert (gone[:42] == pixels[:42]).all()
    assert (back[42:, 42:] == pixels[42:, 42:]).all()
    assert (back[:42] == empty[:42]).all()


def test_areas_are_those_of_the_curves() -> None:
    at = np.array([0, *SHARES, 1])
    falls = np.stack([1 - at[1:-1], at[1:-1]], 1).ravel()  # deletion falls from 1 to 0, insertion rises
    assert areas(falls, 1.0, 0.0) == pytest.approx((0.5, 0.5))
    assert areas(2 * falls, 2.0, 0.0) == pytest.approx((0.5, 0.5))  # as parts of the whole picture's


def test_weights_are_shuffled_and_come_back(bench: Workbench) -> None:
    parts = dict(bench.vlm.adapter.language_model.named_parameters())
    before = {name: part.clone() for name, part in parts.items()}
    with shuffled(bench.vlm):
        moved = {name for name, part in parts.items() if not torch.equal(part, before[name])}
    assert moved == {name for name, part in parts.items() if "layers." in name and part.ndim == 2}
    with pytest.raises(ZeroDivisionError), shuffled(bench.vlm):
        raise ZeroDivisionError
    assert all(torch.equal(part, before[name]) for name, part in parts.items())


@pytest.fixture(scope="module")
def on_scenes(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, MethodResult], Winner, Path]:
    out = tmp_path_factory.mktemp("scenes")
    results, winner = on_masks(Answering(bench.vlm, bench.sae), masked_scenes(1), METHODS, out)
    return results, winner, out


def test_scenes_have_the_thing_that_is_asked_for_where_the_mask_is() -> None:
    for masked in masked_scenes(3):
        assert masked.text.endswith(masked.word)
        assert 0.01 < masked.mask.mean() < 0.25


def test_every_map_is_measured_on_masks(on_scenes: tuple[dict[str, MethodResult], Winner, Path]) -> None:
    results, winner, _ = on_scenes
    assert set(results) == set(METHODS)
    assert winner.method in METHODS
    assert not winner.clear  # of one picture nothing is clear
    for row in results.values():
        assert row.masks
        assert row.images == 1
        assert 0 <= row.masks.iou.mean <= 1
        assert row.chance == pytest.approx(row.chance)
    assert results["centre"].masks is not None
    assert results["centre"].masks.shuffled.mean == 1  # it never looked at the model, and says so
    assert results["centre"].masks.unmoved
    gradient = results["gradient-input"].masks
    assert gradient is not None
    assert gradient.shuffled.mean < 0.9


def test_what_was_measured_is_not_measured_again(bench: Workbench, on_scenes: tuple[dict[str, MethodResult], Winner, Path]) -> None:
    results, winner, out = on_scenes
    log = out / "scenes.jsonl"
    before = log.read_text()
    log.write_text(before + before[:40])  # killed in the middle of a line
    again = on_masks(Answering(bench.vlm, bench.sae), masked_scenes(1), METHODS, out)
    assert again == (results, winner)
    assert log.read_text() == before


def test_the_report_shows_all_data_sets_in_one_chart(
    bench: Workbench, on_scenes: tuple[dict[str, MethodResult], Winner, Path], tmp_path: Path
) -> None:
    from dataclasses import replace

    results, winner, _ = on_scenes
    swept = sweep(Answering(bench.vlm), Plan(("centre", "random"), ("symbols",), (2, 2), runs=1), tmp_path)
    summary: SweepSummary = replace(
        swept, plan=replace(swept.plan, scenes=1), results={**swept.results, SCENES: results}, winner={**swept.winner, SCENES: winner}
    )
    assert read_summary(summary_text(summary)) == summary
    text = report(summary)
    assert text.count("accuracy, symbols") == text.count("accuracy, scenes") == 1
    assert "hardly changes" in text
    assert "http" not in text.replace("http-equiv", "")


def test_pictures_of_one_key_are_one(tmp_path: Path, bench: Workbench) -> None:
    masked = next(iter(masked_scenes(1)))
    twice = [masked, Masked(masked.key, masked.picture, masked.text, masked.word, masked.mask)]
    on_masks(Answering(bench.vlm), twice, ("centre",), tmp_path)
    assert len((tmp_path / "scenes.jsonl").read_text().splitlines()) == 2
