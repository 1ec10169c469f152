"""Training batches: scenes with patch labels for the encoder, scenes with packed questions for the whole model.

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

from scratchpad.demo.draw import Picture, draw_scene
from scratchpad.demo.hints import hints
from scratchpad.demo.questions import Question, training_questions
from scratchpad.demo.world import BACKGROUNDS, KINDS, PATCH, SIGN, SIZE, TRAINING_SEEDS, WORDS, Mode, Scene, sample_scene

LABELS = (*BACKGROUNDS, *KINDS, SIGN, *WORDS)
SHARE: tuple[tuple[Mode, float], ...] = (("misleading", 0.05), ("two", 0.08))
SIGNS = 0.4  # share of scenes passed over until one shows a sign
IGNORE = -100


@dataclass(frozen=True)
class Batch:
    """b scenes; p patches; l labels; q packed text tokens after the prefix."""

    pixels: Float[Tensor, "b 3 y x"]  # -1 .. 1
    labels: Float[Tensor, "b p l"]  # target share of every label
    place: Float[Tensor, "b p 5"]  # own (row, col); centre (y, x) and extent of the thing, all 0 .. 1
    thing: Bool[Tensor, "b p"]  # whether a thing fills the patch
    ids: Int[Tensor, "b q"]
    targets: Int[Tensor, "b q"]  # next token where it belongs to an answer, IGNORE elsewhere
    segment: Int[Tensor, "b q"]  # which question a token belongs to, -1 is padding
    offset: Int[Tensor, "b q"]  # position within its question
    hint_ids: Int[Tensor, "b h"]  # one word each
    hint_place: Float[Tensor, "b h 3"]  # whether it is there (0 or 1), and its centre (y, x), 0 .. 1
    hint_kind: Int[Tensor, "b h 2"]  # into THINGS: what is nearest or outermost; what comes next to the right


def scene_of(index: int) -> Scene:
    """Training scene number `index`, all from TRAINING_SEEDS."""
    seed = TRAINING_SEEDS[index % len(TRAINING_SEEDS)]
    draw = np.random.default_rng([seed, 3]).random()
    for mode, share in SHARE:
        if draw < share:
            return sample_scene(seed, mode)
        draw -= share
    signs = draw < SIGNS  # their words are the rarest thing asked about, and the hardest to see
    for _ in range(40):
        scene = sample_scene(seed)
        if SIGN in scene or not signs:
            break
        seed = TRAINING_SEEDS[(seed + 7_919) % len(TRAINING_SEEDS)]
    return scene


def to_pixels(pixels: np.ndarray) -> Float[Tensor, "3 y x"]:
    """As the processor's image half makes them: scaled to -1 .. 1, channels first."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)


def patch_targets(scene: Scene, picture: Picture) -> tuple[Tensor, Tensor, Tensor]:
    """(labels, place, thing) of one scene, as `Batch` has them without the leading axis."""
    index = {name: i for i, name in enumerate(LABELS)}
    rows = SIZE // PATCH
    kind = picture.labels.reshape(-1)
    labels = np.zeros((kind.size, len(LABELS)), np.float32)
    place = np.zeros((kind.size, 5), np.float32)
    place[:, 0], place[:, 1] = np.divmod(np.arange(kind.size), rows)
    place[:, :2] /= rows - 1
    labels[kind < 0, index[scene.background]] = 1
    for i, thing in enumerate(scene.things):
        names = [SIGN, thing.word] if thing.name == SIGN else [thing.name]
        for name in names:
            labels[kind == i, index[name]] = 1 / len(names)
        place[kind == i, 2:] = (thing.centre[0] / SIZE, thing.centre[1] / SIZE, thing.extent / 80)
    return torch.from_numpy(labels), torch.from_numpy(place), torch.from_numpy(kind >= 0)


def pack(questions: list[Question], tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int], list[int], list[int]]:
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
    pictures = [draw_scene(scene) for scene in scenes]
    dense = [patch_targets(scene, picture) for scene, picture in zip(scenes, pictures, strict=True)]
    packed = [pack(asked, tokenizer) for asked in questions]
    width = max((len(row[0]) for row in packed), default=0)
    fill = (tokenizer.pad_token_id, IGNORE, -1, 0)
    rng = np.random.default_rng([scenes[0].seed, 5])
    asked = [hints(scene, rng) for scene in scenes]
    text = [torch.tensor([row[i] + [fill[i]] * (width - len(row[i])) for row in packed]) for i in range(4)]
    labels, place, thing = (torch.stack(column) for column in zip(*dense, strict=True))
    ids, targets, segment, offset = text
    return Batch(
        pixels=torch.stack([to_pixels(p.pixels) for p in pictures]),
        labels=labels,
        place=place,
        thing=thing,
        ids=ids,
        targets=targets,
        segment=segment,
        offset=offset,
        hint_ids=torch.tensor([[_word(tokenizer, hint.word)[0] for hint in row] for row in asked]),
        hint_place=torch.tensor([[(hint.there, *hint.centre) for hint in row] for row in asked], dtype=torch.float32),
        hint_kind=torch.tensor([[(hint.what, hint.after) for hint in row] for row in asked]),
    )


class Stream(IterableDataset):
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
