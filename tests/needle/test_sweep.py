from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scratchpad.errors import UserError
from scratchpad.needle.report import report
from scratchpad.needle.subject import Answering
from scratchpad.needle.sweep import Plan, sweep
from scratchpad.records.sweep import SCENES, Identified, SweepSummary, read_summary, summary_text
from scratchpad.saliency.methods import METHODS
from scratchpad.saliency.trust import SHIPPED, folder, keep, measured, trust
from scratchpad.workbench import Workbench

PLAN = Plan(("attention", "centre", "random"), ("patch", "multi-words"), (2, 2), runs=2)


@pytest.fixture(scope="module")
def swept(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> tuple[SweepSummary, Path]:
    out = tmp_path_factory.mktemp("needle")
    return sweep(Answering(bench.vlm), PLAN, out), out


def test_every_image_and_method_has_a_row(swept: tuple[SweepSummary, Path]) -> None:
    import pyarrow.parquet as pq

    summary, out = swept
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert len(rows) == 2 * 2 * 4 * 3
    mine = [r["accuracy"] for r in rows if r["dataset"] == "patch" and r["method"] == "attention"]
    assert summary.results["patch"]["attention"].accuracy.mean == pytest.approx(np.mean(mine))
    assert summary.results["patch"]["centre"].accuracy.mean == pytest.approx(0.25)


def test_what_was_measured_is_found_again(swept: tuple[SweepSummary, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    identity = "m" * 16  # of a model with which nothing ships
    keep(replace(swept[0], model=Identified("m", identity)))
    accuracy = swept[0].results["multi-words"]["attention"].accuracy
    worth = trust(identity)
    assert worth is not None
    assert (worth.nearest, worth.sets[0].accuracy, worth.sets[0].chance) == ("multi-words", accuracy.mean, 0.25)
    assert trust(identity, "magic") is None
    assert trust("0" * 16) is None


def test_the_nearest_data_set_stands_first(swept: tuple[SweepSummary, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    identity = "m" * 16  # of a model with which nothing ships
    rows = swept[0].results["patch"]
    more = {"symbols": rows, SCENES: {"attention": replace(rows["attention"], chance=0.1)}}
    keep(replace(swept[0], model=Identified("m", identity), results=dict(swept[0].results) | more))
    things, words = trust(identity, prompt="what animal is there"), trust(identity, prompt="What does the sign say?")
    assert things is not None
    assert words is not None
    assert [row.dataset for row in things.sets] == [SCENES, "symbols", "multi-words", "patch"]
    assert things.nearest == SCENES
    assert (things.sets[0].chance, things.sets[1].chance) == (0.1, 0.25)
    assert words.nearest == "multi-words"


def test_a_killed_sweep_goes_on_where_it_was(bench: Workbench, swept: tuple[SweepSummary, Path], tmp_path: Path) -> None:
    summary, out = swept
    lines = (out / "images.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "plan.json").write_text((out / "plan.json").read_text())
    (tmp_path / "images.jsonl").write_text("".join(lines[:7]) + lines[7][:40])  # killed in the middle of a line
    computed: list[int] = []
    again = sweep(Answering(bench.vlm), PLAN, tmp_path, lambda done, of: computed.append(done))
    assert len(computed) == len(lines) - 7
    assert again == summary


def test_another_sweep_does_not_mix_in(bench: Workbench, swept: tuple[SweepSummary, Path]) -> None:
    with pytest.raises(UserError, match="holds another sweep"):
        sweep(Answering(bench.vlm), Plan(("centre",), ("patch",), (2, 2), runs=1), swept[1])


def test_the_report_says_what_was_measured(swept: tuple[SweepSummary, Path]) -> None:
    text = report(swept[0])
    for dataset in PLAN.datasets:
        assert f"<h2>{dataset}</h2>" in text
    assert text.count("<figure>") == 2 * 4 * 3
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.slow
def test_every_method_gives_a_finite_map(bench: Workbench, tmp_path: Path) -> None:
    summary = sweep(Answering(bench.vlm, bench.sae), Plan(tuple(METHODS), ("multi-words",), (2, 2), runs=1), tmp_path)
    assert set(summary.results["multi-words"]) == set(METHODS)


def test_a_summary_is_read_back_as_it_was(swept: tuple[SweepSummary, Path]) -> None:
    summary, out = swept
    assert read_summary((out / "summary.json").read_text()) == summary


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/needle.json")), ids=lambda path: path.parent.name)
def test_what_ships_with_the_models_is_read_and_written_the_same(path: Path) -> None:
    value = json.loads(path.read_text())
    summary = read_summary(path.read_text())
    again = json.loads(summary_text(summary))
    for dataset, rows in again["results"].items():
        for method, row in rows.items():
            if "mean_map" not in value["results"][dataset][method]:  # swept before it was written down
                assert row.pop("mean_map") is None
    assert again == value


def test_what_the_first_version_left_out_is_filled_in(swept: tuple[SweepSummary, Path], tmp_path: Path) -> None:
    value = json.loads(summary_text(swept[0]))
    del value["drawing"], value["sae"]
    older = read_summary(json.dumps(value))
    assert (older.drawing, older.sae) == (1, None)
    assert older.results == swept[0].results


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '{"model": {"identity": 3}}', "\ud800"])
def test_what_is_no_summary_says_nothing(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder().mkdir(parents=True)
    (folder() / f"{'m' * 16}.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert measured("m" * 16) == {}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(PLAN, seed=-1), "seed -1 was given; expected 0 or more"),
        (replace(PLAN, runs=0), "expected 2x2 or more, and 1 or more"),
        (replace(PLAN, datasets=("magic",)), "expected some of patch"),
    ],
)
def test_a_plan_that_cannot_be_swept_is_refused(bench: Workbench, tmp_path: Path, plan: Plan, said: str) -> None:
    with pytest.raises(UserError, match=said):
        sweep(Answering(bench.vlm), plan, tmp_path)
