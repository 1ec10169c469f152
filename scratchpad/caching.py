"""What is remembered, bounded in bytes: what was used longest ago goes first."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel
from scipy import sparse

T = TypeVar("T")


class Cache(Generic[T]):
    """At most so many bytes of values, and at most `count` of them."""

    def __init__(self, most: int, count: int = 1_000_000):
        self.most, self.count, self.held = most, count, 0
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def find(self, key: Hashable) -> T | None:
        """The value, which counts as used now; None where it isn't there."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: T) -> None:
        """One that is larger than all that may be held isn't kept."""
        size = nbytes(value) + nbytes(key)
        with self._lock:
            if key in self._values:
                self.held -= self._values.pop(key)[1]
            if size > self.most:
                return
            self._values[key] = value, size
            self.held += size
            while self.held > self.most or len(self._values) > self.count:
                self.held -= self._values.popitem(last=False)[1][1]

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value, made if it isn't there."""
        value = self.find(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value


def nbytes(value: object, seen: set[int] | None = None) -> int:
    """Bytes that a value keeps in memory: arrays, tensors (of any device), pictures, texts, and what holds them; each object once."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        base = value.base
        return nbytes(base, seen) if isinstance(base, np.ndarray) else int(value.nbytes)
    if isinstance(value, torch.Tensor):
        return int(value.untyped_storage().nbytes())
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    if sparse.issparse(value):
        return sum(nbytes(getattr(value, part), seen) for part in ("data", "indices", "indptr") if hasattr(value, part))
    own = sys.getsizeof(value)
    if isinstance(value, Mapping):
        return own + sum(nbytes(k, seen) + nbytes(v, seen) for k, v in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return own + sum(nbytes(item, seen) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return own + sum(nbytes(getattr(value, field.name, None), seen) for field in fields(value))
    if isinstance(value, BaseModel):
        return own + nbytes(value.__dict__, seen)
    return own + (nbytes(vars(value), seen) if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value) else 0)
