"""The one codec: a record as JSON and back, its arrays packed.

Every record is a strict, frozen pydantic dataclass: fields that aren't declared, text where a number belongs, arrays of
another shape or type, and numbers that aren't finite are refused as a whole, whether a stage made the record or a stranger
sent it. An array travels as {"dtype", "shape", "data"}: little-endian bytes in base64. Working arrays, which later stages
compute from and nobody looks at, are declared `WORKING` and stay in the process: a record that was read back has None there.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, TypedDict, TypeVar, cast, dataclass_transform

import numpy as np
import pydantic
from pydantic import ConfigDict, Field, GetCoreSchemaHandler, StringConstraints, TypeAdapter
from pydantic_core import core_schema

T = TypeVar("T")
R = TypeVar("R")
CONFIG = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)
MAX_ENTRIES = 64 * 2**20  # of one array


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def record(cls: type[T]) -> type[T]:
    """Makes a class a record."""
    return cast(type[T], pydantic.dataclasses.dataclass(cls, frozen=True, config=CONFIG))


Count = Annotated[int, Field(ge=0, lt=2**31)]
Text = Annotated[str, StringConstraints(max_length=20_000)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


class PackedArray(TypedDict):
    """An array in JSON."""

    dtype: str  # such as f4: kind and bytes of an entry, little-endian
    shape: list[int]
    data: str  # base64


@dataclass(frozen=True)
class Packed:
    """How an array field travels; stands in its annotation, behind the jaxtyping shape."""

    dtype: str  # numpy's name, little-endian

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(self.pack, when_used="json")
        return core_schema.no_info_plain_validator_function(lambda value: self.read(value, source), serialization=write)

    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, object]:
        kind = np.dtype(self.dtype).str.lstrip("<|")
        whole = {"type": "array", "items": {"type": "integer"}}
        properties = {"dtype": {"const": kind}, "shape": whole, "data": {"type": "string", "description": "little-endian bytes in base64"}}
        return {"type": "object", "properties": properties, "required": list(properties)}

    def read(self, value: object, source: type) -> np.ndarray:
        """The array itself, or what `pack` made of one.

        Raises:
            ValueError: it's neither, or of another shape or type than `source`, its annotation.
        """
        array = self.unpack(value) if isinstance(value, dict) else value
        if not isinstance(array, np.ndarray) or not isinstance(array, source):
            shape = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f"expected an array {source.__name__}, got {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError("an array has entries that aren't finite")
        return array

    def pack(self, array: np.ndarray) -> PackedArray:
        """The array as JSON carries it."""
        kind = np.dtype(self.dtype)
        data = base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()
        return {"dtype": kind.str.lstrip("<|"), "shape": list(array.shape), "data": data}

    def unpack(self, value: Mapping[str, object]) -> np.ndarray:
        """What `pack` made of an array, which is a copy.

        Raises:
            ValueError: it isn't of that form, or has more than MAX_ENTRIES entries.
        """
        kind = np.dtype(self.dtype)
        if set(value) != {"dtype", "shape", "data"} or value["dtype"] != kind.str.lstrip("<|"):
            raise ValueError(f"expected an array packed as {kind.str.lstrip('<|')}")
        shape, data = value["shape"], value["data"]
        if not isinstance(shape, list) or not isinstance(data, str) or len(shape) > 4:
            raise ValueError("a packed array has a shape and its data")
        if not all(type(n) is int and 0 <= n <= MAX_ENTRIES for n in shape) or np.prod([float(n) for n in shape]) > MAX_ENTRIES:
            raise ValueError(f"an array of shape {shape} is too large")
        try:
            raw = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("a packed array's data isn't base64") from error
        if len(raw) != int(np.prod(shape, dtype=np.int64)) * kind.itemsize:
            raise ValueError(f"a packed array of shape {shape} has {len(raw)} bytes")
        return np.frombuffer(raw, kind).reshape(shape).astype(kind.newbyteorder("="))


F4, I4, U1 = Packed("<f4"), Packed("<i4"), Packed("|u1")


WORKING = Field(default=None, exclude=True)  # of a working field, in its annotation
UNSAID = Field(exclude_if=lambda value: value is None)  # of a field younger than format 2 of cases: None isn't written, so ids stay


@dataclass(frozen=True)
class Bytes:
    """Bytes that travel as base64."""

    most: int

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(lambda value: base64.b64encode(value).decode(), when_used="json")
        return core_schema.no_info_plain_validator_function(self.read, serialization=write)

    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, object]:
        return {"type": "string", "description": "bytes in base64"}

    def read(self, value: object) -> bytes:
        """The bytes themselves, or their base64.

        Raises:
            ValueError: it's neither, or there are more than `most`.
        """
        if isinstance(value, str):
            if len(value) > self.most * 4 // 3 + 4:
                raise ValueError(f"more than {self.most} bytes")
            try:
                value = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError) as error:
                raise ValueError("expected base64") from error
        if not isinstance(value, bytes) or len(value) > self.most:
            raise ValueError(f"expected at most {self.most} bytes")
        return value


def dump(value: object) -> dict[str, Any]:
    """A record as what `json.dumps` takes: the object that page, command line, endpoints and cases carry."""
    return json.loads(dumps(value))  # type: ignore[no-any-return]


def dumps(value: object) -> str:
    """A record as JSON text."""
    return _adapter(cast(Hashable, type(value))).dump_json(value).decode()


def schema(kind: object) -> dict[str, object]:
    """The JSON Schema of what `dump` makes of a record of a kind."""
    return _adapter(kind).json_schema(mode="serialization")


def loads(kind: type[R], text: str | bytes) -> R:
    """A record from JSON text.

    Raises:
        pydantic.ValidationError: it isn't one; says where.
    """
    return cast(R, _adapter(cast(Hashable, kind)).validate_json(text))


@lru_cache(maxsize=64)
def _adapter(kind: Hashable) -> TypeAdapter[object]:
    return TypeAdapter(kind)
