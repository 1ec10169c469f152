"""Code blocks of Markdown pages. In: a page. Out: its blocks in order, each with its language and why it isn't run, if so.

A block that a test can't run stands under a comment: <!-- not run: why -->
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCED = re.compile(r"^(?:<!-- not run: (?P<why>[^\n]+?) -->\n\n?)?```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One block; `line` is that of its fence, from 1."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All blocks of a page."""
    source = page.read_text()
    found = []
    for match in FENCED.finditer(source):
        line = source.count("\n", 0, match.start("language")) + 1
        found.append(Block(page, line, match["language"], match["text"], match["why"]))
    fences = len(re.findall(r"^ *```", source, re.M))
    assert fences == 2 * len(found), f"{page} has {fences} fences and {len(found)} blocks: one isn't closed, or is indented"
    return found
