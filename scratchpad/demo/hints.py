"""Single words about a picture that a throw-away head must place: how the reader learns to go from a word to the image.

In: a `Scene`. Out: `Hint`s. Questions alone teach that direction badly: from yes and no, where to look is not to be had
(measured: 600 steps without hints leave "is there a X" at chance, 200 steps with them reach 96%).
A hint on a kind's name asks whether it's there, where, what is nearest to it and what comes next to the right; one on
"leftmost", "highest" and their like asks where the outermost thing is and what it is; on "read" and its like, where the
sign is and what it says; on "many" and "count", the number of things.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scratchpad.demo.questions import NUMBERS, nearest
from scratchpad.demo.world import KINDS, SIGN, SIZE, WORDS, Scene

THINGS = (*KINDS, SIGN)
NAMED = 8  # hints on names, of things that are there and of things that aren't
SIDES = {"leftmost": (1, 0), "rightmost": (1, -1), "topmost": (0, 0), "bottommost": (0, -1)}
SIDES |= {"left": SIDES["leftmost"], "right": SIDES["rightmost"], "highest": SIDES["topmost"], "lowest": SIDES["bottommost"]}
READ, COUNT = ("read", "say", "word", "written"), ("count", "many")
READ_FROM = NAMED + len(SIDES)
COUNT_FROM = READ_FROM + len(READ)
HINTS = COUNT_FROM + len(COUNT)
MEANT = (*THINGS, "", *WORDS, *NUMBERS)  # what a hint may mean
LAST = len(THINGS)  # nothing further to the right
UNASKED = -100


@dataclass(frozen=True)
class Hint:
    """A word placed in a scene, and what it should be answered with."""

    word: str
    there: bool
    centre: tuple[float, float]  # (y, x), 0 .. 1; of the thing meant
    what: int  # index into MEANT: the nearest or outermost thing, the word or the number; UNASKED where there is none
    after: int  # index into MEANT of the next thing to the right, LAST for none, UNASKED but for hints on names


def hints(scene: Scene, rng: np.random.Generator) -> list[Hint]:
    """NAMED hints on names, of all present things and of absent ones, in random order, and one on every side."""
    things = scene.things
    out = []
    for i, thing in enumerate(things):
        near = nearest(thing, things)
        after = THINGS.index(things[i + 1].name) if i + 1 < len(things) else LAST
        out.append(Hint(thing.name, True, _place(thing.centre), THINGS.index(near.name) if near else UNASKED, after))
    absent = [name for name in THINGS if name not in scene]
    out += [Hint(str(name), False, (0, 0), UNASKED, UNASKED) for name in rng.choice(absent, NAMED - len(out), replace=False)]
    out = [out[i] for i in rng.permutation(NAMED)]  # where a hint stands must not tell what it asks
    for word, (axis, end) in SIDES.items():
        thing = sorted(things, key=lambda t: t.centre[axis])[end]
        out.append(Hint(word, True, _place(thing.centre), THINGS.index(thing.name), UNASKED))
    sign = next((thing for thing in things if thing.name == SIGN), None)
    for word in READ:
        if sign is None:
            out.append(Hint(word, False, (0, 0), UNASKED, UNASKED))
        else:
            out.append(Hint(word, True, _place(sign.centre), MEANT.index(sign.word), UNASKED))
    return out + [Hint(word, False, (0, 0), MEANT.index(NUMBERS[len(things)]), UNASKED) for word in COUNT]


def _place(centre: tuple[float, float]) -> tuple[float, float]:
    return centre[0] / SIZE, centre[1] / SIZE
