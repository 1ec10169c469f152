"""What the page is told: a result as JSON text, bad input as a sentence, anything else as a sentence too and into the log."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping

from scratchpad.errors import UserError
from scratchpad.progress import Stopped

log = logging.getLogger(__name__)
WRONG = "Something went wrong; the page goes on working."


def answered(act: Callable[[], Mapping[str, object]], wrong: str = WRONG) -> str:
    """What `act` returns, or {"error": sentence}.

    Raises:
        Stopped: nobody waits for it any more.
    """
    try:
        return _marked(act())
    except UserError as error:
        return refusal(str(error))
    except Stopped:
        raise
    except Exception:
        log.exception("a request failed")
        return refusal(wrong)


def refusal(sentence: str) -> str:
    """Why there is no result."""
    return _marked({"error": sentence})


def _marked(value: Mapping[str, object]) -> str:
    """With a mark of its own: a page is woken by a value that differs from the last, and the same may be told twice."""
    return json.dumps({"nonce": secrets.token_hex(4)} | dict(value), allow_nan=False)
