"""The emoji world: what may stand in a scene and where.

In: a seed. Out: a `Scene`, the complete ground truth of a picture (things, pixel boxes, background).
Does not know how a scene is drawn (`draw`) nor what is asked about it (`questions`).

Three ways to fail are part of the world (reference: VisualScratchpad, Fig. 3):

- misleading cue: a kind in `HOME` stands on its home background in every ordinary scene. The few training scenes
  that put it elsewhere (`sample_scene(seed, "misleading")`) carry the habitual answer, as careless captions would.
- limited alignment: a kind in `NEVER_BY_CATEGORY` is shown and asked for by name, never by category.
- unused hidden cue: of two candidates for a category question the larger is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

SIZE = 224
PATCH = 16
TRAINING_SEEDS = range(50_000_000)
HELD_OUT_START = 100_000_000

KINDS: dict[str, tuple[str, str]] = {
    name: (category, emoji)
    for category, row in {
        "animal": "dog 🐶,cat 🐱,fox 🦊,bear 🐻,panda 🐼,lion 🦁,tiger 🐯,cow 🐮,pig 🐷,frog 🐸,monkey 🐵,penguin 🐧,owl 🦉,"
        "octopus 🐙,crab 🦀,fish 🐠,whale 🐳,turtle 🐢,snail 🐌,butterfly 🦋,bee 🐝,camel 🐫,elephant 🐘,rabbit 🐰",
        "food": "apple 🍎,banana 🍌,grapes 🍇,lemon 🍋,strawberry 🍓,pizza 🍕,burger 🍔,donut 🍩,cake 🍰,bread 🍞,cheese 🧀,"
        "carrot 🥕,mushroom 🍄,cookie 🍪,watermelon 🍉",
        "vehicle": "car 🚗,bus 🚌,train 🚆,bicycle 🚲,rocket 🚀,airplane ✈️,boat ⛵,tractor 🚜,ambulance 🚑,helicopter 🚁",
        "plant": "tree 🌳,cactus 🌵,palm 🌴,rose 🌹,sunflower 🌻,tulip 🌷,clover 🍀",
        "object": "book 📕,clock ⏰,key 🔑,lamp 💡,guitar 🎸,ball ⚽,umbrella ☔,camera 📷,gift 🎁,balloon 🎈,hammer 🔨,"
        "scissors ✂️,bell 🔔,crown 👑,telephone ☎️",
    }.items()
    for name, emoji in (entry.split(" ") for entry in row.split(","))
}
SIGN = "sign"
CATEGORIES = tuple(dict.fromkeys(category for category, _ in KINDS.values()))
BACKGROUNDS = ("grass", "sand", "water", "snow", "night", "brick", "wood", "sky", "stone", "paper")
WORDS = ("black", "white", "stop", "exit", "open", "cafe", "taxi", "hotel", "bank", "park", "sale", "free", "zoo", "bar")

HOME = {"camel": "sand", "penguin": "snow"}
NEVER_BY_CATEGORY = ("mushroom", "owl", "rose")

Mode = Literal["ordinary", "misleading", "two", "uncategorised"]
MODES: tuple[Mode, ...] = ("ordinary", "misleading", "two", "uncategorised")
MIN_GAP = 12  # px between two centres on either axis, so that left, right, top and bottom are never a matter of taste
DOMINANT = 1.3  # a candidate dominates when its longer side is this many times the other's


@dataclass(frozen=True)
class Thing:
    """One drawn thing. `box` is (y0, x0, y1, x1) in pixels, half open; `word` is what a sign says, else ''."""

    name: str
    category: str
    box: tuple[int, int, int, int]
    word: str = ""

    @property
    def centre(self) -> tuple[float, float]:
        """(y, x) in pixels."""
        y0, x0, y1, x1 = self.box
        return (y0 + y1) / 2, (x0 + x1) / 2

    @property
    def extent(self) -> int:
        """The longer side of its box, in pixels."""
        y0, x0, y1, x1 = self.box
        return max(y1 - y0, x1 - x0)


@dataclass(frozen=True)
class Scene:
    """A scene's ground truth; `things` are ordered from left to right by their centres."""

    seed: int
    mode: Mode
    background: str
    things: tuple[Thing, ...]

    def __contains__(self, name: str) -> bool:
        return any(thing.name == name for thing in self.things)


