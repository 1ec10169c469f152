"""saev's files of every schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import import_sae
from tests.sae.formats.formulas import D, assert_agrees, pre, taken, topk


def saev_file(path: Path, header: dict, state: dict[str, torch.Tensor]) -> None:
    with open(path, "wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        torch.save(state, file)


@pytest.mark.parametrize(
    ("header", "state", "said", "codes"),
    [
        ({"d_vit": D, "exp_factor": 2, "seed": 0}, {}, {}, lambda w, x: pre(w, x).relu()),
        ({"schema": 2, "cfg": {"activation": {"cls": "Relu", "params": {}}}}, {}, {}, lambda w, x: pre(w, x, False).relu()),
        ({"schema": 1, "cls": "TopK", "cfg": {"top_k": 5}}, {}, {"subtract": True}, lambda w, x: topk(pre(w, x), 5)),
        (
            {"schema": 4, "cfg": {"activation": {"cls": "BatchTopK", "params": {"top_k": 5}}}},
            {},
            {},
            lambda w, x: topk(pre(w, x, False), 5),
        ),
        (
            {"schema": 5, "cfg": {"activation": {"cls": "BatchTopK", "params": {"top_k": 5}}}},
            {"activation.threshold": torch.tensor(1.5)},
            {},
            lambda w, x: pre(w, x, False) * (pre(w, x, False) > 1.5),
        ),
    ],
)
def test_saev(four, x, tmp_path: Path, header, state, said, codes) -> None:
    saev_file(tmp_path / "sae.pt", header, four | state)
    assert_agrees(taken(tmp_path, "saev", tmp_path / "out", at=vision(7), **said), x, codes(four, x), four)


def test_saev_schema_1_was_written_both_ways(four, tmp_path: Path) -> None:
    saev_file(tmp_path / "sae.pt", {"schema": 1, "cls": "Relu", "cfg": {}}, four)
    with pytest.raises(UserError, match="whether b_dec is subtracted"):
        import_sae(tmp_path, "saev", tmp_path / "out", at=vision(7))
