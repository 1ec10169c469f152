"""An edited run takes from the clean one what the edit can't change: same results, nothing computed twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from scratchpad.records.hookpoint import vision
from scratchpad.vlm import attention
from scratchpad.vlm.forcing import force
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import first_changed
from scratchpad.vlm.run import generate, run_and_keep
from tests.vlm.tiny import NAMES, prepared_of, vlm_of

# steps done tile by tile, two but for these: Qwen, GLM and Pixtral pack patches, Idefics hands its embedding a mask beside the tiles,
# Ovis has no module of its own for either
PACKED = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "glm4v", "glm4v_moe", "glm46v", "lighton_ocr", "mistral3")
EXPECTED = dict.fromkeys(PACKED, 0) | {"idefics3": 1, "smolvlm": 1, "ovis2": 0}


def last_patches(prepared: Prepared) -> list[int]:
    """The last two that aren't padding."""
    return np.flatnonzero(prepared.grid.token_patches.sum(0))[-2:].tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("below", [0, 1])
def test_what_an_edit_leaves_alone_is_reused(name: str, below: int) -> None:
    """The same answer and log-probabilities as computing everything anew, for a change of the last patches alone."""
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    at = vision(vlm.read_layer - below)
    found, known = run_and_keep(vlm, prepared, at, 4)
    deltas = torch.zeros(2, prepared.grid.patches, vlm.width)
    deltas[:, last_patches(prepared)] = 3 * torch.randn(2, 2, vlm.width, generator=torch.Generator().manual_seed(0))
    anew = force(vlm, prepared, found.answer_ids, at, deltas)
    again = force(vlm, prepared, found.answer_ids, at, deltas, known)
    np.testing.assert_allclose(again.logprobs, anew.logprobs, atol=1e-5)
    assert abs(anew.logprobs - force(vlm, prepared, found.answer_ids).logprobs).max() > 1e-4, "the change changes nothing"
    fresh, reused = (generate(vlm, prepared, 4, at, deltas[:1], one) for one in (None, known))
    assert fresh.ids == reused.ids
    np.testing.assert_allclose([t.logprob for t in fresh.tokens], [t.logprob for t in reused.tokens], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_as_likely_where_nothing_of_the_prompt_is_computed_again(name: str) -> None:
    """The run's own answer, another of another length, and one of a single token."""
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    made, clean = run_and_keep(vlm, prepared, vlm.read_point, 4)
    for ids in (made.answer_ids, (*made.answer_ids[::-1], made.answer_ids[0]), made.answer_ids[:1]):
        anew, again = (force(vlm, prepared, ids, clean=taken) for taken in (None, clean))
        np.testing.assert_allclose(again.logprobs, anew.logprobs, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_run_computes_no_block_and_no_position_before_its_change(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    at = vlm.read_point
    found, known = run_and_keep(vlm, prepared, at, 2)
    change = torch.zeros(1, prepared.grid.patches, vlm.width)
    change[0, last_patches(prepared)] = 3
    lengths: list[int] = []
    text: Any = vlm.adapter.language_model
    entered: list[int] = []
    inside = next(m for m in vlm.block(vision(0)).modules() if isinstance(m, torch.nn.Linear))
    handles = [
        text.layers[0].mlp.register_forward_pre_hook(lambda _m, a: lengths.append(a[0].shape[1])),
        inside.register_forward_pre_hook(lambda _m, _a: entered.append(1)),
    ]
    try:
        force(vlm, prepared, found.answer_ids, at, change, known)
    finally:
        for handle in handles:
            handle.remove()
    first = first_changed(vlm, prepared, at, change[0].ne(0).any(-1).numpy())
    begin = first if known.pairs else 0
    assert (known.pairs is None) == (name in ("gemma3", "llava_next")), "only their sliding windows are shorter than the prompt"
    assert lengths == [prepared.length + len(found.answer_ids) - 1 - begin]
    assert (first > prepared.image_positions[0]) == (vlm.adapter.sees_ahead == "nothing")
    assert not entered
    assert not [block for block in vlm.blocks if "forward" in block.__dict__]


@pytest.mark.parametrize("name", NAMES)
def test_tiles_that_stay_are_neither_embedded_nor_projected_again(name: str) -> None:
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    found, known = run_and_keep(vlm, prepared, vlm.read_point, 2)
    change = torch.zeros(2, prepared.grid.patches, vlm.width)
    change[1, last_patches(prepared)] = 3  # the first counterfactual changes nothing
    steps = vlm.adapter.steps
    rows: dict[int, list[int]] = {i: [] for i in known.steps}
    handles = [
        next(m for m in steps[i].modules() if not list(m.children())).register_forward_pre_hook(
            lambda _m, a, i=i: rows[i].append(a[0].shape[0])
        )
        for i in known.steps
    ]
    try:
        force(vlm, prepared, found.answer_ids, vlm.read_point, change, known)
    finally:
        for handle in handles:
            handle.remove()
    assert len(known.steps) == EXPECTED.get(name, 2)
    assert all(after == [1] if steps[i] is steps[-1] else after == [] for i, after in rows.items()), rows
    assert not [step for step in steps if "forward" in step.__dict__]


@pytest.mark.parametrize("name", NAMES)
def test_attention_in_blocks_is_attention(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few rows, so that the tiny models have several: the same log-probabilities, edited and upon kept keys."""
    vlm = vlm_of(name)
    prepared = prepared_of(vlm)
    found, known = run_and_keep(vlm, prepared, vlm.read_point, 4)
    deltas = torch.zeros(2, prepared.grid.patches, vlm.width)
    deltas[:, last_patches(prepared)] = 3 * torch.randn(2, 2, vlm.width, generator=torch.Generator().manual_seed(0))
    whole = force(vlm, prepared, found.answer_ids, vlm.read_point, deltas, known)
    monkeypatch.setattr(attention, "BLOCK", 2)
    blocks = force(vlm, prepared, found.answer_ids, vlm.read_point, deltas, known)
    np.testing.assert_allclose(blocks.logprobs, whole.logprobs, atol=1e-5)
