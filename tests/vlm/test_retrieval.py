"""Retrieval models: geometry, tokens and scores against the models and processors themselves, and against colpali-engine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.errors import UserError
from scratchpad.needle.subject import Retrieving
from scratchpad.needle.sweep import Plan, sweep
from scratchpad.saliency.late import METHODS, page_look
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.page_states import taken_in
from scratchpad.vlm.retrieval import Retriever, is_retriever, load_retriever, page_inputs, page_of, query_of, score, similarity
from scratchpad.workbench import DEFAULT_MODEL
from tests.vlm.tiny import RETRIEVERS, noise, retriever_of


@pytest.fixture(params=RETRIEVERS)
def retriever(request: pytest.FixtureRequest) -> Retriever:
    return retriever_of(request.param)


@pytest.mark.parametrize("size", [(60, 150), (150, 60)])
def test_a_planted_square_moves_the_declared_token_most(retriever: Retriever, size: tuple[int, int]) -> None:
    """Rows and columns can't be swapped."""
    h, w = size
    y, x = int(0.7 * h), int(0.2 * w)
    plain = Image.new("RGB", (w, h), (90, 90, 90))
    planted = plain.copy()
    planted.paste((255, 255, 255), (x, y, x + w // 10, y + h // 10))
    (before, _), (after, _) = (taken_in(retriever, page_inputs(retriever, image)[0]) for image in (plain, planted))
    grid = page_inputs(retriever, plain)[1]
    token = int(np.abs(after - before).sum(1).argmax())
    boxes = grid.patch_boxes()[grid.token_patches[token].indices]
    assert boxes[:, 0].min() - 1 <= y + h // 10, (boxes, y)
    assert boxes[:, 2].max() + 1 >= y, (boxes, y)
    assert boxes[:, 1].min() - 1 <= x + w // 10, (boxes, x)
    assert boxes[:, 3].max() + 1 >= x, (boxes, x)


def test_query_tokens_are_those_of_input_ids_and_know_their_part(retriever: Retriever) -> None:
    query = query_of(retriever, "  two dogs ")
    processor: Any = retriever.processor
    assert [token.id for token in query.tokens] == processor.process_queries(text=["two dogs"])["input_ids"][0].tolist()
    assert "".join(query.tokens[i].text for i in query.own) == "two dogs"
    augmented = [token.text for token in query.tokens if token.part == "augmentation"]
    assert augmented.count(processor.query_augmentation_token) == 10
    prefix = "".join(token.text for token in query.tokens if token.part == "prefix")
    assert prefix.endswith(processor.query_prefix)
    assert np.allclose(np.linalg.norm(query.embeddings, axis=1), 1, atol=1e-5)


def test_scores_are_those_of_the_processor(retriever: Retriever) -> None:
    query, page = query_of(retriever, "two dogs"), page_of(retriever, noise((60, 150)))
    processor: Any = retriever.processor
    asked, seen = torch.from_numpy(query.embeddings), torch.from_numpy(page.embeddings)
    if hasattr(processor, "score_retrieval"):
        assert score(query, page) == pytest.approx(float(processor.score_retrieval([asked], [seen])[0, 0]), abs=1e-4)
    assert score(query, page) == pytest.approx(float((asked @ seen.T).max(1).values.sum()), abs=1e-4)


def _engine() -> Any:
    """colpali-engine's own maps; its package can't be imported without torchvision, the file that makes maps can."""
    found = importlib.util.find_spec("colpali_engine")
    assert found is not None, "colpali-engine is a test requirement: make test installs it"
    assert found.origin is not None
    path = Path(found.origin).parent / "interpretability" / "similarity_map_utils.py"
    spec = importlib.util.spec_from_file_location("similarity_map_utils", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["colpali", "colqwen2"])  # one tile, as colpali-engine's maps ask for
def test_cosine_maps_are_those_of_colpali_engine(name: str) -> None:
    retriever = retriever_of(name)
    query, page = query_of(retriever, "two dogs"), page_of(retriever, noise((60, 150)))
    tile = page.grid.tiles[0]
    merge = 2 if name == "colqwen2" else 1
    rows, cols = tile.rows // merge, tile.cols // merge
    mask = torch.zeros(1, len(page.embeddings), dtype=torch.bool)
    mask[0, page.image] = True
    asked, seen = torch.from_numpy(query.embeddings)[None], torch.from_numpy(page.embeddings)[None]
    theirs = _engine().get_similarity_maps_from_embeddings(seen, asked, (cols, rows), mask)[0]  # t x width x height
    ours = similarity(query, page).reshape(-1, rows, cols)
    assert np.allclose(ours, theirs.numpy().transpose(0, 2, 1), atol=1e-6)


def test_every_method_gives_a_value_for_every_image_token(retriever: Retriever) -> None:
    picture = noise((60, 150))
    _, grid = page_inputs(retriever, picture)
    seen = page_look(retriever, SaliencyRequest(picture, "dog", "", ((0, 0, 30, 150), (30, 0, 60, 150)), np.arange(grid.image_tokens) % 2))
    for name, method in METHODS.items():
        values = method(seen)
        assert values.shape == (grid.image_tokens,), name
        assert np.isfinite(values).all(), name
        assert values.std() > 0 or name == "centre", name


def test_gradient_input_is_the_slope_of_the_score(retriever: Retriever) -> None:
    query = query_of(retriever, "dog")
    inputs, _ = page_inputs(retriever, noise((60, 150)))
    given, slope = taken_in(retriever, inputs, query)
    alone, none = taken_in(retriever, inputs)
    assert none is None
    assert slope is not None
    assert np.array_equal(given, alone)
    assert np.abs(slope).max() > 0


def test_a_sweep_runs_and_says_which_model_it_was(tmp_path: Path) -> None:
    subject = Retrieving(retriever_of("colpali"))
    plan = Plan(("cosine", "random"), ("patch",), (2, 2), runs=1, size=(28, 28))
    summary = sweep(subject, plan, tmp_path)
    assert set(summary.results["patch"]) == {"cosine", "random"}
    assert summary.model.name == "colpali"
    with pytest.raises(UserError, match="'attention' was asked for; expected some of cosine"):
        sweep(subject, Plan(("attention",), ("patch",), (2, 2), runs=1, size=(28, 28)), tmp_path / "other")


def test_it_loads_from_a_folder_and_others_are_refused(tmp_path: Path) -> None:
    tiny = retriever_of("colpali")
    tiny.model.save_pretrained(tmp_path / "m")
    tiny.processor.save_pretrained(tmp_path / "m")
    assert is_retriever(tmp_path / "m")
    loaded = load_retriever(tmp_path / "m")
    again = query_of(loaded, "dog").embeddings
    assert np.allclose(again, query_of(tiny, "dog").embeddings, atol=1e-5)
    assert not is_retriever(DEFAULT_MODEL)
    with pytest.raises(UserError, match="expected a retrieval model"):
        load_retriever(DEFAULT_MODEL)


@pytest.mark.parametrize("text", ["", "   ", "a <pad> dog"])
def test_bad_queries_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        query_of(retriever_of("colpali"), text)
