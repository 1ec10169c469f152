"""The one error that is shown to people: a sentence that says what was given, what is expected and what to do."""

from __future__ import annotations


class UserError(ValueError):
    """Bad input. The page shows its text; the command line prints it and exits with code 2."""
