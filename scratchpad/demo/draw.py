"""Draws a scene: a procedural background, emoji sprites, signs.

In: a `Scene`. Out: RGB pixels and, for every patch, which thing fills it.
Needs Noto Color Emoji to make new scenes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageDraw, ImageFont

from scratchpad.demo.world import KINDS, MODES, PATCH, SIGN, SIZE, Scene
from scratchpad.draw.emoji import emoji

COVER = 0.25  # share of a patch a thing must fill for the patch to carry its label


@dataclass(frozen=True)
class Picture:
    """A drawn scene."""

    pixels: UInt8[np.ndarray, "y x 3"]
    labels: Int[np.ndarray, "rows cols"]  # per patch: index into scene.things of what fills it, -1 for background
    boxes: tuple[tuple[int, int, int, int], ...]  # per thing: its tight box (y0, x0, y1, x1) in pixels, half open
    shares: Float[np.ndarray, "n rows cols"]  # per thing: the share of each patch that it fills, 0 .. 1


def draw_scene(scene: Scene) -> Picture:
    """Draws a scene; the same scene gives the same bytes."""
    rng = np.random.default_rng([scene.seed, MODES.index(scene.mode), 1])
    picture = Image.fromarray(_background(scene.background, rng))
    rows = SIZE // PATCH
    boxes, shares = [], []
    best, label = np.full((rows, rows), COVER), np.full((rows, rows), -1)
    for i, thing in enumerate(scene.things):
        y0, x0, y1, x1 = thing.box
        sprite = _sign(thing.word, (y1 - y0, x1 - x0), rng) if thing.name == SIGN else emoji(KINDS[thing.name][1], thing.extent)
        top, left = y0 + (y1 - y0 - sprite.height) // 2, x0 + (x1 - x0 - sprite.width) // 2
        picture.paste(sprite, (left, top), sprite)
        boxes.append((top, left, top + sprite.height, left + sprite.width))
        mask = np.zeros((SIZE, SIZE), np.float32)
        mask[top : top + sprite.height, left : left + sprite.width] = np.asarray(sprite)[..., 3] > 127
        share = mask.reshape(rows, PATCH, rows, PATCH).mean((1, 3))
        shares.append(share)
        label[share > best] = i
        best = np.maximum(best, share)
    return Picture(np.asarray(picture), label, tuple(boxes), np.stack(shares))


def _sign(word: str, shape: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    h, w = shape
    plates = [
        ((250, 250, 248), (15, 15, 15)),
        ((250, 250, 248), (15, 15, 15)),
        ((250, 210, 40), (20, 20, 20)),
        ((30, 90, 60), (245, 245, 245)),
    ]
    ground, ink = plates[int(rng.integers(len(plates)))]
    text = word.upper() if rng.random() < 0.7 else word.capitalize()
    plate = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    pen = ImageDraw.Draw(plate)
    framed = rng.random() < 0.7
    pen.rounded_rectangle((0, 0, w - 1, h - 1), radius=4, fill=(*ground, 255), outline=(*ink, 255) if framed else None)
    size = h
    while size > 8 and pen.textlength(text, font=_letters(size)) > w - 6:
        size -= 1
    pen.text((w / 2, h / 2), text, font=_letters(size), fill=(*ink, 255), anchor="mm")
    return plate


@functools.cache
def _letters(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)  # Pillow's own, so that a sign needs no system font
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built without FreeType"
    return font


_Y, _X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)


def _noise(rng: np.random.Generator, cell: int) -> Float[np.ndarray, "y x"]:
    """Smooth noise in -1 .. 1 whose grain is `cell` pixels."""
    n = SIZE // cell + 2
    small = Image.fromarray(rng.uniform(-1, 1, (n, n)).astype(np.float32))
    return np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def _blend(a: tuple[int, ...], b: tuple[int, ...], share: Float[np.ndarray, "y x"]) -> Float[np.ndarray, "y x 3"]:
    first, last = np.asarray(a, np.float32), np.asarray(b, np.float32)
    mixed: np.ndarray = first + np.clip(share, 0, 1)[..., None] * (last - first)
    return mixed


def _background(name: str, rng: np.random.Generator) -> UInt8[np.ndarray, "y x 3"]:
    phase, scale = rng.uniform(0, 6.28), rng.uniform(0.8, 1.25)
    grain = rng.uniform(-1, 1, (SIZE, SIZE)).astype(np.float32)
    match name:
        case "grass":
            blades = np.asarray(Image.fromarray(rng.uniform(0, 1, (30, SIZE)).astype(np.float32)).resize((SIZE, SIZE)))
            out = _blend((40, 110, 40), (130, 190, 70), blades * 0.8 + 0.15 * _noise(rng, 40))
        case "sand":
            ripple = np.sin(_Y / (5 * scale) + 2 * _noise(rng, 50) + phase)
            out = _blend((205, 170, 110), (240, 215, 160), 0.5 + 0.3 * ripple + 0.25 * grain)
        case "water":
            wave = np.sin(_Y / (4 * scale) + 3 * np.sin(_X / 23 + phase)) + _noise(rng, 20)
            out = _blend((20, 90, 170), (90, 180, 225), 0.45 + 0.3 * wave)
        case "snow":
            out = _blend((214, 226, 240), (250, 252, 255), 0.5 + 0.5 * _noise(rng, 28))
            out[grain > 0.985] = (170, 195, 225)
        case "night":
            out = _blend((10, 12, 40), (35, 30, 80), _Y / SIZE + 0.2 * _noise(rng, 60))
            out[grain > 0.992] = (255, 250, 210)
        case "brick":
            h = round(14 * scale)
            row = (_Y + 7 * phase) // h
            mortar = ((_Y + 7 * phase) % h < 2) | ((_X + (row % 2) * h + 5 * phase) % (2 * h) < 2)
            out = _blend((140, 55, 40), (180, 85, 60), 0.5 + 0.5 * _noise(rng, 12) + 0.2 * grain)
            out[mortar] = (200, 190, 180)
        case "wood":
            plank = ((_X + 10 * phase) // (36 * scale)) % 3
            veins = np.sin(_X / 2.5 + 4 * _noise(rng, 45) + plank)
            out = _blend((110, 70, 35), (175, 120, 70), 0.35 + 0.15 * plank + 0.2 * veins)
            out[(_X + 10 * phase) % (36 * scale) < 1.5] = (60, 38, 20)
        case "sky":
            out = _blend((110, 175, 240), (250, 252, 255), 1.4 * _noise(rng, 36) - 0.25 + 0.3 * _Y / SIZE)
        case "stone":
            cells = _noise(rng, 16) + 0.6 * _noise(rng, 8)
            out = _blend((95, 95, 100), (165, 165, 168), 0.5 + 0.45 * np.round(2 * cells) / 2 + 0.12 * grain)
        case "paper":
            out = _blend((248, 246, 240), (255, 255, 254), 0.5 + 0.4 * grain)
        case _:
            raise AssertionError(f"no background {name!r}")
    light = rng.uniform(0.9, 1.08)
    return np.clip(out * light + rng.uniform(-6, 6, 3), 0, 255).astype(np.uint8)
