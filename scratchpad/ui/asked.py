"""What a visitor asked last, kept in the session, and whether a page still shows it.

A session may be lost: the server was started again, or had too many. Every event carries the key of what its page shows; where
the session holds another question, nothing is run and nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scratchpad.errors import UserError

LOST = "The server no longer has what this page shows (it was started anew, or your session ended): press Ask again. Nothing was changed."
NOTHING = "Nothing was asked yet; ask a question about an image first."


@dataclass(frozen=True)
class Asked:
    """Pictures (files of the server's), prompt and choice of an analysis."""

    images: tuple[str, ...]
    prompt: str
    choice: str
    key: str  # see `envelope.key_of`


def shown(asked: Asked | None, event: dict[str, Any], opening: Asked | None = None) -> Asked:
    """What a page that sends an event shows.

    Args:
        opening: what every page opens on.

    Raises:
        UserError: nothing was asked, or the session holds another question.
    """
    key = event.get("key")
    for known in (asked, opening):
        if known is not None and known.key == key:
            return known
    raise UserError(NOTHING if asked is None and not key else LOST)
