"""Activations for training, shuffled across images, in bounded memory; kept on disk where asked.

In: a model, pictures, hook points. Out: per point an endless row of batches. All come from one pass over the pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.files import whole_file, write_whole
from scratchpad.records.hookpoint import HookPoint, hook_point
from scratchpad.sae.afar import Models, activations
from scratchpad.sae.harvest import PROMPTS, Rows
from scratchpad.sae.pictures import Pictures

SHARD = 64  # pictures of a shard


class Source:
    """Activations of one picture after another, epoch after epoch, each in an order of its own.

    With `cache`, a folder, the first epoch writes shards and later ones read them; a cache that a kill left half-made is
    gone on with. `epoch` and `seen` say where it is: a source made with those of an earlier one goes on with the picture after. (Of
    pictures that can't be read as many are seen again as came before.)

    Raises:
        UserError: the cache is of another model, other hook points or other pictures; no picture can be read; the disk is full.
    """

    def __init__(
        self,
        models: Models,
        pictures: Pictures,
        points: Sequence[HookPoint],
        seed: int,
        cache: Path | None = None,
        class_token: bool = False,
        epoch: int = 0,
        seen: int = 0,
        prompts: Sequence[str] = PROMPTS,
    ):
        self.models, self.pictures, self.points, self.seed, self.cache = models, pictures, list(points), seed, cache
        self.class_token, self.prompts = class_token, tuple(prompts)
        self.epoch, self.seen = epoch, seen  # epochs gone through, and pictures of the one under way
        if cache:
            self._claim(cache)

    def __iter__(self) -> Iterator[Rows]:
        while True:
            before = self.seen
            for rows in islice(self._cached(), before, None) if self.cache else self._fresh(before):
                self.seen += 1
                yield rows
            if not self.seen:
                raise UserError(f"No image in {self.pictures.source} can be read; {len(self.pictures.skipped)} were tried.")
            self.epoch, self.seen = self.epoch + 1, 0

    def _fresh(self, begin: int) -> Iterator[Rows]:
        return activations(
            self.models, self.pictures, self.points, self.pictures.order(self.seed + self.epoch)[begin:], self.class_token, self.prompts
        )

    def _claim(self, cache: Path) -> None:
        """A cache belongs to one model, one set of hook points and one set of pictures."""
        own = {
            "encoder": self.models.vlm.encoder_identity,
            "points": [str(at) for at in self.points],
            "class_token": self.class_token,
            "seed": self.seed,
            "prompts": list(self.prompts),
            "files": [Path(name).name for name in self.pictures.names],
            "apart": len(self.pictures.apart),
        }
        about = cache / "cache.json"
        try:
            cache.mkdir(parents=True, exist_ok=True)
            if about.is_file() and json.loads(about.read_text()) != own:
                raise UserError(f"The cache {cache} holds activations of another model, other hook points or images; give another folder.")
            write_whole(about, json.dumps(own))
        except (OSError, ValueError) as error:
            raise UserError(f"The cache {cache} can't be used ({error}); give another folder.") from error

    def _cached(self) -> Iterator[Rows]:
        assert self.cache is not None
        whole = sorted(self.cache.glob("shard-*.safetensors"))
        if self.epoch == 0 or not whole:
            yield from self._filling(len(whole))
            return
        order = np.random.default_rng(self.seed + self.epoch).permutation(len(whole))
        for i in order:
            yield from _read(whole[i])

    def _filling(self, have: int) -> Iterator[Rows]:
        """What the cache has of the first epoch, then the rest of it, written as it comes."""
        assert self.cache is not None
        for i in range(have):
            yield from _read(self.cache / f"shard-{i:06d}.safetensors")
        part: list[Rows] = []
        number = have
        rest = self.pictures.order(self.seed)[have * SHARD :]
        for rows in activations(self.models, self.pictures, self.points, rest, self.class_token, self.prompts):
            part.append(rows)
            if len(part) == SHARD:
                _write(self.cache / f"shard-{number:06d}.safetensors", part)
                number, part = number + 1, []
            yield rows
        if part:
            _write(self.cache / f"shard-{number:06d}.safetensors", part)


def _write(path: Path, part: Sequence[Rows]) -> None:
    tensors = {f"{i}.{at}": rows[at].contiguous() for i, rows in enumerate(part) for at in rows}
    try:
        with whole_file(path) as aside:
            save_file(tensors, aside)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} can't be written ({error}); make room, and start again: what is cached stays.") from error


def _read(path: Path) -> Iterator[Rows]:
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and what comes after it, and start again.") from error
    pictures: dict[int, Rows] = {}
    for name, value in tensors.items():
        number, _, at = name.partition(".")
        pictures.setdefault(int(number), {})[hook_point(at)] = value
    for picture in sorted(pictures):
        yield pictures[picture]


class Mixer:
    """Endless shuffled batches of several hook points out of one source.

    A point's buffer is filled to `room` rows, shuffled, and served until half are left: rows of one picture end up in
    batches far apart. Points that are asked in turn stay in step.
    """

    def __init__(self, source: Source, size: int, room: int, seed: int = 0):
        self.source, self.size, self.room = iter(source), size, max(room, 2 * size)
        self.generator = torch.Generator().manual_seed(seed)
        self.waiting: dict[HookPoint, list[Tensor]] = {at: [] for at in source.points}
        self.ready: dict[HookPoint, Tensor | None] = dict.fromkeys(source.points)

    def batches(self, at: HookPoint) -> Iterator[Float[Tensor, "b d"]]:
        """Endless batches of a point's activations, `size` of them each."""
        while True:
            ready = self.ready[at]
            if ready is None or len(ready) < max(self.size, self.room // 2):
                ready = self._filled(at)
            batch, self.ready[at] = ready[: self.size], ready[self.size :]
            yield batch

    def _filled(self, at: HookPoint) -> Tensor:
        ready = self.ready[at]
        parts = [] if ready is None else [ready]
        have = sum(len(part) for part in parts) + sum(len(part) for part in self.waiting[at])
        while have < self.room:
            rows = next(self.source)
            have += len(rows[at])
            for other, part in rows.items():
                self.waiting[other].append(part)
        rows_of = torch.cat([*parts, *self.waiting[at]])
        self.waiting[at] = []
        return rows_of[torch.randperm(len(rows_of), generator=self.generator)]
