"""The cases that ship with the code, and the store that the setting names: looked into in this order."""

from __future__ import annotations

from pathlib import Path

from scratchpad.cases.bundle import Bundle
from scratchpad.cases.store import Store
from scratchpad.workbench import HOME

SHIPPED = HOME / "examples" / "cases"


def stores(place: str | Path | None = None, token: str | None = None) -> list[Store]:
    """The shipped cases, which can only be read, then the store that is written to, with the owner's hub token if it's on the hub."""
    return [Store(SHIPPED, writable=False), Store(place, token=token)]


def find(shelf: list[Store], case: str) -> Bundle:
    """A case by its id, from the first store that has it.

    Raises:
        UserError: none of them has it, or it was damaged.
    """
    for store in shelf[:-1]:
        if store.has(case):
            return store.get(case)
    return shelf[-1].get(case)
