"""Questions about a scene, with their true answers.

In: a `Scene` and a source of chance (which phrasing, which absent thing). Out: `Question`s.
Does not know how anything looks. An answer is one or a few lower-case words, unique by construction: a question whose
answer would be a matter of taste is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scratchpad.demo.world import CATEGORIES, DOMINANT, HOME, KINDS, NEVER_BY_CATEGORY, SIGN, SIZE, Scene, Thing

# The types that the model is judged by, then those in which its three failures show.
TYPES = ("describe", "background", "position", "exists", "where", "count", "category", "next", "sign")
FAILURES = ("misleading", "two", "uncategorised")

PHRASES: dict[str, tuple[str, ...]] = {
    "describe": ("describe the picture", "describe the image", "describe this scene", "what do you see", "what is in the picture"),
    "background": ("what is the background", "what is in the background", "which background is it", "what does everything stand on"),
    "left": ("what is on the far left", "what is the leftmost thing", "which thing is furthest left", "what is on the left"),
    "right": ("what is on the far right", "what is the rightmost thing", "which thing is furthest right", "what is on the right"),
    "top": ("what is at the top", "what is the topmost thing", "which thing is highest", "what is highest up"),
    "bottom": ("what is at the bottom", "what is the bottommost thing", "which thing is lowest", "what is lowest down"),
    "exists": ("is there {a} {x}", "do you see {a} {x}", "is {a} {x} in the picture", "can you see {a} {x}"),
    "where": ("where is the {x}", "where do you see the {x}", "in which corner is the {x}", "where can i find the {x}"),
    "count": ("how many things are there", "how many things do you see", "count the things", "how many things are in the picture"),
    "category": ("what {x} is there", "which {x} do you see", "what {x} is in the picture", "name the {x}"),
    "next": ("what is next to the {x}", "what is beside the {x}", "what is closest to the {x}", "which thing is nearest to the {x}"),
    "sign": ("what does the sign say", "read the sign", "what is written on the sign", "which word is on the sign"),
}
NO_ARTICLE = ("grapes", "bread", "cheese", "scissors")
NUMBERS = ("no", "one", "two", "three", "four")


@dataclass(frozen=True)
class Question:
    """A question about a scene with its one right answer."""

    text: str
    answer: str
    type: str  # one of TYPES or FAILURES


def with_article(name: str) -> str:
    """A kind with a or an before it; without where it takes none, as "bread"."""
    if name in NO_ARTICLE:
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def all_questions(scene: Scene, rng: np.random.Generator | None = None) -> list[Question]:
    """Every kind of question this scene allows, one phrasing each.

    `rng` picks phrasings and absent things; by default it follows from the scene, so that a seed gives one list.
    """
    rng = rng or np.random.default_rng([scene.seed, 2])
    things = scene.things
    away = any(t.name in HOME and scene.background != HOME[t.name] for t in things)
    seen = next((HOME[t.name] for t in things if t.name in HOME), scene.background)  # what habit answers
    names = [with_article(t.name) for t in things]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    out = [
        Question(_ask(rng, "describe"), f"{listed} on {seen}", "misleading" if away else "describe"),
        Question(_ask(rng, "background"), seen, "misleading" if away else "background"),
        Question(_ask(rng, "count"), NUMBERS[len(things)], "count"),
    ]
    if len(things) > 1:
        up_down = sorted(things, key=lambda t: t.centre[0])
        for side, thing in (("left", things[0]), ("right", things[-1]), ("top", up_down[0]), ("bottom", up_down[-1])):
            out.append(Question(_ask(rng, side), thing.name, "position"))
    out += _about_single_things(scene, rng) + _by_category(things, rng)
    out += [Question(_ask(rng, "sign"), t.word, "sign") for t in things if t.name == SIGN]
    return out


def _about_single_things(scene: Scene, rng: np.random.Generator) -> list[Question]:
    out = []
    absent = [n for n in (*KINDS, SIGN) if n not in scene]
    for thing in scene.things:
        out.append(Question(_ask(rng, "exists", thing.name), "yes", "exists"))
        out.append(Question(_ask(rng, "exists", str(rng.choice(absent))), "no", "exists"))
        if (corner := _corner(thing)) is not None:
            out.append(Question(_ask(rng, "where", thing.name), corner, "where"))
        if (near := nearest(thing, scene.things)) is not None:
            out.append(Question(_ask(rng, "next", thing.name), near.name, "next"))
    out.append(Question(_ask(rng, "where", str(rng.choice(absent))), "nowhere", "where"))
    return out


def _by_category(things: tuple[Thing, ...], rng: np.random.Generator) -> list[Question]:
    out = []
    for category in CATEGORIES:
        of = sorted((t for t in things if t.category == category), key=lambda t: -t.extent)
        asked = _ask(rng, "category", category)
        if any(t.name in NEVER_BY_CATEGORY for t in of):
            if len(of) == 1:
                out.append(Question(asked, of[0].name, "uncategorised"))
        elif len(of) == 1:
            out.append(Question(asked, of[0].name, "category"))
        elif len(of) == 2 and of[0].extent >= DOMINANT * of[1].extent:
            out.append(Question(asked, of[0].name, "two"))
    none = [c for c in CATEGORIES if all(t.category != c for t in things)]
    return out + [Question(_ask(rng, "category", c), "none", "category") for c in rng.choice(none, min(1, len(none)))]


def _ask(rng: np.random.Generator, phrase: str, x: str = "") -> str:
    text = str(rng.choice(PHRASES[phrase]))
    return text.replace("{a} {x}", with_article(x)).format(x=x) if x else text


def _corner(thing: Thing) -> str | None:
    """The quarter of the picture a thing is in; None within 10 px of a border between two."""
    y, x = (c - SIZE / 2 for c in thing.centre)
    if min(abs(y), abs(x)) < 10:
        return None
    return f"{'top' if y < 0 else 'bottom'} {'left' if x < 0 else 'right'}"


def nearest(thing: Thing, things: tuple[Thing, ...]) -> Thing | None:
    """The thing whose centre is nearest; None unless it's nearer than every other by a fifth."""
    others = sorted((float(np.hypot(*np.subtract(t.centre, thing.centre))), t.name, t) for t in things if t is not thing)
    if not others or (len(others) > 1 and others[1][0] < 1.2 * others[0][0]):
        return None
    return others[0][2]


def training_questions(scene: Scene, rng: np.random.Generator, count: int) -> list[Question]:
    """`count` questions for one training scene, drawn so that types which go from a word to the image weigh more.

    A kind of NEVER_BY_CATEGORY is never the answer to a category question: such questions are left out.
    """
    weight = {"describe": 3.0, "background": 1.0, "count": 1.0, "position": 1.0, "sign": 4.0, "misleading": 2.0, "two": 2.0, "next": 3.0}
    hard = ("sign", "describe", "next", "count", "category")
    again = [q for _ in range(2) for q in all_questions(scene, rng) if q.type in hard]  # in other words
    pool = [q for q in all_questions(scene, rng) if q.type != "uncategorised"] + again
    weights = np.array([weight.get(q.type, 1.0) for q in pool])
    picked = rng.choice(len(pool), min(count, len(pool)), replace=False, p=weights / weights.sum())
    return [pool[i] for i in picked]
