"""Benchmarks run through at a small size and print one JSON object. What they measure is not tested here."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

from benchmarks.weighting import USUAL, needed, table
from scratchpad.records import Analysis, ablation
from scratchpad.workbench import Workbench

SMALL = [
    "--layers",
    "2",
    "--width",
    "64",
    "--side",
    "3",
    "--vision-layers",
    "3",
    "--vision-width",
    "64",
    "--new-tokens",
    "3",
    "--repeat",
    "1",
]


@pytest.mark.parametrize(
    ("name", "flags", "rows"),
    [
        pytest.param("capture", SMALL, 6, marks=pytest.mark.slow),
        pytest.param("edited", [*SMALL, "--batch", "4"], 9, marks=pytest.mark.slow),
        ("codes", ["--patches", "50", "--latents", "512", "--width", "16"], 2),
    ],
)
def test_benchmark_runs(
    name: str, flags: list[str], rows: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, *flags, "--json"])
    importlib.import_module(f"benchmarks.{name}").main()
    value = json.loads(capsys.readouterr().out)
    assert value["benchmark"] == name
    assert len(value["rows"]) == rows
    assert all(row["seconds"] > 0 for row in value["rows"])


@pytest.mark.slow  # a model of published size, but for its language layers: a minute or two
def test_a_model_of_published_size_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    steps = ["--steps", "plain,inspect,geometry", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["real", "--only", "smolvlm-256m", "--layers", "2", *steps, "--json"])
    importlib.import_module("benchmarks.real").main()
    plain, inspected, geometry = json.loads(capsys.readouterr().out)["rows"]
    assert plain["peak"] > 0
    assert inspected["says"].startswith("13312 patches, 832 image tokens")
    attention, empty, square = geometry["says"].split("; ")
    assert float(attention.split(" within ")[1].split()[0]) < 1e-3
    assert empty == "an empty edit is the identity"
    hit, under = (int(n) for n in re.findall(r"\d+", square))
    assert hit == under > 0


def test_a_ranking_needs_as_many_latents_as_change_the_answer(bench: Workbench, analysis: Analysis) -> None:
    suggested = bench.suggest(analysis).suggested
    assert suggested is not None
    counts = needed(bench, analysis, {"suggested": suggested.ids, "nothing": ()}, most=8)
    assert counts["nothing"] == 8
    first = counts["suggested"]
    assert 1 <= first <= len(suggested.ids)
    assert not bench.forced(analysis, [ablation(suggested.ids[:first])]).unchanged[0]


def test_rankings_are_compared_question_by_question() -> None:
    rows = table({USUAL: [3, 9, 5, 7], "other": [2, 8, 4, 6], "worse": [9, 9, 9, 9]})
    assert [row["ranking"] for row in rows] == ["other", USUAL, "worse"]
    assert (rows[0]["less than usual"], rows[0]["of it the interval"]) == (1.0, [1.0, 1.0])
