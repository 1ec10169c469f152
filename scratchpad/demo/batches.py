"""Training batches: scenes with patch labels for the encoder, scenes with packed questions and hints for the reader.

A batch is a pure function of its step, so that an interrupted training goes on exactly where it stopped.
A packed row is [prefix with the image][question answer][question answer]...: every question sees the prefix and itself,
starts at the position after the prefix, and so learns as if it were asked alone, at the cost of one vision pass for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset
from transformers import PreTrainedTokenizerBase

from scratchpad.demo.draw import draw_scene
from scratchpad.demo.hints import HINTS, NAMED, THINGS, UNASKED, hints
from scratchpad.demo.questions import Question, all_questions, training_questions
from scratchpad.demo.world import BACKGROUNDS, KINDS, PATCH, SIGN, SIZE, TRAINING_SEEDS, WORDS, Mode, Scene, sample_scene

LABELS = (*BACKGROUNDS, *KINDS, SIGN, *WORDS)
SHARE: tuple[tuple[Mode, float], ...] = (("misleading", 0.05), ("two", 0.08))
SIGNS = 0.4  # share of scenes passed over until one shows a sign
CROWDS = 0.6  # share of scenes passed over until one shows three things or more: what is nearest is learned on those alone
IGNORE = -100
SKETCHED = 32  # patches of a drill's scene

Packed = tuple[list[int], list[int], list[int], list[int]]


@dataclass(frozen=True)
class Batch:
    """b scenes; p patches; l labels; q packed text tokens after the prefix; h hints."""

    pixels: Float[Tensor, "b 3 y x"]  # -1 .. 1
    labels: Float[Tensor, "b p l"]  # target share of every label
    place: Float[Tensor, "b p 6"]  # own (row, col); centre (y, x) and extent of the thing; share of centres here; all 0 .. 1
    thing: Bool[Tensor, "b p"]  # whether a thing fills the patch
    ids: Int[Tensor, "b q"]
    targets: Int[Tensor, "b q"]  # next token where it belongs to an answer, IGNORE elsewhere
    segment: Int[Tensor, "b q"]  # which question a token belongs to, -1 is padding
    offset: Int[Tensor, "b q"]  # position within its question
    where: Int[Tensor, "b p"]  # which patch of the picture each is
    hint_ids: Int[Tensor, "b h"]  # one word each
    hint_own: Int[Tensor, "b h"]  # into MEANT: the thing named, if it's there
    hint_place: Float[Tensor, "b h 3"]  # whether it is there (0 or 1), and its centre (y, x), 0 .. 1
    hint_kind: Int[Tensor, "b h 2"]  # into MEANT: what is nearest, outermost, written or counted; what comes next to the right


def scene_of(index: int) -> Scene:
    """Training scene number `index`, all from TRAINING_SEEDS."""
    seed = TRAINING_SEEDS[index % len(TRAINING_SEEDS)]
    draw = np.random.default_rng([seed, 3]).random()
    for mode, share in SHARE:
        if draw < share:
            return sample_scene(seed, mode)
        draw -= share
    signs = draw < SIGNS  # their words are the rarest thing asked about, and the hardest to see
    crowds = draw / SIGNS % 1 < CROWDS
    for _ in range(40):
        scene = sample_scene(seed)
        if (SIGN in scene or not signs) and (len(scene.things) > 2 or not crowds):
            break
        seed = TRAINING_SEEDS[(seed + 7_919) % len(TRAINING_SEEDS)]
    return scene


def to_pixels(pixels: np.ndarray) -> Float[Tensor, "3 y x"]:
    """As the processor's image half makes them: scaled to -1 .. 1, channels first."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)


