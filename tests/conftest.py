"""Shared fixtures: the shipped demo, loaded once, and pictures of its world. Nothing here is a mock."""

# ruff: noqa: E402  since modules are checked from their import on

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
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

if TYPE_CHECKING:  # the process that hands tests out runs none, and is ready ten seconds sooner
    from scratchpad.benches import Benches
    from scratchpad.demo.world import Scene
    from scratchpad.records import Analysis
    from scratchpad.vlm.prepare import Prepared
    from scratchpad.workbench import Workbench


def scene() -> Scene:
    """What `scene_image` shows."""
    from scratchpad.demo.world import HELD_OUT_START, sample_scene

    return sample_scene(HELD_OUT_START + 40_000_001)


@pytest.fixture(scope="session")
def benches() -> Benches:
    from scratchpad.benches import Benches, offered
    from scratchpad.workbench import DEFAULT_RETRIEVER

    return Benches(offered(None, None), retriever=DEFAULT_RETRIEVER)


@pytest.fixture(scope="session")
def bench() -> Workbench:
    from scratchpad.workbench import Workbench

    return Workbench()


@pytest.fixture(scope="session")
def scene_image() -> Image.Image:
    from scratchpad.demo.evaluate import picture

    return picture(scene())


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
