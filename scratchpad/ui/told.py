"""What the page is told: a result as JSON text, bad input as a sentence, anything else as a sentence too and into the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from scratchpad.errors import UserError
from scratchpad.progress import Stopped

log = logging.getLogger(__name__)
WRONG = "Something went wrong; the page goes on working."


def told(act: Callable[[], dict[str, Any]], wrong: str = WRONG) -> str:
    """What `act` returns, or {"error": sentence}.

    Raises:
        Stopped: nobody waits for it any more.
    """
    try:
        return json.dumps(act())
    except UserError as error:
        return json.dumps({"error": str(error)})
    except Stopped:
        raise
    except Exception:
        log.exception("a request failed")
        return json.dumps({"error": wrong})
