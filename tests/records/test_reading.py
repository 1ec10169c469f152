"""Numbers as people write them."""

from __future__ import annotations

import pytest

from scratchpad.errors import UserError
from scratchpad.records.reading import numbers


def test_ranges_and_numbers_each_once() -> None:
    assert numbers("0,3", "it") == (0, 3)
    assert numbers("2-5, 4,7", "it") == (2, 3, 4, 5, 7)
    assert numbers("5-3", "it") == ()


@pytest.mark.parametrize("text", ["", "x", "1,,2", "-1", "0-99999999999"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="expected numbers or ranges"):
        numbers(text, "--attention-heads")
