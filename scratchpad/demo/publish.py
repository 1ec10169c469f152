"""Puts trained results where the repository ships them: weights, cards, example scenes.

`scratchpad demo publish` after `train` and `saes`; it measures everything it writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from scratchpad.demo.card import model_card, sae_card
from scratchpad.demo.evaluate import evaluate, picture
from scratchpad.demo.saes import LAYERS
from scratchpad.demo.ship import ship
from scratchpad.demo.world import HELD_OUT_START, HOME, NEVER_BY_CATEGORY, Mode, Scene, sample_scene
from scratchpad.files import write_whole
from scratchpad.sae.certificate import certificate_of

EXAMPLES_FROM = HELD_OUT_START + 30_000_000


def publish_model(run: Path, out: Path, scenes: int = 2000, say: Callable[[str], None] = print) -> None:
    """Copies run/model to `out` with its card, evaluated on held-out scenes."""
    ship(run / "model", out, lambda folder: evaluate(folder, scenes), lambda measured: model_card(measured, run), say)


def publish_cards(saes: Path) -> None:
    """Writes each SAE's README from its metrics and its certificate, and from what was tried where that is kept (tried.json)."""
    for name in LAYERS:
        metrics = json.loads((saes / name / "metrics.json").read_text())
        known = saes / name / "tried.json"
        tried = json.loads(known.read_text()) if known.is_file() else []
        write_whole(saes / name / "README.md", sae_card(name, metrics, tried, certificate_of(saes / name)))


def publish_scenes(out: Path) -> None:
    """Draws the example scenes of the page: the first held-out seeds that show what each question is about."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for file, question, scene in _examples():
        path = out / file
        picture(scene).save(path, optimize=True)
        rows.append({"file": file, "question": question, "seed": scene.seed, "mode": scene.mode})
    write_whole(out / "scenes.json", json.dumps(rows, indent=1) + "\n")


def _examples() -> list[tuple[str, str, Scene]]:
    def first(mode: Mode, fits: Callable[[Scene], bool]) -> Scene:
        return next(s for s in (sample_scene(EXAMPLES_FROM + i, mode) for i in range(20_000)) if fits(s))

    octopus = first("ordinary", lambda s: "octopus" in s and s.background == "water" and len(s.things) == 3)
    sign = first("ordinary", lambda s: any(t.word == "black" for t in s.things) and len(s.things) == 2)
    near = first("ordinary", lambda s: "rocket" in s and s.background == "night" and len(s.things) == 3)
    crowd = first("ordinary", lambda s: len(s.things) == 4 and s.background == "brick")
    camel = first("misleading", lambda s: "camel" in s and s.background == "grass")
    mushroom = first("uncategorised", lambda s: NEVER_BY_CATEGORY[0] in s and len(s.things) == 2)
    two = first("two", lambda s: [t.category for t in s.things] == ["animal", "animal"] and not any(t.name in HOME for t in s.things))
    return [
        ("two-animals.png", "What animal is there?", two),  # first: the page opens on it, and its suggested set brings out the other animal
        ("octopus.png", "What animal is there?", octopus),
        ("sign.png", "What does the sign say?", sign),
        ("rocket.png", "Where is the rocket?", near),
        ("crowd.png", "Describe the picture.", crowd),
        ("camel-on-grass.png", "What is the background?", camel),
        ("mushroom.png", "What food is there?", mushroom),
    ]
