"""The recipe of the demo retrieval model: `scratchpad demo train-retrieval`, and how good it is.

Late interaction as ColPali learns it: of the scenes of a step, a query scores its own highest. Beside full descriptions
stand queries that name one or two things, of which every scene that shows them is right. A throw-away head names patches.
The tower starts from the demo VLM's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset
from transformers import ColPaliForRetrieval, ColPaliProcessor, LlavaForConditionalGeneration

from scratchpad.demo.batches import LABELS, patch_targets, scene_of, to_pixels
from scratchpad.demo.colpali import build_model, build_processor, spread_of, start_from
from scratchpad.demo.draw import draw_scene
from scratchpad.demo.questions import with_article
from scratchpad.demo.steps import Loss, Run, Stage, done
from scratchpad.demo.world import SIGN, Scene

RETRIEVAL = Stage("retrieval", 600, 40, 0, 2e-3, 40_000_000, ("",))
TEMPERATURE = 0.02  # of the mean cosine over a query's tokens
PARTIAL = 2  # queries a scene beside its description
FORMS = ("{}", "the {}", "the word {}", "where is the {}")


@dataclass(frozen=True)
class Pairs:
    """b scenes and q queries; p patches, l labels."""

    pixels: Float[Tensor, "b 3 y x"]  # -1 .. 1
    labels: Float[Tensor, "b p l"]  # target share of every label
    queries: list[str]
    right: Bool[Tensor, "q b"]  # which scenes show what a query names


def description(scene: Scene) -> str:
    """What a scene shows, in full."""
    names = [f"a sign that says {t.word}" if t.name == SIGN else with_article(t.name) for t in scene.things]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} on {scene.background}"


def content(scene: Scene) -> frozenset[str]:
    """The names and words of a scene."""
    return frozenset({scene.background, *(t.name for t in scene.things), *(t.word for t in scene.things if t.word)})


def partial(scene: Scene, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """A query on one or two things of a scene, and the names in it."""
    every = sorted(content(scene))
    named = [str(n) for n in rng.choice(every, min(len(every), int(rng.integers(1, 3))), replace=False)]
    if len(named) == 2:
        return f"{named[0]} and {named[1]}", frozenset(named)
    words = [t.word for t in scene.things if t.word]
    form = str(rng.choice(FORMS[:3] if named[0] in words else (FORMS[0], FORMS[1], FORMS[3])))
    return form.format(named[0]), frozenset(named)


class Scenes(IterableDataset[Pairs]):
    """Steps of `size` scenes from step `first` on, a pure function of the step."""

    def __init__(self, first: int, size: int, skip: int):
        self.first, self.size, self.skip = first, size, skip

    def __iter__(self) -> Iterator[Pairs]:
        step = self.first
        while True:
            start = self.skip + step * self.size
            yield pairs([scene_of(start + i) for i in range(self.size)], np.random.default_rng([start, 7]))
            step += 1


def pairs(scenes: list[Scene], rng: np.random.Generator) -> Pairs:
    """Scenes drawn, with a description of each, then PARTIAL queries on a part of each, and which scenes each query is right of."""
    drawn = [draw_scene(scene) for scene in scenes]
    labels = [patch_targets(scene, picture.labels.reshape(-1))[0] for scene, picture in zip(scenes, drawn, strict=True)]
    asked = [(description(scene), content(scene)) for scene in scenes]
    asked += [partial(scene, rng) for scene in scenes for _ in range(PARTIAL)]
    right = [[named <= content(scene) for scene in scenes] for _, named in asked]
    pixels = torch.stack([to_pixels(picture.pixels) for picture in drawn])
    return Pairs(pixels, torch.stack(labels), [text for text, _ in asked], torch.tensor(right))


class Retriever(nn.Module):
    """The model and the throw-away head."""

    def __init__(self, model: ColPaliForRetrieval, processor: ColPaliProcessor):
        super().__init__()
        self.model, self.processor = model, processor
        tower: Any = model.vlm.vision_tower
        self.naming = nn.Linear(tower.config.hidden_size, len(LABELS))
        tokens: Any = processor.tokenizer
        after = tokens(f"{tokens.bos_token}{processor.visual_prompt_prefix}", add_special_tokens=False)["input_ids"]
        self.page = [processor.image_token_id] * processor.image_seq_length + after

    def pages(self, pixels: Float[Tensor, "b 3 y x"]) -> Float[Tensor, "b s e"]:
        """The vectors of pictures: those of image tokens and of the text after them."""
        ids = torch.tensor(self.page).expand(len(pixels), -1)
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
        vectors: Tensor = self.model(pixel_values=pixels, **given)["embeddings"]
        return vectors

    def loss(self, batch: Pairs) -> Loss:
        """That every query finds a scene it is right of, and that patches are named; with numbers for the log."""
        seen: list[Tensor] = []
        tower: Any = self.model.vlm.vision_tower
        handle = tower.register_forward_hook(lambda *at: seen.append(at[2].last_hidden_state))
        try:
            pages = self.pages(batch.pixels)
        finally:
            handle.remove()
        named = self.naming(seen[0]).float()
        naming = F.cross_entropy(named.flatten(0, 1), batch.labels.flatten(0, 1))
        asked = self.processor(text=batch.queries)
        queries = self.model(**asked)["embeddings"]
        near = torch.einsum("qnd,bsd->qbns", queries.float(), pages.float()).amax(3).sum(2)
        scores = near / asked["attention_mask"].sum(1, keepdim=True) / TEMPERATURE
        finding = (scores.logsumexp(1) - scores.masked_fill(~batch.right, -torch.inf).logsumexp(1)).mean()
        hit = batch.right.gather(1, scores.argmax(1, keepdim=True))[:, 0]
        whole = len(batch.pixels)
        return finding + naming, {
            "loss": finding.item(),
            "naming": naming.item(),
            "whole": hit[:whole].float().mean().item(),
            "partial": hit[whole:].float().mean().item(),
        }


def train(out: Path, start: Path, threads: int | None = None) -> None:
    """Trains from the tower of `start`, the demo VLM's folder, or from the checkpoint in `out`; leaves out/retrieval-model."""
    out.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    processor = build_processor()
    model = build_model(processor)
    demo = LlavaForConditionalGeneration.from_pretrained(start)
    example = pairs([scene_of(i) for i in range(8)], np.random.default_rng(0))
    start_from(model, demo, spread_of(demo, example.pixels))
    trainer = Retriever(model, processor)
    if not done(out, RETRIEVAL).exists():
        for block in (*model.vlm.vision_tower.encoder.layers, *model.vlm.language_model.layers):
            block.compile(dynamic=True)
        steps = lambda first: iter(DataLoader(Scenes(first, RETRIEVAL.size, RETRIEVAL.skip), batch_size=None, num_workers=1))  # noqa: E731
        Run(RETRIEVAL, out, trainer, trainer.loss, steps).go(every=50)
    trainer.load_state_dict(load_file(done(out, RETRIEVAL)))
    model.save_pretrained(out / "retrieval-model", max_shard_size="15MB")
    processor.save_pretrained(out / "retrieval-model")
