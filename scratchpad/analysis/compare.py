"""Two answers side by side: which tokens stayed, went and came."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from scratchpad.records import Token


def diff(before: Sequence[Token], after: Sequence[Token]) -> tuple[tuple[str, str], ...]:
    """(same | gone | new, text) in reading order, by token ids."""
    out: list[tuple[str, str]] = []
    matcher = SequenceMatcher(None, [t.id for t in before], [t.id for t in after], autojunk=False)
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            out += [("same", t.text) for t in before[a0:a1]]
        else:
            out += [("gone", t.text) for t in before[a0:a1]] + [("new", t.text) for t in after[b0:b1]]
    return tuple(out)
