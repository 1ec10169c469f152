from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scratchpad.errors import UserError
from scratchpad.needle.report import report
from scratchpad.needle.subject import Answering
from scratchpad.needle.sweep import Plan, sweep
from scratchpad.saliency.methods import METHODS
from scratchpad.saliency.trust import keep, trust
from scratchpad.workbench import Workbench

PLAN = Plan(("attention", "centre", "random"), ("patch", "multi-words"), (2, 2), runs=2)


@pytest.fixture(scope="module")
def swept(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("needle")
    return sweep(Answering(bench.vlm), PLAN, out), out


def test_every_image_and_method_has_a_row(swept: tuple[dict, Path]) -> None:
    import pyarrow.parquet as pq

    summary, out = swept
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert len(rows) == 2 * 2 * 4 * 3
    mine = [r["accuracy"] for r in rows if r["dataset"] == "patch" and r["method"] == "attention"]
    assert summary["results"]["patch"]["attention"]["accuracy"]["mean"] == pytest.approx(np.mean(mine))
    assert summary["results"]["patch"]["centre"]["accuracy"]["mean"] == pytest.approx(0.25)


def test_what_was_measured_is_found_again(swept: tuple[dict, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    identity = swept[0]["model"]["identity"]
    keep(swept[0])
    mean = swept[0]["results"]["multi-words"]["attention"]["accuracy"]["mean"]
    assert trust(identity) == {"accuracy": mean, "chance": 0.25, "dataset": "multi-words"}
    assert trust(identity, "magic") is None
    assert trust("0" * 16) is None


def test_a_killed_sweep_goes_on_where_it_was(bench: Workbench, swept: tuple[dict, Path], tmp_path: Path) -> None:
    summary, out = swept
    lines = (out / "images.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "plan.json").write_text((out / "plan.json").read_text())
    (tmp_path / "images.jsonl").write_text("".join(lines[:7]) + lines[7][:40])  # killed in the middle of a line
    computed: list[int] = []
    again = sweep(Answering(bench.vlm), PLAN, tmp_path, lambda done, of: computed.append(done))
    assert len(computed) == len(lines) - 7
    assert json.dumps(again) == json.dumps(summary)


def test_another_sweep_does_not_mix_in(bench: Workbench, swept: tuple[dict, Path]) -> None:
    with pytest.raises(UserError, match="holds another sweep"):
        sweep(Answering(bench.vlm), Plan(("centre",), ("patch",), (2, 2), runs=1), swept[1])


def test_the_report_says_what_was_measured(swept: tuple[dict, Path]) -> None:
    text = report(swept[0])
    for dataset in PLAN.datasets:
        assert f"<h2>{dataset}</h2>" in text
    assert text.count("<figure>") == 2 * 4 * 3
    assert "http" not in text.replace("http-equiv", "")


def test_every_method_gives_a_finite_map(bench: Workbench, tmp_path: Path) -> None:
    summary = sweep(Answering(bench.vlm, bench.sae), Plan(tuple(METHODS), ("multi-words",), (2, 2), runs=1), tmp_path)
    assert set(summary["results"]["multi-words"]) == set(METHODS)
