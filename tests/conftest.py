"""Shared fixtures: the shipped demo, loaded once, and pictures of its world. Nothing here is a mock."""

# ruff: noqa: E402  since modules are checked from their import on

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
OWN = tempfile.TemporaryDirectory(prefix="scratchpad-tests-")  # gone with the process
os.environ["XDG_DATA_HOME"] = OWN.name  # servers' too: what a user has measured or kept stays out of it

import pytest
from jaxtyping import install_import_hook
from PIL import Image

# shapes and types in the annotations of what computes on arrays alone are checked at every call; records check themselves
CHECKED = ("grid", "stats", "analysis", "experiments.search", "needle.intervals", "needle.bias", "sae.load", "sae.claims")
import tests.typechecked  # noqa: F401  which the hook looks up by name

install_import_hook([f"scratchpad.{module}" for module in CHECKED], "tests.typechecked.typechecked")

from scratchpad.benches import Benches, offered
from scratchpad.demo.evaluate import picture
from scratchpad.demo.world import HELD_OUT_START, sample_scene
from scratchpad.records import Analysis
from scratchpad.vlm.prepare import Prepared
from scratchpad.workbench import DEFAULT_RETRIEVER, Workbench

SCENE = sample_scene(HELD_OUT_START + 40_000_001)


@pytest.fixture(scope="session")
def benches() -> Benches:
    return Benches(offered(None, None), retriever=DEFAULT_RETRIEVER)


@pytest.fixture(scope="session")
def bench() -> Workbench:
    return Workbench()


@pytest.fixture(scope="session")
def scene_image() -> Image.Image:
    return picture(SCENE)


@pytest.fixture(scope="session")
def scene_path(tmp_path_factory: pytest.TempPathFactory, scene_image: Image.Image) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    scene_image.save(path)
    return path


@pytest.fixture(scope="session")
def analysis(bench: Workbench, scene_image: Image.Image) -> Analysis:
    return bench.analyze(scene_image, "What is in the picture?")


@pytest.fixture(scope="session")
def likeliest(analysis: Analysis) -> tuple[int, ...]:
    """The four latents that one backward pass predicts the answer leans on most."""
    effects = analysis.by_effect
    return tuple(sorted(effects, key=lambda latent: effects[latent])[:4])


@pytest.fixture(scope="session")
def prepared(bench: Workbench, analysis: Analysis) -> Prepared:
    return bench.trial(analysis).prepared


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest come first, so that the processes which share the work end together."""
    first = ("ui/", "demo/", "sae/", "experiments/", "test_cli")
    items.sort(key=lambda item: next((n for n, part in enumerate(first) if part in str(item.path)), len(first)))