def patch_targets(scene: Scene, kind: Int[np.ndarray, " p"]) -> tuple[Tensor, Tensor, Tensor]:
    """(labels, place, thing) of one scene, as `Batch` has them without the leading axis. `kind`: which thing a patch shows, or -1."""
    index = {name: i for i, name in enumerate(LABELS)}
    rows = SIZE // PATCH
    labels = np.zeros((kind.size, len(LABELS)), np.float32)
    place = np.zeros((kind.size, 6), np.float32)
    place[:, 0], place[:, 1] = np.divmod(np.arange(kind.size), rows)
    place[:, :2] /= rows - 1
    labels[kind < 0, index[scene.background]] = 1
    for i, thing in enumerate(scene.things):
        names = [SIGN, thing.word] if thing.name == SIGN else [thing.name]
        for name in names:
            labels[kind == i, index[name]] = 1 / len(names)
        place[kind == i, 2:5] = (thing.centre[0] / SIZE, thing.centre[1] / SIZE, thing.extent / 80)
        y, x = (np.maximum(0, 1 - abs(np.arange(rows) + 0.5 - c / PATCH)) for c in thing.centre)
        place[:, 5] += np.outer(y, x).reshape(-1)  # of one thing they sum to 1, wherever its centre lies
    return torch.from_numpy(labels), torch.from_numpy(place), torch.from_numpy(kind >= 0)


def pack(questions: list[Question], tokenizer: PreTrainedTokenizerBase) -> Packed:
    """(ids, targets, segment, offset) of several questions on one image."""
    assistant, end = tokenizer.convert_tokens_to_ids("<|assistant|>"), tokenizer.eos_token_id
    ids: list[int] = []
    targets: list[int] = []
    segment: list[int] = []
    offset: list[int] = []
    for n, question in enumerate(questions):
        asked = [*_tokens(tokenizer, question.text), assistant]
        answer = [*_tokens(tokenizer, question.answer), end]
        row = asked + answer
        ids += row
        targets += [IGNORE] * (len(asked) - 1) + answer + [IGNORE]
        segment += [n] * len(row)
        offset += range(len(row))
    return ids, targets, segment, offset


def _padded(packed: list[Packed], tokenizer: PreTrainedTokenizerBase) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What `pack` gives of every scene, as tensors."""
    width = max((len(row[0]) for row in packed), default=0)
    fill = (tokenizer.pad_token_id, IGNORE, -1, 0)
    ids, targets, segment, offset = (torch.tensor([row[i] + [fill[i]] * (width - len(row[i])) for row in packed]) for i in range(4))
    return ids, targets, segment, offset


def _tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids, word by word: the tokenizer splits at spaces and commas, so words can be remembered."""
    return [i for word in text.replace(",", " ,").split() for i in _word(tokenizer, word)]


@lru_cache(maxsize=4096)
def _word(tokenizer: PreTrainedTokenizerBase, word: str) -> tuple[int, ...]:
    if word == ",":  # a comma hangs on its word: no space before it
        return (tokenizer.get_vocab()[","],)
    ids: list[int] = tokenizer(word, add_special_tokens=False)["input_ids"]
    return tuple(ids)


def collate(scenes: list[Scene], questions: list[list[Question]], tokenizer: PreTrainedTokenizerBase) -> Batch:
    """A batch of scenes drawn whole, each with its questions and HINTS hints. Hints follow from the first scene's seed."""
    pictures = [draw_scene(scene) for scene in scenes]
    dense = [patch_targets(scene, picture.labels.reshape(-1)) for scene, picture in zip(scenes, pictures, strict=True)]
    packed = [pack(asked, tokenizer) for asked in questions]
    rng = np.random.default_rng([scenes[0].seed, 5])
    asked = _hints(scenes, rng, tokenizer, HINTS)
    labels, place, thing = (torch.stack(column) for column in zip(*dense, strict=True))
    ids, targets, segment, offset = _padded(packed, tokenizer)
    return Batch(
        pixels=torch.stack([to_pixels(p.pixels) for p in pictures]),
        labels=labels,
        place=place,
        thing=thing,
        ids=ids,
        targets=targets,
        segment=segment,
        offset=offset,
        where=torch.arange(labels.shape[1]).expand(len(scenes), -1),
        **asked,
    )


