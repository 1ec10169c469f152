"""The needle among symbols: a few emoji on an empty picture, each in a cell of the grid, one of them asked for by its name.

In: a `Haystack`. Out: what is drawn in which cell. The nearest that a benchmark of cells comes to a picture of a few things.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from scratchpad.draw.emoji import emoji
from scratchpad.errors import UserError

OTHERS = 3  # symbols beside the needle
SYMBOLS = {
    "dog": "🐶",
    "fox": "🦊",
    "frog": "🐸",
    "octopus": "🐙",
    "crab": "🦀",
    "apple": "🍎",
    "lemon": "🍋",
    "pizza": "🍕",
    "donut": "🍩",
    "car": "🚗",
    "rocket": "🚀",
    "tractor": "🚜",
    "tree": "🌳",
    "cactus": "🌵",
    "book": "📕",
    "key": "🔑",
    "guitar": "🎸",
    "umbrella": "☔",
    "balloon": "🎈",
    "bell": "🔔",
}

Cell = tuple[int, int]


def needle_of(word: str, seed: int) -> str:
    """The symbol that is looked for: the word where it names one, else a symbol of the seed."""
    return word.lower() if word.lower() in SYMBOLS else str(np.random.default_rng([seed, 2]).choice([*SYMBOLS]))


def others(needle: str, cells: tuple[int, int], rng: np.random.Generator) -> dict[Cell, str]:
    """Which other symbols stand in which cells, wherever the needle is: where it falls on one of them, it takes its place."""
    names = rng.choice([name for name in SYMBOLS if name != needle], OTHERS, replace=False)
    places = rng.choice(cells[0] * cells[1], min(OTHERS, cells[0] * cells[1]), replace=False)
    return {(int(place) // cells[1], int(place) % cells[1]): str(name) for place, name in zip(places, names, strict=False)}


def put(picture: Image.Image, name: str, box: tuple[int, int, int, int], share: float) -> None:
    """Draws a symbol into the middle of a box.

    Args:
        box: (y0, x0, y1, x1) in pixels.
        share: of the box's shorter side that the symbol fills.

    Raises:
        UserError: there is no such symbol, or no font to draw it with.
    """
    if name not in SYMBOLS:
        raise UserError(f"The symbol {name[:40]!r} was asked for; expected one of {', '.join(SYMBOLS)}.")
    y0, x0, y1, x1 = box
    sprite = emoji(SYMBOLS[name], max(1, round(min(y1 - y0, x1 - x0) * share)))
    picture.paste(sprite, (x0 + (x1 - x0 - sprite.width) // 2, y0 + (y1 - y0 - sprite.height) // 2), sprite)
