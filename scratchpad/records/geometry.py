"""How a `Grid` travels: sizes, tiles, and the token-to-patch matrix row by row (CSR). The geometry itself is `scratchpad.grid`'s."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, model_validator
from pydantic_core import core_schema
from scipy import sparse

from scratchpad.grid import Grid, Tile
from scratchpad.records.codec import F4, I4, Count, dump, loads, record

Side = Annotated[int, Field(ge=1, le=100_000)]  # px
Across = Annotated[int, Field(ge=1, le=4096)]  # patches


@record
class PackedTile:
    """As `scratchpad.grid.Tile`."""

    box: tuple[float, float, float, float]
    rows: Across
    cols: Across
    image: Count = 0


@record
class PackedGrid:
    """As `scratchpad.grid.Grid`; `starts`, `patches` and `shares` are its matrix's indptr, indices and data."""

    sizes: Annotated[tuple[tuple[Side, Side], ...], Field(min_length=1, max_length=16)]
    tiles: Annotated[tuple[PackedTile, ...], Field(min_length=1, max_length=4096)]
    starts: Annotated[Int[np.ndarray, " rows"], I4]
    patches: Annotated[Int[np.ndarray, " n"], I4]
    shares: Annotated[Float[np.ndarray, " n"], F4]

    @model_validator(mode="after")
    def _whole(self) -> PackedGrid:
        count = sum(tile.rows * tile.cols for tile in self.tiles)
        if any(tile.image >= len(self.sizes) for tile in self.tiles):
            raise ValueError("a tile is of a picture that isn't there")
        if len(self.starts) < 1 or self.starts[0] != 0 or (np.diff(self.starts) < 0).any() or self.starts[-1] != len(self.patches):
            raise ValueError("the token-to-patch matrix has rows that don't fit its entries")
        if len(self.shares) != len(self.patches) or not ((self.patches >= 0) & (self.patches < count)).all():
            raise ValueError(f"the token-to-patch matrix names patches beyond {count}")
        sums = np.bincount(np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts)), self.shares, len(self.starts) - 1)
        if not np.all(np.isclose(sums, 1, atol=1e-3) | np.isclose(sums, 0)):
            raise ValueError("the token-to-patch matrix has rows that don't sum to 1")
        return self


class GridField:
    """Stands in the annotation of a field that holds a `Grid`."""

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(pack, when_used="json")
        return core_schema.no_info_plain_validator_function(read, serialization=write)

    def __get_pydantic_json_schema__(self, core: object, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return handler(TypeAdapter(PackedGrid).core_schema)


def pack(grid: Grid) -> dict[str, object]:
    """A grid as JSON's plain values."""
    matrix = grid.token_patches
    return dump(
        PackedGrid(
            sizes=tuple((int(h), int(w)) for h, w in grid.sizes),
            tiles=tuple(PackedTile(tuple(map(float, t.box)), int(t.rows), int(t.cols), int(t.image)) for t in grid.tiles),  # type: ignore[arg-type]
            starts=matrix.indptr.astype(np.int32),
            patches=matrix.indices.astype(np.int32),
            shares=matrix.data.astype(np.float32),
        )
    )


def read(value: object) -> Grid:
    """The grid itself, or what `pack` made of one.

    Raises:
        ValueError: it's neither.
    """
    if isinstance(value, Grid):
        return value
    packed = loads(PackedGrid, json.dumps(value))
    tiles = tuple(Tile(t.box, t.rows, t.cols, t.image) for t in packed.tiles)
    shape = (len(packed.starts) - 1, sum(tile.patches for tile in tiles))
    return Grid(packed.sizes, tiles, sparse.csr_matrix((packed.shares, packed.patches, packed.starts), shape=shape))
