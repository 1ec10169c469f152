"""What the C library keeps of memory that was freed."""

from __future__ import annotations

import contextlib
import ctypes


def give_back_memory() -> None:
    """What the C library holds of memory that was freed goes back to the system, where the library is one that does that (glibc)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
