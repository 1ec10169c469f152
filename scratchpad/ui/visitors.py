"""How much one visitor may ask of the server, and who may come in at all.

A visitor is an address: the connection's, or behind the owner's proxies the one that the outermost of them saw.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

import gradio as gr
from starlette.requests import Request

from scratchpad.errors import UserError

WINDOW = 60.0  # seconds
MAX_REMEMBERED = 10_000  # visitors


class Limit:
    """At most so many requests a minute from each visitor; 0 for no limit."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic):
        self.most, self.clock = most, clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, visitor: str) -> None:
        """Counts a request.

        Raises:
            UserError: it's one too many; says when the next may come.
        """
        if not self.most:
            return
        now = self.clock()
        with self._lock:
            times = self._seen.setdefault(visitor, deque())
            self._seen.move_to_end(visitor)
            while times and now - times[0] >= WINDOW:
                times.popleft()
            if len(times) >= self.most:
                wait = int(WINDOW - (now - times[0])) + 1
                raise UserError(f"This server takes {self.most} requests a minute from each visitor; ask again in {wait} s.")
            times.append(now)
            while len(self._seen) > MAX_REMEMBERED:
                self._seen.popitem(last=False)


def visitor(request: gr.Request | Request | None, proxies: int) -> str:
    """Who asks.

    Args:
        proxies: how many of the owner's own stand before the server; each adds the address it saw to X-Forwarded-For, and
            what a visitor wrote there before them counts for nothing.
    """
    if request is None:
        return ""
    headers = request.headers
    lines = headers.getlist("x-forwarded-for") if hasattr(headers, "getlist") else [headers.get("x-forwarded-for", "")]
    seen = [part.strip() for part in ",".join(lines).split(",") if part.strip()]  # a header may come in several lines
    return whose(seen[-proxies] if 0 < proxies <= len(seen) else str(getattr(request.client, "host", "")))


def whose(address: str) -> str:
    """An address as a visitor: of IPv6 the /64 that one line is given, of IPv4 itself, however it's written."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def logins(text: str | None) -> list[tuple[str, str]] | None:
    """Names and passwords from NAME:PASSWORD,NAME:PASSWORD; None where nobody needs one.

    Raises:
        UserError: it isn't of that form.
    """
    if not text:
        return None
    pairs = [pair.partition(":") for pair in text.split(",")]
    if not all(name.strip() and word for name, _, word in pairs):
        raise UserError("SCRATCHPAD_AUTH was given, but not as NAME:PASSWORD,NAME:PASSWORD.")
    return [(name.strip(), word) for name, _, word in pairs]
