"""The one reader of what comes from outside: plain JSON values become a record, or one sentence says what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from scratchpad.errors import UserError
from scratchpad.records.codec import loads

R = TypeVar("R")
MOST = 1024  # numbers of a range


def read(kind: type[R], value: object, what: str) -> R:
    """A record from plain values.

    Args:
        what: how the sentence calls it, for example "the edit".

    Raises:
        UserError: it isn't of its form.
    """
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{what[0].upper()}{what[1:]} isn't made of plain numbers and text; expected JSON as the docs show it.") from error
    return checked(lambda: loads(kind, text), what)


def written(kind: type[R], path: Path) -> R | None:
    """A record that an earlier run wrote; None where there is none or it's damaged, so that it's made anew."""
    try:
        return loads(kind, path.read_bytes())
    except (OSError, ValidationError):
        return None


def checked(make: Callable[[], R], what: str) -> R:
    """What `make` returns, a record's refusal as one sentence.

    Raises:
        UserError: a value isn't of its form.
    """
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("function-", "nullable")))[:80]
        given = f", given was {str(first['input'])[:40]!r}" if isinstance(first["input"], int | float | str) else ""
        raise UserError(f"{what[0].upper()}{what[1:]} can't be used: {place or 'it'}: {_said(first['msg'])}{given}.") from error


def numbers(text: str, what: str) -> tuple[int, ...]:
    """Whole numbers from text such as 0,3 or 2-5, each once.

    Args:
        what: how the sentence calls it, for example "--attention-layers".

    Raises:
        UserError: it isn't of that form, or names more than MOST of them.
    """
    try:
        spans = [[int(end) for end in part.split("-", 1)] for part in text.split(",")]
        if any(span[-1] - span[0] >= MOST for span in spans):
            raise ValueError
        return tuple(dict.fromkeys(n for span in spans for n in range(span[0], span[-1] + 1)))
    except ValueError as error:
        raise UserError(f"{what} was {text[:40]!r}; expected numbers or ranges with commas, for example 0,3 or 2-5.") from error


def _said(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")[:160].rstrip(".")
