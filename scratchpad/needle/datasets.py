"""Haystacks: images of H x W cells, one of them the needle, every cell made of whole image tokens of the tested model.

In: what to draw, on how many cells of which size. Out: pictures; the same seed gives the same bytes. `aligned` asks the
model's own grid whether cells and tokens agree. Reference section 3: patch, single-word, multi-words, text; and symbols.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.needle import symbols
from scratchpad.records.sweep import DATASETS

__all__ = ["DATASETS", "Haystack", "aligned", "cells_of", "check_letters", "draw", "every_position", "font_file", "nearest_aligned"]

FONTS = ("DejaVuSans-Bold.ttf", "DejaVuSans.ttf", "LiberationSans-Bold.ttf", "Arial.ttf", "NotoSans-Regular.ttf")
LOREM = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "incididunt",
    "ut",
    "labore",
    "et",
    "dolore",
    "magna",
    "aliqua",
    "ut",
    "enim",
    "ad",
    "minim",
    "veniam",
    "quis",
    "nostrud",
    "exercitation",
    "ullamco",
    "laboris",
    "nisi",
    "ut",
    "aliquip",
    "ex",
    "ea",
    "commodo",
    "consequat",
]
LEAST = 7  # px of text height below which nothing can be read

Cell = tuple[int, int]  # (row, col)


@dataclass(frozen=True)
class Haystack:
    """One image to be drawn."""

    dataset: str
    cells: tuple[int, int]  # H, W
    size: tuple[int, int]  # h, w in pixels
    at: Cell | None  # the needle; None: the control without one
    needle: str = "Black"
    distractor: str = "White"
    ink: tuple[int, int, int] = (0, 0, 0)
    paper: tuple[int, int, int] = (255, 255, 255)
    small: bool = False  # the needle at half its size
    font: str | None = None  # path; by default the first of FONTS that the system has
    seed: int = 0

    @property
    def cell(self) -> tuple[float, float]:
        """Height and width of a cell in pixels."""
        return self.size[0] / self.cells[0], self.size[1] / self.cells[1]

    def box(self, cell: Cell) -> tuple[int, int, int, int]:
        """(y0, x0, y1, x1) of a cell."""
        h, w = self.cell
        return round(cell[0] * h), round(cell[1] * w), round((cell[0] + 1) * h), round((cell[1] + 1) * w)


def every_position(base: Haystack) -> Iterator[Haystack]:
    """The needle planted in each cell, row by row."""
    for row in range(base.cells[0]):
        for col in range(base.cells[1]):
            yield replace(base, at=(row, col))


def draw(stack: Haystack) -> Image.Image:
    """The picture, RGB; the same stack gives the same pixels.

    Raises:
        UserError: an unknown data set, a negative seed, no font, a word too long for its cell, or a letter that the font lacks.
    """
    if stack.dataset not in DATASETS:
        raise UserError(f"The data set {stack.dataset!r} was asked for; expected one of {', '.join(DATASETS)}.")
    if stack.seed < 0:
        raise UserError(f"The seed {stack.seed} was given; expected 0 or more.")
    picture = Image.new("RGB", (stack.size[1], stack.size[0]), stack.paper)
    pen = ImageDraw.Draw(picture)
    rng = np.random.default_rng([stack.seed, DATASETS.index(stack.dataset)])
    scale = float(rng.uniform(0.85, 1.0))
    if stack.dataset == "text":
        _run_text(pen, stack, rng, scale)
    if stack.dataset == "symbols":
        _symbols(picture, stack, rng, scale)
        return picture
    for row in range(stack.cells[0]):
        for col in range(stack.cells[1]):
            cell, here = (row, col), (row, col) == stack.at
            nudge = rng.uniform(-0.5, 0.5, 2)  # drawn for every cell alike, so that only the needle moves
            if stack.dataset == "patch":
                if here:
                    pen.rectangle(_square(stack, cell), fill=stack.ink)
                continue
            if stack.dataset == "text":
                if here:
                    _into_line(pen, stack, cell, scale)
                continue
            word = stack.needle if here else stack.distractor if stack.dataset == "multi-words" else ""
            if word:
                _write(pen, stack, cell, word, scale * (0.5 if here and stack.small else 1.0), nudge)
    return picture


def _symbols(picture: Image.Image, stack: Haystack, rng: np.random.Generator, scale: float) -> None:
    """The needle among a few others."""
    for cell, name in (symbols.others(stack.needle, stack.cells, rng) | ({stack.at: stack.needle} if stack.at else {})).items():
        symbols.put(picture, name, stack.box(cell), scale * (0.5 if stack.small and cell == stack.at else 1.0))


def _run_text(pen: ImageDraw.ImageDraw, stack: Haystack, rng: np.random.Generator, scale: float) -> None:
    """Lorem ipsum from edge to edge, a line for every row of cells."""
    font, baseline = _line(stack, scale)
    n = int(rng.integers(len(LOREM)))
    for row in range(stack.cells[0]):
        words: list[str] = []
        while font.getlength(" ".join(words)) < stack.size[1]:
            words.append(LOREM[n % len(LOREM)])
            n += 1
        pen.text((1, row * stack.cell[0] + baseline), " ".join(words), font=font, fill=stack.ink, anchor="ls")


def _into_line(pen: ImageDraw.ImageDraw, stack: Haystack, cell: Cell, scale: float) -> None:
    """The needle over its cell of the running text: on the line and of its size, so that nothing but the word tells it apart."""
    y0, x0, y1, x1 = stack.box(cell)
    font, baseline = _line(stack, scale * (0.5 if stack.small else 1.0))
    pen.rectangle((x0, y0, x1 - 1, y1 - 1), fill=stack.paper)
    free = x1 - x0 - font.getlength(stack.needle)
    pen.text((x0 + max(0.0, free) / 2, cell[0] * stack.cell[0] + baseline), stack.needle, font=font, fill=stack.ink, anchor="ls")


def _line(stack: Haystack, scale: float) -> tuple[ImageFont.FreeTypeFont, float]:
    """The font of the running text, and how far below a row's top its line stands."""
    h, w = stack.cell
    font = _fitting(stack.font, max(stack.needle, stack.distractor, key=len), round(w) - 2, round(h) - 2, scale)
    _, top, _, bottom = font.getbbox("lp", anchor="ls")
    return font, (h - (bottom - top)) / 2 - top


