"""Beyond one process: a real Ray cluster of two nodes, torchrun with two processes; the same results as one process alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.multiprocessing

from scratchpad.audit.answer import Answerer, answer_all, read_answers
from scratchpad.audit.rows import open_rows
from scratchpad.cli import main
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.errors import UserError
from scratchpad.needle.subject import Answering
from scratchpad.needle.sweep import Plan, sweep
from scratchpad.records.hookpoint import vision
from scratchpad.sae.afar import Models, activations, observations
from scratchpad.sae.index import open_index
from scratchpad.sae.parallel import Group, joined
from scratchpad.sae.pictures import labels_of, pictures
from scratchpad.sae.train import Fit, Recipe
from scratchpad.spread import Cluster, spread
from scratchpad.vlm.load import load_vlm
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench
from tests.forked import scratchpad

MODEL = str(DEFAULT_MODEL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("images")
    for scene in held_out(10, first=HELD_OUT_START + 91_000_000):
        picture(scene).save(out / f"{scene.seed}.png")
    (out / "broken.png").write_bytes(b"no image")
    return out


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes of one processor each, as far as Ray is concerned."""
    import ray
    from ray.cluster_utils import Cluster as Nodes

    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    yield Cluster(nodes.address)
    ray.shutdown()
    nodes.shutdown()


@pytest.mark.slow  # work on two nodes, one of them killed, stays in make test
def test_two_nodes_give_the_activations_of_one_process(cluster: Cluster, folder: Path, bench: Workbench) -> None:
    import ray

    alone, afar = pictures(folder), pictures(folder)
    own = list(activations(Models(bench.vlm), alone, [vision(2), vision(5)], range(len(alone))))
    theirs = list(activations(Models(bench.vlm, MODEL, None, cluster), afar, [vision(2), vision(5)], range(len(afar))))
    assert len(ray.nodes()) == 2
    assert len(own) == len(theirs) == 10
    for a, b in zip(own, theirs, strict=True):
        assert all(torch.allclose(a[at], b[at], atol=1e-4) for at in (vision(2), vision(5)))
    assert alone.skipped == afar.skipped == ["broken.png"]


@pytest.mark.slow
def test_two_nodes_observe_what_one_process_observes(cluster: Cluster, folder: Path, bench: Workbench) -> None:
    seen = [
        dict(observations(models, bench.sae, pictures(folder))) for models in (Models(bench.vlm), Models(bench.vlm, MODEL, None, cluster))
    ]
    assert list(seen[0]) == list(seen[1])
    for one, other in zip(seen[0].values(), seen[1].values(), strict=True):
        assert np.array_equal(one.codes.active(), other.codes.active())
        assert one.thumbnail == other.thumbnail


@pytest.mark.slow
def test_a_sweep_on_a_cluster(cluster: Cluster, bench: Workbench, tmp_path: Path) -> None:
    plan = Plan(("attention", "random"), ("patch",), (2, 2), runs=1)
    alone = sweep(Answering(bench.vlm), plan, tmp_path / "a")
    spread_out = sweep(Answering(bench.vlm), plan, tmp_path / "b", cluster=cluster, setup=lambda: Answering(load_vlm(MODEL)))
    assert alone.results == spread_out.results


@pytest.mark.slow
def test_an_audits_rows_are_answered_on_a_cluster_as_here(cluster: Cluster, folder: Path, bench: Workbench, tmp_path: Path) -> None:
    source, asked = str(folder), "what is the background"
    rows = open_rows(source, question=asked)
    for name in ("here", "there"):
        (tmp_path / name / "answers").mkdir(parents=True)
    answer_all(tmp_path / "here", rows, lambda: Answerer(bench, rows, "normalised", 8))
    answer_all(tmp_path / "there", rows, lambda: Answerer(Workbench(), open_rows(source, question=asked), "normalised", 8), cluster)
    here, there = ([row for table in read_answers(tmp_path / name, len(rows)) for row in table.to_pylist()] for name in ("here", "there"))
    for column in ("id", "answer", "failed", "latents", "shows"):
        assert [row[column] for row in here] == [row[column] for row in there]
    assert sum(bool(row["failed"]) for row in there) == 1
    assert np.allclose([row["logprob"] for row in here], [row["logprob"] for row in there], atol=1e-4)


def test_a_worker_killed_half_way_costs_nothing(cluster: Cluster, tmp_path: Path) -> None:
    killed = tmp_path / "killed"

    def work(_: None, numbers: list[int]) -> list[int]:
        time.sleep(0.05)
        if 24 in numbers and not killed.exists():
            killed.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return [n * n for n in numbers]

    assert list(spread(range(48), lambda: None, work, cluster, size=4)) == [n * n for n in range(48)]
    assert killed.exists()


