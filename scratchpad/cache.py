"""What was computed before, bounded in number and in bytes; the longest unused goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import torch

T = TypeVar("T")


class Cache:
    """Values by key. Not locked: whoever computes holds the model's lock."""

    def __init__(self, entries: int, size: int):
        self.entries, self.size = entries, size  # at most so many, of so many bytes together
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made where it isn't known."""
        if key not in self._values:
            value = make()
            self._values[key] = value, size_of(value)
            self._trim()
        self._values.move_to_end(key)
        kept: T = self._values[key][0]
        return kept

    def put(self, key: Hashable, value: object) -> None:
        """Sets a value."""
        self._values[key] = value, size_of(value)
        self._values.move_to_end(key)
        self._trim()

    def get(self, key: Hashable) -> Any:
        """A value, or None."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self._values.values())

    def _trim(self) -> None:
        """The newest always stays."""
        while len(self._values) > 1 and (len(self._values) > self.entries or self.bytes > self.size):
            self._values.popitem(last=False)


def size_of(value: object) -> int:
    """Bytes of the arrays and tensors that a value holds."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(size_of(part) for part in value.values())
    if isinstance(value, list | tuple):
        return sum(size_of(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return sum(size_of(getattr(value, field.name)) for field in fields(value))
    return 0
