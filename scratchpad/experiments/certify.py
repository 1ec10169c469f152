"""An SAE's certificate: its recipe trained anew over seeds, beside baselines of the same budget, all measured on the same pictures.

In: a model, an SAE, pictures to train on, held-out pictures with questions and labels. Out: a `Certificate`. The pictures
to train on are gone through once for the activations of the encoder as it is, and once for each seed's shuffled one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from scratchpad.analysis.beaten import DIGITS, baseline, sentence, spread, spreads
from scratchpad.errors import UserError
from scratchpad.experiments.sanity import SETS, Shown, measure
from scratchpad.progress import step
from scratchpad.records.certificate import Budget, Certificate, Measure
from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.baselines import ANEW, COUNT, FIXED, MODEL, TRAINED, Activations, Trained, fixed, train
from scratchpad.sae.decoder import shared
from scratchpad.sae.harvest import harvest
from scratchpad.sae.load import Sae
from scratchpad.sae.recovered import countable
from scratchpad.sae.train import Recipe
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.shuffled import shuffled_encoder

MOST, BYTES = 1 << 20, 1 << 30  # activations among which the steps' are drawn, in half precision: at most so many, of so many bytes
UNREAD = "the language model can't read an encoder whose weights are shuffled, so nothing that needs an answer is measured"
UNSAID = "the other measures couldn't be taken: too few latents of it fire"
Measures = dict[Measure, float]


@dataclass(frozen=True)
class Plan:
    """What a certificate is made of.

    Raises:
        UserError: fewer than two seeds, pictures without a label, or an SAE of another place than the vision encoder.
    """

    at: HookPoint
    recipe: Recipe
    recipe_steps: int | None  # of the SAE itself, where that's known
    seeds: tuple[int, ...]
    training: Callable[[], Iterable[Image.Image]] = field(repr=False)  # the same pictures at every call
    shown: Sequence[Shown] = field(repr=False)  # held out
    asked: int  # questions, one of each of the first pictures
    edited: int  # of them, those in which a latent is ablated

    def __post_init__(self) -> None:
        if self.at.place != "vision":
            raise UserError(
                f"The SAE reads {self.at}; expected one of the vision encoder: a certificate's baselines are made of that alone."
            )
        if len(set(self.seeds)) < 2:
            raise UserError(f"{len(set(self.seeds))} seed was asked for; expected at least 2: an interval over seeds needs them.")
        if not any(item.labels for item in self.shown):
            raise UserError("No held-out image has a label; give them with --labels, or in folders: labels recovered are measured.")
        countable([item.labels for item in self.shown])


def certify(vlm: Vlm, sae: Sae, plan: Plan, folder: Path, say: Callable[[str], None] = lambda line: None) -> Certificate:
    """Trains what is not in `folder` yet, and measures it all.

    Args:
        folder: where seeds and baselines are kept, in SAELens format.

    Raises:
        UserError: there are too few pictures, or the folder holds SAEs of another recipe.
    """
    made = seeds_of(vlm, plan, folder, say)
    many = [sae, *(each for name in made if name != MODEL.name for each in made[name])]
    say(f"measuring {len(many)} SAEs on {len(plan.shown)} images")
    measured = iter(measure(vlm, many, plan.shown, plan.asked, plan.edited))
    given = next(measured)
    values = {name: [next(measured) for _ in made[name]] for name in made if name != MODEL.name}
    values[MODEL.name] = []
    for seed, each in zip(plan.seeds, made[MODEL.name], strict=True):
        with shuffled_encoder(vlm, seed):
            values[MODEL.name] += measure(vlm, [each], plan.shown, 0, 0)
    return _certificate(vlm, sae, plan, made, given, values)


def seeds_of(vlm: Vlm, plan: Plan, folder: Path, say: Callable[[str], None]) -> dict[str, list[Sae]]:
    """By name: an SAE for each seed of what is trained, and one of each that isn't.

    Raises:
        UserError: as `certify`.
    """
    about = {"layer": plan.at.layer, "model_name": vlm.name, "encoder_identity": vlm.encoder_identity, "class_token": False}
    own = cache(lambda: activations(vlm, plan.at, plan.training()))
    made: dict[str, list[Sae]] = {kind.name: [] for kind in TRAINED}
    for seed in plan.seeds:
        for kind in TRAINED:
            step("training", sum(map(len, made.values())), len(plan.seeds) * len(TRAINED), outer=True)
            made[kind.name].append(_trained(vlm, kind, own, plan, seed, folder, about))
            say(f"{kind.name}, seed {seed}: {plan.recipe.steps} steps")
    for name in FIXED:
        made[name] = [fixed(name, own, plan.recipe.k, folder, about)]
    return made


def _trained(
    vlm: Vlm, kind: Trained, own: Callable[[], Activations], plan: Plan, seed: int, folder: Path, about: Mapping[str, object]
) -> Sae:
    if kind.own_encoder:
        return train(kind, own, plan.recipe, seed, folder, about)

    def others() -> Activations:
        with shuffled_encoder(vlm, seed):
            return activations(vlm, plan.at, plan.training())

    return train(kind, others, plan.recipe, seed, folder, dict(about) | {"encoder_shuffled": seed})


def activations(vlm: Vlm, at: HookPoint, pictures: Iterable[Image.Image]) -> Activations:
    """Of pictures one after another, at most MOST and BYTES of them, in half precision.

    Raises:
        UserError: there is no picture.
    """
    parts, count, most = [], 0, min(MOST, BYTES // (2 * vlm.width))
    for rows in harvest(vlm, pictures, [at]):
        parts.append(rows[at].half())
        count += len(parts[-1])
        if count >= most:
            break
    if not parts:
        raise UserError("There is no image to train on; held-out ones are not trained on.")
    return torch.cat(parts)[:most]


def _certificate(
    vlm: Vlm, sae: Sae, plan: Plan, made: Mapping[str, Sequence[Sae]], given: Measures, values: Mapping[str, Sequence[Measures]]
) -> Certificate:
    trained, again = spreads(values[ANEW.name]), made[ANEW.name]
    how = {kind.name: kind.made for kind in TRAINED if kind is not ANEW} | FIXED
    baselines = tuple(
        baseline(name, says, made[name][0].d_sae, values[name], given, trained, UNREAD if name == MODEL.name else UNSAID)
        for name, says in how.items()
    )
    return Certificate(
        sae=sae.name,
        identity=sae.identity,
        model=vlm.name,
        encoder=vlm.encoder_identity,
        budget=_budget(plan, again[0]),
        seeds=plan.seeds,
        pictures=len(plan.shown),
        labels=len(countable([item.labels for item in plan.shown])[0]),
        asked=min(plan.asked, len(plan.shown)),
        edited=min(plan.edited, plan.asked, len(plan.shown)),
        sets=SETS,
        given={name: round(value, DIGITS) for name, value in given.items()},
        trained=trained,
        shared=spread([float(np.mean([shared(mine, other) for other in again if other is not mine])) for mine in again]),
        given_shared=round(float(np.mean([shared(sae, other) for other in again])), DIGITS),
        baselines=baselines,
        sentence=sentence(baselines),
    )


def _budget(plan: Plan, trained: Sae) -> Budget:
    recipe, count = plan.recipe, trained.metadata.get(COUNT)
    return Budget(
        architecture=recipe.architecture,
        d_sae=recipe.d_sae,
        k=None if recipe.architecture == "standard" else recipe.k,
        steps=recipe.steps,
        size=recipe.size,
        activations=count if isinstance(count, int) else 0,
        recipe_steps=plan.recipe_steps,
    )
