"""What a training will take, before it begins: passes over the pictures, and time.

In: a recipe, a model, pictures. Out: an `Outlook`, timed on a few pictures and a few steps on noise. Trains nothing that stays.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.harvest import harvest
from scratchpad.sae.pictures import Pictures
from scratchpad.sae.train import ESTIMATED, Fit, Recipe
from scratchpad.vlm.load import Vlm

PICTURES, STEPS = 8, 3  # timed


@dataclass(frozen=True)
class Outlook:
    """Of a training at several hook points that share a pass over the pictures."""

    steps: int
    passes: float  # over all pictures
    seconds: float

    @property
    def says(self) -> str:
        """One line."""
        took = f"{self.seconds / 60:.0f} minutes" if self.seconds >= 90 else f"{max(1, round(self.seconds))} seconds"
        return f"{self.steps} steps, {self.passes:.3g} passes over the images, about {took}"


def outlook(
    recipe: Recipe, vlm: Vlm, pictures: Pictures, points: Sequence[HookPoint], device: str, processes: int = 1, cached: bool = False
) -> Outlook | None:
    """None where none of the first pictures can be read.

    Args:
        recipe: `size` is one process's part of a step.
        cached: whether activations are kept, so that later passes don't run the encoder.
    """
    shots = list(itertools.islice((picture for _, picture in pictures.in_order(range(min(len(pictures), 4 * PICTURES)))), PICTURES))
    if not shots:
        return None
    begun = time.monotonic()
    patches = sum(len(rows[points[0]]) for rows in harvest(vlm, shots, points)) / len(shots)
    a_picture = (time.monotonic() - begun) / len(shots)
    needed = (recipe.steps + (2 * ESTIMATED if recipe.centred else ESTIMATED)) * recipe.size / patches  # pictures, in each process
    trained_on = len(pictures) - len(pictures.apart)
    encoded = min(needed, trained_on) if cached else needed
    seconds = encoded * a_picture + recipe.steps * sum(_a_step(recipe, vlm.width_at(at), device) for at in points)
    return Outlook(recipe.steps, needed * processes / trained_on, seconds)


def _a_step(recipe: Recipe, d_in: int, device: str) -> float:
    """Seconds of one step on noise, the first left out."""
    noise = torch.randn(recipe.size, d_in, device=device, generator=torch.Generator(device).manual_seed(0))
    with TemporaryDirectory() as folder:
        trial = Fit(recipe, d_in, itertools.repeat(noise), Path(folder))
        trial.advance()
        begun = time.monotonic()
        for _ in range(STEPS):
            trial.advance()
        return (time.monotonic() - begun) / STEPS