def test_no_cluster_is_a_sentence(folder: Path) -> None:
    judge = ["eval-sae", "--model", MODEL, "--sae", str(DEFAULT_SAE), "--images", str(folder), "--ray", "ray://127.0.0.1:1"]
    told = scratchpad(*judge)
    assert told.returncode == 2, told
    assert "There is no Ray cluster at ray://127.0.0.1:1" in told.stderr
    assert "Traceback" not in told.stderr


def _train(rank: int, size: int, port: int, out: str) -> None:
    """One process of a training on fixed activations."""
    os.environ |= {
        "WORLD_SIZE": str(size),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    torch.set_num_threads(1)
    group = joined() if size > 1 else Group()
    chance = torch.Generator().manual_seed(3)
    steps = [torch.randn(64, 12, generator=chance) for _ in range(120)]
    part = 64 // size
    batches = iter([step[rank * part : (rank + 1) * part] for step in steps])
    one = Fit(Recipe(d_sae=24, k=4, steps=30, size=part, seed=1), 12, batches, Path(out), group=group)
    while one.step < 30:
        one.advance()
    if group.first:
        torch.save(dict(one.sae.state_dict()), f"{out}-{size}.pt")
    group.leave()


def test_two_processes_train_what_one_trains(tmp_path: Path) -> None:
    from tests.ui.conftest import free_port

    out = str(tmp_path / "sae")
    torch.multiprocessing.start_processes(_train, (2, free_port(), out), nprocs=2, start_method="forkserver")
    before = torch.get_num_threads()
    _train(0, 1, 0, out)
    torch.set_num_threads(before)
    one, two = (torch.load(f"{out}-{size}.pt", weights_only=True) for size in (1, 2))
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=2e-4), (name, (value - two[name]).abs().max())


@pytest.mark.slow  # test_two_processes_train_what_one_trains stays in make test
def test_train_sae_under_torchrun(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0", "--standalone"]
    quick = ["--width", "64", "--k", "4", "--steps", "30", "--batch", "256", "--buffer", "2000", "--every", "10", "--json"]
    train = ["-m", "scratchpad.cli", "train-sae", "--model", MODEL, "--layer", "5", "--images", str(folder), "--out", str(tmp_path / "sae")]
    told = subprocess.run(
        [*command, *train, *quick], capture_output=True, text=True, timeout=400, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert told.returncode == 0, told.stderr[-2000:]
    value = json.loads(next(line for line in told.stdout.splitlines() if line.startswith("{")))
    assert value["saes"][0]["metrics"]["l0"] > 0
    assert not (tmp_path / "sae" / "checkpoint").exists()
    with pytest.raises(UserError, match="doesn't divide among 2"):
        Group(0, 2).part(255)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight scenes with a class each, as the `datasets` library keeps them."""
    import datasets

    scenes = list(held_out(8, first=HELD_OUT_START + 92_000_000))
    names = sorted({scene.background for scene in scenes})
    features = datasets.Features({"picture": datasets.Image(), "ground": datasets.ClassLabel(names=names)})
    rows = {"picture": [picture(scene) for scene in scenes], "ground": [scene.background for scene in scenes]}
    made = datasets.Dataset.from_dict(rows, features=features)
    out = tmp_path_factory.mktemp("dataset")
    made.save_to_disk(out / "saved")
    made.to_parquet(out / "rows.parquet")
    return out


@pytest.mark.parametrize("which", ["saved", "rows.parquet"])
def test_a_data_set_is_read_with_its_labels(dataset: Path, which: str) -> None:
    scenes = list(held_out(8, first=HELD_OUT_START + 92_000_000))
    found = pictures(dataset / which)
    assert len(found) == 8
    assert labels_of(found, None) == [{scene.background} for scene in scenes]
    for (number, shown), scene in zip(found.in_order(), scenes, strict=True):
        assert number == scenes.index(scene)
        assert np.array_equal(np.asarray(shown), np.asarray(picture(scene)))


def test_an_index_of_a_data_set(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    shutil.copytree(DEFAULT_SAE, tmp_path / "sae", ignore=shutil.ignore_patterns("index"))
    command = ["index", "--model", MODEL, "--sae", str(tmp_path / "sae"), "--images", str(dataset / "rows.parquet"), "--json"]
    assert main(command) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["images"] == 8
    assert open_index(tmp_path / "sae") is not None


@pytest.mark.parametrize(("source", "said"), [("no/such-thing:train", "can't be loaded"), ("/nowhere", "There is no folder")])
def test_what_is_neither_folder_nor_data_set(source: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        pictures(source)


def test_a_data_set_without_pictures(tmp_path: Path) -> None:
    import datasets

    datasets.Dataset.from_dict({"text": ["a"]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match="no column of images"):
        pictures(tmp_path / "t.parquet")
