"""Everything that is true of a scene, patch by patch: what stands there, its category, its word, colours, textures, strokes, position.

In: a `Scene` and its drawing. Out: which of `LABELS` hold in each patch. Things, words and backgrounds come from the scene itself;
colours, textures and strokes are measured on the pixels, by the rules below.

- A thing is in a patch that it fills by at least SHOWN; the background in one that the things leave so much of.
- A colour is in a patch where at least COLOURED of the pixels have it.
- With g the root mean square of the brightness gradient (0 .. 1 a pixel) and c the coherence of the structure tensor, a patch is `flat`
  below g = FLAT, and above g = ROUGH `striped` (c >= 0.5, with the direction of its strokes) or `grainy` (c < 0.3).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from scratchpad.demo.draw import Picture, draw_scene
from scratchpad.demo.world import BACKGROUNDS, CATEGORIES, KINDS, PATCH, SIGN, SIZE, WORDS, Scene

ROWS = SIZE // PATCH
SHOWN, COLOURED = 0.1, 0.25
FLAT, ROUGH = 0.012, 0.05
SMALL, LARGE = 52, 68  # px: a thing's longer side up to and from which it is small or large

COLOURS = ("dark", "grey", "pale", "red", "orange", "yellow", "beige", "brown", "green", "turquoise", "blue", "purple", "pink")
TEXTURES = ("flat", "grainy", "striped")
STROKES = ("horizontal strokes", "rising strokes", "vertical strokes", "falling strokes")
PLACES = tuple(
    f"{row} {col}".replace("middle centre", "centre") for row in ("top", "middle", "bottom") for col in ("left", "centre", "right")
)
SIDES = ("top", "bottom", "left", "right", "rim")
SIZES = ("small thing", "large thing")
FAMILIES: dict[str, tuple[str, ...]] = {  # narrower than a category: what looks alike
    "face": ("dog", "cat", "fox", "bear", "panda", "lion", "tiger", "cow", "pig", "frog", "monkey", "rabbit"),
    "bird": ("penguin", "owl"),
    "sea animal": ("octopus", "crab", "fish", "whale"),
    "insect": ("butterfly", "bee"),
    "fruit": ("apple", "banana", "grapes", "lemon", "strawberry", "watermelon"),
    "pastry": ("donut", "cake", "bread", "cookie"),
    "flower": ("rose", "sunflower", "tulip"),
    "vehicle on wheels": ("car", "bus", "train", "bicycle", "tractor", "ambulance"),
    "aircraft": ("rocket", "airplane", "helicopter"),
    "tool": ("hammer", "scissors", "key"),
}
THING_PLACES = tuple(
    f"thing at the {side}" for side in ("top left", "top right", "bottom left", "bottom right", "top", "bottom", "left", "right")
)

GROUPS: dict[str, tuple[str, ...]] = {
    "kind": (*KINDS, SIGN),
    "word": WORDS,
    "category": (*CATEGORIES, *FAMILIES),
    "background": BACKGROUNDS,
    "size": SIZES,
    "colour": COLOURS,
    "texture": TEXTURES,
    "stroke": STROKES,
    "position": (*PLACES, *SIDES, *THING_PLACES),
}
PATCHWISE = frozenset((*TEXTURES, *STROKES, *PLACES, *SIDES))  # true of some patch of nearly every picture: they tell patches, not pictures
LABELS = tuple(name for group in GROUPS.values() for name in group)
NUMBER = {name: i for i, name in enumerate(LABELS)}
assert len(NUMBER) == len(LABELS)


def patch_labels(scene: Scene, picture: Picture | None = None) -> Bool[np.ndarray, "p l"]:
    """Which of LABELS hold in each patch, row by row; `picture` is the scene drawn, where that's done already."""
    picture = picture or draw_scene(scene)
    out = np.zeros((len(LABELS), ROWS, ROWS), bool)
    _things(out, scene, picture)
    colour = colours(picture.pixels)
    for i, name in enumerate(COLOURS):
        out[NUMBER[name]] = _per_patch(colour == i) >= COLOURED
    _textures(out, picture.pixels)
    _positions(out)
    return out.reshape(len(LABELS), -1).T