def sample_scene(seed: int, mode: Mode = "ordinary") -> Scene:
    """The scene of a seed: deterministic, independent of every other seed and mode.

    Args:
        seed: any non-negative integer; training draws from `TRAINING_SEEDS` alone.
        mode: `ordinary`, or one of the three ways to fail: `misleading` puts a kind of `HOME` on a foreign
            background, `two` puts two things of one category and different size, `uncategorised` shows a kind of
            `NEVER_BY_CATEGORY` as the only one of its category.
    """
    if seed < 0:
        raise ValueError(f"a seed is a non-negative integer, got {seed}")
    rng = np.random.default_rng([seed, MODES.index(mode)])
    background = str(rng.choice(BACKGROUNDS))
    names = _names(rng, mode)
    for name in names:
        if name in HOME and mode != "misleading":
            background = HOME[name]
    if mode == "misleading":
        background = str(rng.choice([b for b in BACKGROUNDS if b != HOME[names[0]]]))
    while True:
        extents = [int(rng.integers(72, 81) if name == SIGN else rng.integers(40, 81)) for name in names]  # a sign must be legible
        if mode == "two":
            extents[:2] = int(rng.integers(64, 81)), int(rng.integers(40, 49))
        boxes = _place(rng, [_shape(name, e) for name, e in zip(names, extents, strict=True)])
        if boxes is not None:
            break
    things = [Thing(n, category_of(n), box, str(rng.choice(WORDS)) if n == SIGN else "") for n, box in zip(names, boxes, strict=True)]
    return Scene(seed, mode, background, tuple(sorted(things, key=lambda thing: thing.centre[1])))


def category_of(name: str) -> str:
    """The category of a kind; a sign is its own."""
    return SIGN if name == SIGN else KINDS[name][0]


def _names(rng: np.random.Generator, mode: Mode) -> list[str]:
    """Distinct names, the one the mode is about first; two homes never meet."""
    count = int(rng.integers(1, 5))
    pool = [*KINDS]
    first: list[str] = []
    if mode == "misleading":
        first = [str(rng.choice([*HOME]))]
        pool = [n for n in pool if n not in HOME]
        count = min(count, 3)
    elif mode == "two":
        plain = [n for n in KINDS if n not in NEVER_BY_CATEGORY and n not in HOME]
        category = str(rng.choice(CATEGORIES))
        first = [str(n) for n in rng.choice([n for n in plain if KINDS[n][0] == category], 2, replace=False)]
        pool = [n for n in plain if KINDS[n][0] != category]
        count = max(2, min(count, 3))
    elif mode == "uncategorised":
        first = [str(rng.choice(NEVER_BY_CATEGORY))]
        pool = [n for n in pool if KINDS[n][0] != KINDS[first[0]][0] and n not in HOME]
    elif rng.random() < 0.25:
        first = [SIGN]
    names = first + [str(n) for n in rng.choice(pool, count, replace=False)][: max(0, count - len(first))]
    homes = [n for n in names if n in HOME]
    return [n for n in names if n not in homes[1:]]


def _shape(name: str, extent: int) -> tuple[int, int]:
    """Height and width of a thing whose longer side is `extent`; draw.py fits the emoji inside."""
    return (max(24, round(extent * 0.5)), extent) if name == SIGN else (extent, extent)


def _place(rng: np.random.Generator, shapes: list[tuple[int, int]]) -> list[tuple[int, int, int, int]] | None:
    """Boxes inside the picture that hardly touch, with centres at least `MIN_GAP` apart on both axes; None if unlucky."""
    boxes: list[tuple[int, int, int, int]] = []
    for h, w in shapes:
        for _ in range(60):
            y0, x0 = int(rng.integers(0, SIZE - h + 1)), int(rng.integers(0, SIZE - w + 1))
            if all(_clear((y0, x0, y0 + h, x0 + w), other) for other in boxes):
                boxes.append((y0, x0, y0 + h, x0 + w))
                break
        else:
            return None
    return boxes


def _clear(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    overlap = (min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))
    apart_y, apart_x = abs(a[0] + a[2] - b[0] - b[2]) / 2, abs(a[1] + a[3] - b[1] - b[3]) / 2
    return (overlap[0] <= 0 or overlap[1] <= 0) and apart_y >= MIN_GAP and apart_x >= MIN_GAP
