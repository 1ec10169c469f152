"""What is computed of every picture of a folder or data set, here or on a cluster: activations, observations, judgements.

In: a model already loaded, or how to load it on every worker; `Pictures`. Out: one result a readable picture, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from PIL import Image

from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.harvest import PROMPTS, Rows, harvest, harvest_with_grids
from scratchpad.sae.judge import Judged, judge
from scratchpad.sae.load import Sae
from scratchpad.sae.observe import Observed, observed
from scratchpad.sae.pictures import Pictures
from scratchpad.spread import Cluster, spread
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.load import Vlm, load_vlm

T = TypeVar("T")


@dataclass(frozen=True)
class Models:
    """A model here, and how workers of a cluster load their own."""

    vlm: Vlm = field(repr=False)
    source: str | Path = ""
    placement: Placement | None = None
    cluster: Cluster | None = None

    @property
    def setup(self) -> Callable[[], Vlm]:
        """What gives a worker its model: the one here, or on a cluster one that the worker loads itself."""
        if self.cluster is None:
            return lambda: self.vlm
        source, placement = str(self.source), self.placement
        return lambda: load_vlm(source, placement)


def activations(
    models: Models,
    pictures: Pictures,
    points: Sequence[HookPoint],
    order: Iterable[int],
    class_token: bool = False,
    prompts: Sequence[str] = PROMPTS,
) -> Iterator[Rows]:
    """Of every readable picture in `order`."""

    def work(vlm: Vlm, pictures: list[Image.Image]) -> list[Rows]:
        return list(harvest(vlm, pictures, points, class_token=class_token, prompts=prompts))

    for _, rows in _each(models, pictures, order, work):
        yield rows


def observations(models: Models, sae: Sae, pictures: Pictures) -> Iterator[tuple[int, Observed]]:
    """(number, what an index takes of it) of every readable picture."""

    def work(vlm: Vlm, pictures: list[Image.Image]) -> list[Observed]:
        seen = harvest_with_grids(vlm, pictures, [sae.at])
        return [observed(sae, rows[sae.at].numpy(), grid, picture) for (rows, grid), picture in zip(seen, pictures, strict=True)]

    yield from _each(models, pictures, range(len(pictures)), work)


def judgements(models: Models, sae: Sae, pictures: Pictures, order: Sequence[int], prompts: Sequence[str]) -> Iterator[Judged]:
    """What becomes of the answers about every readable picture in `order`, prompts taken in turn."""
    prompt_of = {number: prompts[n % len(prompts)] for n, number in enumerate(order)}

    def work(vlm: Vlm, numbers: list[int]) -> list[Judged | None]:
        read = [(pictures.read(i), prompt_of[i]) for i in numbers]
        return [None if picture is None else judge(vlm, sae, picture, prompt) for picture, prompt in read]

    for number, judged in zip(order, spread(order, models.setup, work, models.cluster), strict=True):
        if judged is None:
            pictures.skip(number)
        else:
            yield judged


def _each(
    models: Models, pictures: Pictures, order: Iterable[int], work: Callable[[Vlm, list[Image.Image]], list[T]]
) -> Iterator[tuple[int, T]]:
    """(number, result) of every readable picture; those that can't be read are marked so."""

    def readable(vlm: Vlm, numbers: list[int]) -> list[tuple[int, T | None]]:
        read = [(i, pictures.read(i)) for i in numbers]
        there = [(i, picture) for i, picture in read if picture is not None]
        done: dict[int, T] = dict(zip((i for i, _ in there), work(vlm, [picture for _, picture in there]), strict=True))
        return [(i, done.get(i)) for i in numbers]

    for number, result in spread(order, models.setup, readable, models.cluster):
        if result is None:
            pictures.skip(number)
        else:
            yield number, result
