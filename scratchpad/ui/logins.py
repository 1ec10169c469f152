"""Names and passwords: compared in constant time, guesses slowed down per address and per name, refusals logged."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from scratchpad.errors import UserError

V = TypeVar("V")
log = logging.getLogger(__name__)
FREE = 5  # wrong passwords from an address before it waits
FREE_OF_NAME = 20  # for a name, from anywhere
MAX_WAIT = 300.0  # seconds that an address waits; it doubles with each wrong password
MAX_WAIT_OF_NAME = 10.0  # whoever came in from an address before never waits for a name, so nobody can be locked out
MAX_REMEMBERED = 10_000  # addresses and names


class Logins:
    """Who may come in. Knows nothing of requests."""

    def __init__(self, pairs: Sequence[tuple[str, str]], clock: Callable[[], float] = time.monotonic):
        self.pairs, self.clock = [(name.encode(), word.encode()) for name, word in pairs], clock
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()  # (kind, who) -> how many, until when
        self._welcome: OrderedDict[tuple[str, str], None] = OrderedDict()  # (address, name) that came in
        self._lock = threading.Lock()

    def right(self, name: str, password: str) -> bool:
        """Whether they belong together; every pair is compared, whatever comes of it."""
        hits = [hmac.compare_digest(name.encode(), n) & hmac.compare_digest(password.encode(), w) for n, w in self.pairs]
        return any(hits)

    def attempt(self, address: str, name: str, password: str) -> bool:
        """A guess, counted.

        Raises:
            UserError: the address, or the name, has to wait; nothing was compared.
        """
        with self._lock:
            now = self.clock()
            keys = [("address", address)] + ([] if (address, name) in self._welcome else [("name", name)])
            wait = max(self._failures.get(key, (0, 0.0))[1] - now for key in keys)
            if wait > 0:
                log.warning("login of %r from %s refused: too many wrong passwords", name[:80], address)
                raise UserError(f"Too many wrong passwords; try again in {int(wait) + 1} s.")
            good = self.right(name, password)
            if good:
                self._failures.pop(("address", address), None)
                self._put(self._welcome, (address, name), None)
                return True
            for kind, who in (("address", address), ("name", name)):
                count = self._failures.get((kind, who), (0, 0.0))[0] + 1
                free, longest = (FREE, MAX_WAIT) if kind == "address" else (FREE_OF_NAME, MAX_WAIT_OF_NAME)
                pause = min(longest, 2.0 ** min(30, count - free)) if count >= free else 0.0
                self._put(self._failures, (kind, who), (count, now + pause))
            log.warning("wrong password for %r from %s (%d in a row)", name[:80], address, self._failures["address", address][0])
            return False

    @staticmethod
    def _put(table: OrderedDict[tuple[str, str], V], key: tuple[str, str], value: V) -> None:
        table[key] = value
        table.move_to_end(key)
        while len(table) > MAX_REMEMBERED:
            table.popitem(last=False)


def basic(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header, if it's of that kind."""
    scheme, _, code = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, word = base64.b64decode(code.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, word) if colon else None
