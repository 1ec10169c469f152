"""PROCESSING and NEEDLE on the page: stages of both kinds of model, a live sweep, trust that's measured where it stands."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from scratchpad.benches import Benches
from scratchpad.errors import UserError
from scratchpad.records import Trust
from scratchpad.records.sweep import Identified, MethodResult, Metric, Plan, SweepSummary, Winner
from scratchpad.sae.names import read_names
from scratchpad.saliency.trust import DRAWING, keep, measured, trust
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import Asked
from scratchpad.ui.lookups import Lookups
from scratchpad.ui.studies import Studies
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench
from tests.ui.conftest import PATIENCE, served, visit


@pytest.fixture
def studies(benches: Benches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studies:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return Studies(Handlers(benches))


def held(scene_path: Path, prompt: str = "what animal is there") -> Asked:
    return Asked((str(scene_path),), prompt, "", "k")


def figures(worth: Trust | None) -> list[tuple[str, float, float]]:
    return [(row.dataset, row.accuracy, row.chance) for row in worth.sets] if worth else []


def test_stages_of_both_models(studies: Studies, scene_path: Path) -> None:
    asked = held(scene_path)
    told = json.loads(studies.stages(asked, {"key": "k"}))
    assert len(told["stages"]) == 6
    page = json.loads(studies.stages(asked, {"by": "page", "query": "dog", "key": "k"}))
    assert [t["text"].strip() for t in page["tokens"] if t["part"] == "query"] == ["dog"]
    assert len(page["stages"]) == 5


def test_a_live_sweep_is_kept_where_trust_is_read(studies: Studies, benches: Benches) -> None:
    told = json.loads(studies.needle(None, {"by": "page", "dataset": "patch", "cells": "7x7", "methods": ["cosine", "random"]}))
    assert [row["method"] for row in told["rows"]] == ["cosine", "random"]
    assert told["rows"][0]["accuracy"] > 0.9
    identity = benches.pages().retriever.identity
    assert measured(identity)["patch"]["cosine"].images >= 49
    assert studies.measured(["", "page"])["before"]["cosine"]["patch"] > 0.9


def summary(method: str, accuracy: float, images: int, sae: str | None = None, dataset: str = "patch") -> SweepSummary:
    """Of one map on one data set."""
    metric = Metric(accuracy, accuracy, accuracy, ())
    return SweepSummary(
        model=Identified("m", "m" * 16),
        sae=Identified(sae, sae) if sae else None,
        plan=Plan((method,), (dataset,), size=(7, 7)),
        drawing=DRAWING,
        chance=0.02,
        results={dataset: {method: MethodResult(metric, metric, metric, metric, images)}},
        winner={dataset: Winner(method, True)},
    )


def test_fewer_images_never_replace_what_more_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    keep(summary("attention", 0.8, 98))
    keep(summary("attention", 0.9, 49))
    keep(summary("cosine", 0.3, 49))
    assert figures(trust("m" * 16)) == [("patch", 0.8, 0.02)]
    assert figures(trust("m" * 16, "cosine")) == [("patch", 0.3, 0.02)]


def test_a_quick_sweep_on_other_cells_puts_nothing_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    quick = summary("attention", 1.0, 4)
    quick = replace(quick, plan=replace(quick.plan, cells=(2, 2)), chance=0.25)
    keep(summary("attention", 0.8, 98))
    keep(summary("attention", 0.5, 49, dataset="text"))
    keep(quick)
    assert figures(trust("m" * 16)) == [("text", 0.5, 0.02), ("patch", 0.8, 0.02)]
    keep(replace(quick, results={"symbols": quick.results["patch"]}))
    assert figures(trust("m" * 16, prompt="what animal?")) == [("symbols", 1.0, 0.25), ("text", 0.5, 0.02), ("patch", 0.8, 0.02)]


def test_what_ships_with_the_demo_stays_beside_a_quick_sweep(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    identity = bench.vlm.identity
    shipped, quick = trust(identity), summary("attention", 1.0, 4)
    keep(replace(quick, model=replace(quick.model, identity=identity), plan=replace(quick.plan, cells=(2, 2)), chance=0.25))
    assert trust(identity) == shipped


def test_what_was_measured_of_one_sae_is_not_said_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    of = partial(trust, "m" * 16, "sae-attention")
    keep(replace(summary("attention", 0.9, 98, dataset="text"), drawing=1))  # drawn the first way
    assert trust("m" * 16) is None
    keep(summary("sae-attention", 0.5, 49, "a"))
    keep(summary("attention", 0.5, 49))
    assert of("a")
    assert not of("b")
    keep(summary("attention", 0.5, 49, "b"))
    assert of("a")
    keep(summary("sae-attention", 0.1, 49, "b", "text"))
    assert figures(of("b")) == [("text", 0.1, 0.02)]
    assert not of("a")
    assert trust("m" * 16)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"dataset": "patch", "cells": "6x6", "methods": ["attention"]}, "don't lie on whole image tokens"),
        ({"dataset": "patch", "cells": "seven", "methods": ["attention"]}, "expected rows x columns"),
        ({"dataset": "patch", "cells": "14x14", "methods": ["attention"]}, "too many to wait for"),
        ({"dataset": "patch", "cells": "7x7", "methods": ["occlusion"]}, "expected up to 25"),
        ({"dataset": "patch", "cells": "7x7", "methods": ["magic"]}, "expected some of attention"),
        ({"dataset": "patch", "cells": "7x7", "methods": []}, "expected 1 to 8"),
        ({"dataset": "patch", "cells": "7x7", "methods": "attention"}, "choose one or more"),
        ({"dataset": "magic", "cells": "7x7", "methods": ["attention"]}, "expected some of patch"),
        ({"dataset": "multi-words", "cells": "100x1", "methods": ["attention"]}, "expected 2x2 or more"),
    ],
)
def test_bad_sweeps_are_a_sentence(studies: Studies, event: dict, said: str) -> None:
    assert said in json.loads(studies.needle(None, event))["error"]


def test_nothing_asked_and_nothing_to_look_for(studies: Studies, scene_path: Path) -> None:
    assert "Nothing was asked" in json.loads(studies.stages(None, {}))["error"]
    asked = held(scene_path, "what")
    assert "control token" in json.loads(studies.stages(asked, {"by": "page", "query": "<pad>", "key": "k"}))["error"]
    assert "at most 400" in json.loads(studies.stages(asked, {"by": "page", "query": "x " * 10_000, "key": "k"}))["error"]
    with pytest.raises(UserError, match="no model loaded"):
        Studies(Handlers(None)).measured(["", "answer"])


@pytest.mark.browser
def test_they_open_on_the_page(page: Page) -> None:
    page.click("#sp-tab-maps")
    page.wait_for_function("document.querySelectorAll('#sp-stages .sp-steps img').length === 6", timeout=PATIENCE)
    page.click("#sp-stages [data-by=page]")
    page.wait_for_selector("#sp-stages [data-at]", timeout=PATIENCE)
    assert "MaxSim" in page.inner_text("#sp-stages .sp-what")
    assert "by chance" in page.inner_text("#sp-stages .sp-what")  # what its maps are worth
    page.wait_for_selector("#sp-needle .sp-before td")
    page.select_option("#sp-needle [data-of=dataset]", "patch")
    page.fill("#sp-needle [data-of=cells]", "2x2")
    page.click("#sp-needle [data-measure]")
    page.wait_for_selector("#sp-needle .sp-grids canvas", timeout=PATIENCE)
    found = Axe().run(page, context={"include": [["#sp-app"]]})
    assert found.violations_count == 0, found.generate_report()
    page.fill("#sp-needle [data-of=cells]", "6x6")
    page.click("#sp-needle [data-measure]")
    page.wait_for_selector("#sp-needle .sp-error:has-text('whole image tokens')", timeout=PATIENCE)


def test_layers_of_the_same_model_come_in_their_order(studies: Studies, scene_path: Path) -> None:
    asked = held(scene_path)
    told = json.loads(studies.layers(asked, {"key": "k"}))
    assert [row["layer"] for row in told["layers"]] == [1, 3, 5]
    assert all(row["concepts"] for row in told["layers"])


def test_names_are_given_only_where_the_owner_allows_it(benches: Benches) -> None:
    with pytest.raises(UserError, match="the owner allows it"):
        Lookups(benches).rename(["", 3, "mine"])
    for bad in (None, [], ["", "x", "name"], ["", 3, 4], ["", 10**9, "name"], ["9", 3, "name"], ["", 3, "\x00"]):
        with pytest.raises(UserError):
            Lookups(benches, naming=True).rename(bad)


@pytest.mark.browser
def test_a_latent_is_named_on_the_page_and_the_layers_open(chromium: Browser, tmp_path: Path) -> None:
    sae = tmp_path / "mine"
    shutil.copytree(DEFAULT_SAE, sae)
    with served(tmp_path / "store", "--sae", str(sae), "--offer", f"{DEFAULT_MODEL}={DEFAULT_SAE.parent / 'emoji-early'}") as url:
        page = visit(chromium.new_page(), url)
        page.click("#sp-tab-layers")
        page.wait_for_function("document.querySelectorAll('.sp-layer').length === 2", timeout=PATIENCE)
        page.click("#sp-tab-sae")
        page.fill(".sp-find", "octopus")
        page.click(".sp-hits .sp-chip")
        page.click("#sp-latent [data-group]")
        page.wait_for_selector(".sp-hits .sp-chip >> nth=1")
        page.click("#sp-tab-latent")
        page.click("#sp-latent [data-put]")
        assert page.locator("#sp-test .sp-in").count() == 2
        page.fill(".sp-naming-form input", "eight arms <b>")
        page.click(".sp-naming-form button")
        page.wait_for_function("Scratchpad.state.reading.data.name === 'eight arms <b>'")
        assert page.evaluate("document.querySelector('#sp-latent h2').innerText").count("eight arms <b>") == 1
        page.close()
    assert [name.name for name in read_names(sae).values()] == ["eight arms <b>"]
