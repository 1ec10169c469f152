"""Records are the schema: what goes out comes back the same, anything else is refused, and one object is carried everywhere."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from scratchpad.errors import UserError
from scratchpad.records import Analysis, Codes, Edit, LatentEdit, Test, dump, dumps, loads
from scratchpad.records.codec import F4, I4
from scratchpad.records.edit import ablation
from scratchpad.records.reading import read
from scratchpad.ui.envelope import live
from scratchpad.workbench import Workbench

WORKING = {"activations", "queries", "attention", "pixels"}  # stay in the process
UNSAID = {"attention_heads", "place", "spoken"}  # left out where they are None: kept cases are older


def names(value: Any) -> set[str]:
    """Field names of a record, those that stay in the process left out."""
    return {field.name for field in fields(value) if field.name not in UNSAID or getattr(value, field.name) is not None} - WORKING


def agree(record: Any, carried: Any) -> None:
    """Every field of a record, and of records in it, and no other is carried."""
    if hasattr(record, "__dataclass_fields__") and isinstance(carried, dict) and "sizes" not in carried:
        assert set(carried) == names(record), type(record).__name__
        for name in names(record):
            agree(getattr(record, name), carried[name])
    elif isinstance(record, tuple) and record and hasattr(record[0], "__dataclass_fields__"):
        agree(record[0], carried[0])


def test_page_command_line_endpoints_and_case_carry_the_records_own_fields(bench: Workbench, analysis: Analysis) -> None:
    page = live(analysis, "", None, None)["analysis"]
    assert page == dump(analysis)  # what `--json` prints and `/analyze` returns
    agree(analysis, page)
    test = bench.test(analysis, ablation([analysis.latents[0].id]))
    agree(test, dump(test))


def test_what_goes_out_comes_back(bench: Workbench, analysis: Analysis) -> None:
    for record in (bench.suggest(analysis), bench.test(analysis, ablation([analysis.latents[0].id]))):
        text = dumps(record)
        assert dumps(loads(type(record), text)) == text


def test_no_record_holds_a_tensor_or_can_be_changed(analysis: Analysis) -> None:
    import torch

    def walk(value: Any) -> None:
        assert not isinstance(value, torch.Tensor | torch.nn.Module)
        for part in (getattr(value, name) for name in getattr(value, "__dataclass_fields__", ())):
            walk(part)
        for part in value if isinstance(value, tuple | list) else ():
            walk(part)

    walk(analysis)
    with pytest.raises(FrozenInstanceError):
        analysis.latents[0].name = "cat"  # type: ignore[misc]


@pytest.mark.parametrize("array", [np.zeros((3, 4), np.float32), np.zeros((0, 4), np.float32), np.array([[1.5]], np.float32)])
def test_arrays_travel_exactly(array: np.ndarray) -> None:
    np.testing.assert_array_equal(F4.unpack(json.loads(json.dumps(F4.pack(array)))), array)


@pytest.mark.parametrize(
    "change",
    [{"dtype": "f8"}, {"shape": [2, 3]}, {"shape": [-1]}, {"shape": [True]}, {"shape": "x"}, {"data": "???"}, {"data": 3}, {"more": 1}],
)
def test_arrays_that_are_none_are_refused(change: dict[str, Any]) -> None:
    packed = I4.pack(np.arange(4).reshape(2, 2)) | change
    with pytest.raises(ValueError, match=r"array|base64"):
        I4.unpack(packed)


def test_a_record_refuses_what_its_fields_do_not_say() -> None:
    indices = np.zeros((2, 3), np.int32)
    for values in (np.zeros((2, 4), np.float32), np.zeros(6, np.float32), np.full((2, 3), np.inf, np.float32), "x", None):
        with pytest.raises(ValidationError):
            Codes("sae", 8, values, indices)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Codes("sae", 8, np.zeros((2, 3), np.float32), indices + 8)


@pytest.mark.parametrize(
    "given", [None, [], {"items": 1}, {"items": [{}]}, {"items": [], "also": 1}, {"keep_error": "yes"}, float("nan"), {1: 2}]
)
def test_what_is_no_edit_is_one_sentence(given: Any) -> None:
    with pytest.raises(UserError, match="The edit") as refused:
        read(Edit, given, "the edit")
    assert "\n" not in str(refused.value)


def test_an_edit_is_read_as_it_was_written() -> None:
    edit = Edit((LatentEdit(3, "add", 1.5, (0.0, 1.0, 2.0, 3.0), 1),), keep_error=False)
    assert read(Edit, dump(edit), "the edit") == edit


def test_a_test_is_not_collected() -> None:
    assert Test.__test__ is False