def _things(out: Bool[np.ndarray, "l rows cols"], scene: Scene, picture: Picture) -> None:
    filled = picture.shares.sum(0)
    out[NUMBER[scene.background]] = filled <= 1 - SHOWN
    for thing, share in zip(scene.things, picture.shares, strict=True):
        here = share >= SHOWN
        names = [thing.name, thing.word] if thing.name == SIGN else [thing.name, thing.category]
        names += [family for family, kinds in FAMILIES.items() if thing.name in kinds]
        if thing.extent <= SMALL:
            names.append("small thing")
        if thing.extent >= LARGE:
            names.append("large thing")
        y, x = thing.centre
        rows, cols = "top" if y < SIZE / 2 else "bottom", "left" if x < SIZE / 2 else "right"
        names += [f"thing at the {side}" for side in (rows, cols, f"{rows} {cols}")]
        for name in names:
            out[NUMBER[name]] |= here


def _positions(out: Bool[np.ndarray, "l rows cols"]) -> None:
    third = np.minimum(np.arange(ROWS) * 3 // ROWS, 2)
    cell = 3 * third[:, None] + third
    for i, name in enumerate(PLACES):
        out[NUMBER[name]] = cell == i
    out[NUMBER["top"]] = (third == 0)[:, None]
    out[NUMBER["bottom"]] = (third == 2)[:, None]
    out[NUMBER["left"]] = third == 0
    out[NUMBER["right"]] = third == 2
    edge = np.isin(np.arange(ROWS), (0, ROWS - 1))
    out[NUMBER["rim"]] = edge[:, None] | edge


def _per_patch(values: np.ndarray) -> Float[np.ndarray, "rows cols"]:
    """Means over patches."""
    means: np.ndarray = values.reshape(ROWS, PATCH, ROWS, PATCH).mean((1, 3))
    return means


def colours(pixels: UInt8[np.ndarray, "y x 3"]) -> UInt8[np.ndarray, "y x"]:
    """Every pixel's colour as its place in COLOURS, by hue, saturation and value."""
    rgb = pixels.astype(np.float32) / 255
    high, low = rgb.max(-1), rgb.min(-1)
    span = np.maximum(high - low, 1e-6)
    r, g, b = np.moveaxis(rgb, -1, 0)
    hue = 60 * np.where(high == r, (g - b) / span % 6, np.where(high == g, (b - r) / span + 2, (r - g) / span + 4))
    saturation = (high - low) / np.maximum(high, 1e-6)
    number = {name: i for i, name in enumerate(COLOURS)}
    edges = [15, 40, 70, 165, 195, 255, 290, 345]
    names = ["red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "red"]
    out: np.ndarray = np.array([number[name] for name in names], np.uint8)[np.searchsorted(edges, hue, "right")]
    warm = (hue < 70) | (hue >= 345)
    out[warm & (high < 0.75) & (hue < 50)] = number["brown"]
    out[warm & (high >= 0.7) & (saturation < 0.45)] = number["beige"]
    out[saturation < 0.14] = number["grey"]
    out[(saturation < 0.14) & (high > 0.82)] = number["pale"]
    out[high < 0.33] = number["dark"]
    return out


def _textures(out: Bool[np.ndarray, "l rows cols"], pixels: UInt8[np.ndarray, "y x 3"]) -> None:
    bright = pixels.astype(np.float32).mean(-1) / 255
    dy, dx = ndimage.sobel(bright, 0) / 8, ndimage.sobel(bright, 1) / 8
    xx, yy, xy = (_per_patch(v) for v in (dx * dx, dy * dy, dx * dy))
    strength = np.sqrt(xx + yy)
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / np.maximum(xx + yy, 1e-9)
    out[NUMBER["flat"]] = strength < FLAT
    out[NUMBER["grainy"]] = (strength >= ROUGH) & (coherence < 0.3)
    striped = (strength >= ROUGH) & (coherence >= 0.5)
    out[NUMBER["striped"]] = striped
    # the gradient stands across the stroke; rows count downwards
    along = (np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) + 90) % 180
    turn = np.rint(along / 45).astype(int) % 4  # 0 horizontal, 1 falling to the right, 2 vertical, 3 rising
    for i, name in enumerate((STROKES[0], STROKES[3], STROKES[2], STROKES[1])):
        out[NUMBER[name]] = striped & (turn == i)
