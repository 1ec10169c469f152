"""Held-out scenes as pictures whose things have known masks: what maps of a model of this world are measured on.

In: how many. Out: `Masked`, a thing of each scene, asked for by its name. A thing's mask is of whole patches, those that it fills.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from scratchpad.demo.draw import COVER, draw_scene
from scratchpad.demo.evaluate import held_out
from scratchpad.demo.world import HELD_OUT_START, PATCH, SIGN
from scratchpad.needle.masked import Masked

FIRST = HELD_OUT_START + 350_000_000  # of scenes that are used for nothing else


def masked_scenes(count: int) -> Iterator[Masked]:
    """One question a scene, of those that show more than one thing; a sign is asked for by no name."""
    left = count
    for scene in held_out(8 * count + 8, first=FIRST):
        things = [i for i, thing in enumerate(scene.things) if thing.name != SIGN]
        if len(scene.things) < 2 or not things or not left:
            continue
        asked = things[scene.seed % len(things)]
        drawn = draw_scene(scene)
        mask = np.kron(drawn.shares[asked] >= COVER, np.ones((PATCH, PATCH), bool))
        name = scene.things[asked].name
        yield Masked(f"scenes/{scene.seed}", Image.fromarray(drawn.pixels), f"where is the {name}", name, mask)
        left -= 1
