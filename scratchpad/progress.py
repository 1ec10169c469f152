"""How far a long computation is, and whether anyone still waits for it.

Whoever waits opens `listening`; whoever computes calls `step` now and then, and knows nothing of who listens. A listener
ends the computation by raising `Stopped`. What listens is bound to the thread of the computation, never global.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class Stopped(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True)
class Step:
    """One sign of life."""

    what: str  # "answering", "testing" ...
    done: int = 0
    of: int = 0  # 0: nobody knows
    text: str = ""  # of an answer, as far as it's written
    outer: bool = False  # of something whose parts have steps of their own, such as a set of questions


_listener: ContextVar[Callable[[Step], None] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Callable[[Step], None]) -> Iterator[None]:
    """Within, `step` calls `listener`, which may raise `Stopped`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def step(what: str, done: int = 0, of: int = 0, text: str = "", outer: bool = False) -> None:
    """Tells whoever listens, if anyone does.

    Raises:
        Stopped: it isn't wanted any more.
    """
    listener = _listener.get()
    if listener is not None:
        listener(Step(what, done, of, text, outer))


def heard() -> bool:
    """Whether anyone listens: for what costs something to tell."""
    return _listener.get() is not None
