"""Text of visitors beside the question: bounded before a model reads it, because a model reads all that it's given."""

from __future__ import annotations

from scratchpad.errors import UserError

QUESTION = 20_000  # characters of a question, as a case holds them
MAX_CHARACTERS = 400  # characters of an expected answer or a query; how many tokens they make is bounded where they're made


def short(given: object, what: str) -> str | None:
    """A visitor's text, None where there is none.

    Raises:
        UserError: it's too long.
    """
    if not isinstance(given, str) or not given.strip():
        return None
    if len(given) > MAX_CHARACTERS:
        raise UserError(f"{what} of {len(given)} characters was given; at most {MAX_CHARACTERS} are read: shorten it.")
    return given


def question(given: object) -> str:
    """A visitor's question.

    Raises:
        UserError: it isn't text, or is too long.
    """
    if not isinstance(given, str):
        raise UserError("The question is text.")
    if len(given) > QUESTION:
        raise UserError(f"A question of {len(given)} characters was given; at most {QUESTION} are read: shorten it.")
    return given
