"""Emoji as sprites, drawn from Noto Color Emoji (SIL Open Font License 1.1), which whoever draws new ones needs.

In: a character. Out: an RGBA picture cut to its ink. Knows nothing of what a symbol is called.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from scratchpad.errors import UserError

FONT_PLACES = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
)
STRIKE = 109  # the one pixel size in which the font holds its bitmaps


class FontMissingError(UserError):
    """Noto Color Emoji isn't installed."""


@functools.lru_cache(maxsize=1)
def font_path() -> Path:
    """Where Noto Color Emoji lies: SCRATCHPAD_EMOJI_FONT, or the usual system folders.

    Raises:
        FontMissingError: it lies nowhere.
    """
    given = os.environ.get("SCRATCHPAD_EMOJI_FONT")
    for place in [given] if given else FONT_PLACES:
        if Path(place).is_file():
            return Path(place)
    raise FontMissingError(
        f"Drawing scenes needs the font Noto Color Emoji, which is not at {given or FONT_PLACES[0]}: "
        "install it (Debian: apt-get install fonts-noto-color-emoji) or set SCRATCHPAD_EMOJI_FONT to the file."
    )


@functools.lru_cache(maxsize=4096)
def emoji(character: str, extent: int) -> Image.Image:
    """One emoji whose longer side is `extent` pixels.

    Raises:
        FontMissingError: the font isn't installed.
    """
    strike = _strike(character)
    scale = extent / max(strike.size)
    return strike.resize((max(1, round(strike.width * scale)), max(1, round(strike.height * scale))), Image.Resampling.LANCZOS)


@functools.cache
def _strike(character: str) -> Image.Image:
    font = ImageFont.truetype(str(font_path()), STRIKE)
    canvas = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((12, 12), character, font=font, embedded_color=True)
    return canvas.crop(canvas.getbbox())
