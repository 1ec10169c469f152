"""A server that is killed and started again under pages that are still open: what they show is no longer known, and said so."""

from __future__ import annotations

import os
import signal

from tests.attack.hostile import event
from tests.attack.watched import Watched

AGAIN = b"ask the question again"


def opened(server: Watched) -> str:
    """What a page holds of what it shows: text that the server signed."""
    return str(next(c for c in server.config["components"] if c["props"].get("elem_id") == "sp-asked")["props"]["value"])


def killed(server: Watched) -> None:
    """With no time to write anything down."""
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()


def remembered(server: Watched, sealed: str) -> list[str]:
    """What is wrong with the answer to a page that keeps what another process signed."""
    line = next(c["id"] for c in server.config["components"] if c["props"].get("elem_id") == "sp-line-keep")
    keep = next(d["id"] for d in server.config["dependencies"] if [line, "select"] in d["targets"])
    said = event(server, keep, [sealed], {"key": "what the page shows", "title": "x", "tests": []})
    return [] if AGAIN in said else [f"restart: {said[-300:]!r}"]
