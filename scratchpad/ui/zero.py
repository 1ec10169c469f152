"""ZeroGPU, a Space whose accelerator is lent for the length of a call. Anywhere else this changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def lent() -> bool:
    """Whether the page runs where an accelerator is lent per call."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true", "t")


def on_gpu(function: Callable[P, R]) -> Callable[P, R]:
    """The function, asking for the accelerator while it runs where that's lent."""
    if not lent():
        return function
    import spaces  # the platform brings it

    wrapped: Callable[P, R] = spaces.GPU(function)
    return wrapped