def _hints(scenes: list[Scene], rng: np.random.Generator, tokenizer: PreTrainedTokenizerBase, count: int) -> dict[str, Tensor]:
    rows = [hints(scene, rng)[:count] for scene in scenes]
    own = [[THINGS.index(hint.word) if hint.there and hint.word in THINGS else UNASKED for hint in row] for row in rows]
    return {
        "hint_ids": torch.tensor([[_word(tokenizer, hint.word)[0] for hint in row] for row in rows]),
        "hint_own": torch.tensor(own),
        "hint_place": torch.tensor([[(hint.there, *hint.centre) for hint in row] for row in rows], dtype=torch.float32),
        "hint_kind": torch.tensor([[(hint.what, hint.after) for hint in row] for row in rows]),
    }


def drill(start: int, count: int, tokenizer: PreTrainedTokenizerBase) -> Batch:
    """Crowded scenes as a few symbols each, with what is learned slowest: hints on names, questions on order and nearness.

    A fifth of the tokens of a scene seen whole, so five times the examples.
    """
    scenes: list[Scene] = []
    seed = start
    while len(scenes) < count:
        scene = sample_scene(TRAINING_SEEDS[seed % len(TRAINING_SEEDS)])
        seed += 1
        if len(scene.things) > 1:
            scenes.append(scene)
    rng = np.random.default_rng([start, 6])
    packed = [pack(_drilled(scene, rng), tokenizer) for scene in scenes]
    labels, place, thing, where = (torch.stack(column) for column in zip(*(_sketch(scene, rng) for scene in scenes), strict=True))
    return Batch(torch.zeros(0), labels, place, thing, *_padded(packed, tokenizer), where, **_hints(scenes, rng, tokenizer, NAMED))


def _drilled(scene: Scene, rng: np.random.Generator) -> list[Question]:
    """A description, and what is next to one or two of the things."""
    asked = [q for q in all_questions(scene, rng) if q.type in ("describe", "next")]
    return [*asked[:1], *(asked[i] for i in 1 + rng.permutation(len(asked) - 1)[:2])]


def _sketch(scene: Scene, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(labels, place, thing, where) of SKETCHED patches: some of every thing, the rest background. Boxes stand for shapes."""
    rows = SIZE // PATCH
    centre = (np.stack(np.divmod(np.arange(rows * rows), rows), 1) + 0.5) * PATCH
    kind = np.full(rows * rows, -1)
    for i, thing in enumerate(scene.things):
        y0, x0, y1, x1 = thing.box
        kind[(centre[:, 0] >= y0) & (centre[:, 0] < y1) & (centre[:, 1] >= x0) & (centre[:, 1] < x1)] = i
    patches = [rng.permutation(np.flatnonzero(kind == i))[: int(rng.integers(3, 7))] for i in range(len(scene.things))]
    things = np.concatenate(patches)
    rest = rng.permutation(np.flatnonzero(kind < 0))[: SKETCHED - len(things)]
    where = np.sort(np.concatenate([things, rest]))
    labels, place, filled = patch_targets(scene, kind)
    return labels[where], place[where], filled[where], torch.from_numpy(where)


class Stream(IterableDataset[Batch]):
    """Batches from `first` on. `asked` questions a scene; 0 for patch labels alone."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, size: int, first: int, asked: int, skip: int):
        self.tokenizer, self.size, self.first, self.asked, self.skip = tokenizer, size, first, asked, skip

    def __iter__(self) -> Iterator[Batch]:
        step = self.first
        while True:
            start = self.skip + step * self.size
            scenes = [scene_of(start + i) for i in range(self.size)]
            rng = np.random.default_rng([start, 4])
            questions = [training_questions(scene, rng, self.asked) if self.asked else [] for scene in scenes]
            yield collate(scenes, questions, self.tokenizer)
            step += 1


def stream(tokenizer: PreTrainedTokenizerBase, size: int, first: int, asked: int, skip: int) -> Iterator[Batch]:
    """Batches drawn ahead in a process of their own, so that drawing overlaps with computing."""
    data = Stream(tokenizer, size, first, asked, skip)
    return iter(DataLoader(data, batch_size=None, num_workers=1, prefetch_factor=4))
