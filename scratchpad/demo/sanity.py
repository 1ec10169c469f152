"""What a certificate of a demo SAE is made of: training scenes, held-out scenes with their questions, and everything true of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from scratchpad.demo.batches import scene_of
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import TYPES, all_questions
from scratchpad.demo.saes import HARVEST_FROM, RECIPES, where_of
from scratchpad.demo.world import HELD_OUT_START, Scene
from scratchpad.errors import UserError
from scratchpad.experiments.certify import Plan
from scratchpad.experiments.sanity import Shown
from scratchpad.sae.load import Sae

FIRST = HELD_OUT_START + 360_000_000  # scenes that nothing else is made of or measured on


def plan_of(sae: Sae, seeds: tuple[int, ...], steps: int | None, scenes: int, edited: int, training_scenes: int) -> Plan:
    """The plan for one of the demo's SAEs.

    Raises:
        UserError: it's none of them, or as `Plan`.
    """
    recipe = RECIPES.get(sae.name)
    if recipe is None:
        raise UserError(
            f"{sae.name} isn't one of the demo's SAEs, {', '.join(RECIPES)}; for others there is `scratchpad eval-sae --sanity`."
        )

    def training() -> Iterator[Image.Image]:
        return (picture(scene_of(HARVEST_FROM + i)) for i in range(training_scenes))

    return Plan(
        at=sae.at,
        recipe=recipe if steps is None else replace(recipe, steps=steps),
        recipe_steps=recipe.steps,
        seeds=seeds,
        training=training,
        shown=[shown(scene) for scene in held_out(scenes, first=FIRST)],
        asked=scenes,
        edited=edited,
    )


def shown(scene: Scene) -> Shown:
    """A scene drawn, one of its questions, and every label that tells pictures apart."""
    drawn, where = where_of(scene)
    questions = [question for question in all_questions(scene) if question.type in TYPES]
    return Shown(lambda: drawn, questions[scene.seed % len(questions)].text, frozenset(where.whole))
