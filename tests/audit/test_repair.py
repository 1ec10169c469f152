"""An edit that doesn't hold on the rows that it is judged on is no repair."""

from __future__ import annotations

import pytest

from scratchpad.audit.group import rate
from scratchpad.audit.repair import MATCHED, held
from scratchpad.records import ModelRef, SaeRef, ablation
from scratchpad.records.audit import Judged, Repair, Repaired

REPAIR = Repair(1, "a title", ModelRef("m", "0" * 16), SaeRef("s", "1" * 16, 5, 8), ablation([3]))


@pytest.mark.parametrize(("own", "random", "stands"), [(8, 0, True), (3, 0, False), (8, 8, False), (5, 4, True)])
def test_an_edit_must_hold(own: int, random: int, stands: bool) -> None:
    judged = [
        Judged(name, rate(hits, 10), rate(1, 100), rate(2, 100)) for name, hits in (("without x", own), (f"{MATCHED}, 3 sets", random))
    ]
    repaired = held(Repaired("it repairs", REPAIR, 10, 13, tuple(judged)))
    assert (repaired.repair is not None) is stands
    assert stands or f"repairs {own} of 10 rows" in repaired.sentence
    assert stands or "breaks 1 of 100" in repaired.sentence