def _square(stack: Haystack, cell: Cell) -> tuple[int, int, int, int]:
    y0, x0, y1, x1 = stack.box(cell)
    if stack.small:
        y0, y1 = y0 + (y1 - y0) // 4, y1 - (y1 - y0) // 4
        x0, x1 = x0 + (x1 - x0) // 4, x1 - (x1 - x0) // 4
    return x0, y0, x1 - 1, y1 - 1


def _write(pen: ImageDraw.ImageDraw, stack: Haystack, cell: Cell, word: str, scale: float, nudge: np.ndarray) -> None:
    y0, x0, y1, x1 = stack.box(cell)
    longest = max(stack.needle, stack.distractor, key=len)
    font = _fitting(stack.font, longest, x1 - x0 - 2, y1 - y0 - 2, scale)
    left, top, right, bottom = pen.textbbox((0, 0), word, font=font)
    free = np.array([y1 - y0 - (bottom - top), x1 - x0 - (right - left)])
    if free.min() < 0:
        need = int(np.ceil(max(right - left, bottom - top))) + 2
        raise UserError(f"{word!r} doesn't fit its cell of {y1 - y0} x {x1 - x0} pixels; the smallest that holds it is {need} wide.")
    dy, dx = free / 2 + nudge * np.minimum(free, 4)
    pen.text((x0 + dx - left, y0 + dy - top), word, font=font, fill=stack.ink)


@lru_cache(maxsize=256)
def _fitting(path: str | None, word: str, width: int, height: int, scale: float) -> ImageFont.FreeTypeFont:
    """The largest size at which the longest word fits, times `scale`."""
    size = height
    while size > LEAST:
        left, top, right, bottom = _font(path, size).getbbox(word)
        if right - left <= width and bottom - top <= height:
            break
        size -= 1
    if size <= LEAST:
        left, top, right, bottom = _font(path, LEAST).getbbox(word)
        raise UserError(
            f"{word!r} is too long for a cell of {height + 2} x {width + 2} pixels; the smallest that holds it is "
            f"{int(bottom - top) + 3} x {int(right - left) + 3}: use fewer cells or a shorter word."
        )
    return _font(path, max(LEAST, round(size * scale)))


@lru_cache(maxsize=64)
def _font(path: str | None, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_file(path), size)


@lru_cache(maxsize=8)
def font_file(path: str | None) -> str:
    """The font's file: the one given, or the first of FONTS on this system.

    Raises:
        UserError: there is none.
    """
    for name in (path,) if path else FONTS:
        try:
            return str(ImageFont.truetype(name, 12).path)
        except OSError:
            continue
    raise UserError(f"The font {path or FONTS[0]} was not found; give the path of a TrueType file with --font.")


def check_letters(word: str, path: str | None) -> None:
    """Checks that a font, by default the first there is, draws every letter of a word.

    Raises:
        UserError: it draws some letter as its empty box, or there is no font.
    """
    font = _font(path, 32)
    missing = bytes(font.getmask("\U0010ffff"))
    lacking = [letter for letter in word if not letter.isspace() and bytes(font.getmask(letter)) == missing]
    if lacking:
        name = Path(font_file(path)).name
        raise UserError(f"The font {name} has no letter {lacking[0]!r}, which {word!r} needs; give another with --font.")


def cells_of(grid: Grid, cells: tuple[int, int]) -> np.ndarray | None:
    """Which cell (row * W + col) each image token lies in: int[v], -1 for tokens that show nothing; None if one straddles."""
    h, w = grid.size[0] / cells[0], grid.size[1] / cells[1]
    boxes = grid.token_boxes()
    seen = ~np.isnan(boxes[:, 0])
    out = np.full(len(boxes), -1)
    near = 1e-3
    first = np.floor(boxes[seen][:, :2] / (h, w) + near)
    last = np.ceil(boxes[seen][:, 2:] / (h, w) - near) - 1
    if not np.array_equal(first, last) or (first < 0).any() or (first >= cells).any():
        return None
    out[seen] = (first[:, 0] * cells[1] + first[:, 1]).astype(int)
    return out


def nearest_aligned(grid: Grid, cells: tuple[int, int]) -> tuple[int, int] | None:
    """The numbers of cells nearest to the wanted that the model's tokens agree with, at least 2 x 2."""
    most = int(np.sqrt(grid.image_tokens)) * 2
    every = [(a, b) for a in range(2, most) for b in range(2, most) if abs(a - cells[0]) + abs(b - cells[1]) < most]
    every.sort(key=lambda c: abs(c[0] - cells[0]) + abs(c[1] - cells[1]))
    return next((c for c in every[:400] if cells_of(grid, c) is not None), None)


def aligned(grid: Grid, cells: tuple[int, int], name: str) -> np.ndarray:
    """Which cell every image token lies in, counted row by row; -1 for tokens that show nothing: int[v].

    Raises:
        UserError: some token straddles two cells; names the nearest numbers of cells that fit.
    """
    cell_of = cells_of(grid, cells)
    if cell_of is None or len(set(cell_of[cell_of >= 0].tolist())) < cells[0] * cells[1]:
        near = nearest_aligned(grid, cells)
        fits = f"the nearest that fit are {near[0]}x{near[1]}" if near else "no numbers of cells fit this model"
        raise UserError(f"{cells[0]}x{cells[1]} cells don't lie on whole image tokens of {name}; {fits}.")
    return cell_of
