"""The recipe of the demo VLM: `scratchpad demo train`.

Stage 1 (encoder) teaches the vision tower and the projector to say what fills every patch, in the language model's own
token embeddings, and where that thing lies. Stage 2 (answers) teaches the whole model to answer packed questions, the
vision tower at a tenth of the learning rate.

Deterministic up to the arithmetic of the machine; resumes from OUT/<stage>.checkpoint after any interruption.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from scratchpad.demo.batches import LABELS, Batch, stream
from scratchpad.demo.model import SYSTEM, build_model, build_processor


@dataclass(frozen=True)
class Stage:
    name: str
    steps: int
    size: int  # scenes a step
    asked: int  # questions a scene
    rate: float  # peak learning rate
    skip: int  # first scene index, so that no two stages share scenes


ENCODER = Stage("encoder", 1000, 64, 0, 1.5e-3, 0)
ANSWERS = Stage("answers", 2000, 32, 16, 4e-4, 10_000_000)


class Trainer(nn.Module):
    """The model and the throw-away head that reads positions from image tokens during stage 1."""

    def __init__(self, model: LlavaForConditionalGeneration, processor: LlavaProcessor):
        super().__init__()
        self.model = model
        self.where = nn.Linear(model.config.get_text_config().hidden_size, 5)
        tokens = processor.tokenizer
        self.label_ids = [tokens(name, add_special_tokens=False)["input_ids"][0] for name in LABELS]
        start = [tokens.bos_token_id, *tokens(SYSTEM, add_special_tokens=False)["input_ids"]]
        self.start = [*start, tokens.convert_tokens_to_ids("<|user|>")]

    def image_tokens(self, pixels: Float[Tensor, "b 3 y x"]) -> Float[Tensor, "b v c"]:
        """What the language model reads: as LlavaModel.get_image_features, without the blocks above the layer read."""
        model: Any = self.model
        tower = model.model.vision_tower
        x = tower.pre_layrnorm(tower.embeddings(pixels))
        for block in tower.encoder.layers[: model.config.vision_feature_layer + 1]:
            x = block(x, attention_mask=None)
        return model.model.multi_modal_projector(x[:, 1:])

    def encoder_loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        seen = self.image_tokens(batch.pixels)
        table: Any = self.model.get_input_embeddings().weight
        words = table[self.label_ids]
        logits = (F.rms_norm(seen, seen.shape[-1:]) @ words.T).float()
        weigh = 1 + 4 * batch.thing.float().flatten()  # things fill a fifth of the patches, and are what is asked about
        naming = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(0, 1), reduction="none")
        naming = (naming * weigh).sum() / weigh.sum()
        weight = torch.ones_like(batch.place)
        weight[..., 2:] = batch.thing[..., None].float()
        placing = ((self.where(seen).float() - batch.place) ** 2 * weight).sum() / weight.sum()
        right = (logits.argmax(-1) == batch.labels.argmax(-1)) | (batch.labels.gather(-1, logits.argmax(-1, keepdim=True))[..., 0] > 0)
        return naming + 20 * placing, {
            "naming": naming.item(),
            "placing": placing.item(),
            "right": right.float().mean().item(),
            "right_on_things": right[batch.thing].float().mean().item(),
        }

    def answer_logits(self, batch: Batch, seen: Float[Tensor, "b v c"]) -> Float[Tensor, "b q vocabulary"]:
        """Logits at the packed positions."""
        b, q = batch.ids.shape
        embed = self.model.get_input_embeddings()
        start = embed(torch.tensor(self.start)).expand(b, -1, -1)
        x = torch.cat([start, seen.to(start.dtype), embed(batch.ids)], 1)
        prefix = x.shape[1] - q
        position = torch.cat([torch.arange(prefix).expand(b, -1), prefix + batch.offset], 1)
        y = self.model.model.language_model(
            inputs_embeds=x, attention_mask=packed_mask(batch.segment, prefix), position_ids=position, use_cache=False
        ).last_hidden_state
        return self.model.lm_head(y[:, prefix:])

    def answer_loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        logits = self.answer_logits(batch, self.image_tokens(batch.pixels)).float()
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        hit = exact(logits, batch)
        return loss, {"loss": loss.item(), "exact": sum(map(sum, hit)) / max(1, sum(map(len, hit)))}


def packed_mask(segment: Tensor, prefix: int) -> Float[Tensor, "b 1 s s"]:
    """Additive mask: causal, and a packed token sees the prefix and its own question."""
    b, q = segment.shape
    group = torch.cat([torch.full((b, prefix), -2), segment], 1)
    see = (group[:, :, None] == group[:, None, :]) | (group[:, None, :] == -2)
    see = see.tril()
    mask = torch.zeros(b, 1, prefix + q, prefix + q, dtype=torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32)
    return mask.masked_fill_(~see[:, None], torch.finfo(mask.dtype).min)


def exact(logits: Float[Tensor, "b q vocabulary"], batch: Batch) -> list[list[bool]]:
    """Per scene and question: whether greedy decoding gives the answer exactly.

    Greedy decoding equals the reference if and only if the teacher-forced argmax equals it at every answer position.
    """
    wrong = (logits.argmax(-1) != batch.targets) & (batch.targets >= 0)
    return [[not bool(wrong[i, batch.segment[i] == n].any()) for n in range(int(batch.segment[i].max()) + 1)] for i in range(len(wrong))]


def train(out: Path, stages: tuple[Stage, ...] = (ENCODER, ANSWERS), every: int = 200) -> None:
    """Trains from nothing, or from the checkpoint in `out`; leaves a transformers folder in out/model."""
    out.mkdir(parents=True, exist_ok=True)
    processor = build_processor()
    trainer = Trainer(build_model(processor), processor)
    for block in (*trainer.model.model.vision_tower.encoder.layers, *trainer.model.model.language_model.layers):
        block.compile(dynamic=True)  # a fifth faster; needs a C++ compiler
    for stage in stages:
        if not (out / f"{stage.name}.done").exists():
            _run(trainer, processor, stage, out, every)
        trainer.load_state_dict(load_file(out / f"{stage.name}.done"))
        export(trainer.model, processor, out / "model")


def export(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> None:
    model.save_pretrained(folder, max_shard_size="15MB")
    processor.save_pretrained(folder)


def _run(trainer: Trainer, processor: LlavaProcessor, stage: Stage, out: Path, every: int) -> None:
    answers = stage.asked > 0
    parameters = {n: p for n, p in trainer.named_parameters() if p.requires_grad}
    groups = [
        {
            "params": [p for n, p in parameters.items() if (answers and "vision_tower" in n) == late and (p.ndim > 1) == decays],
            "weight_decay": 0.02 * decays,
            "share": 0.1 if late else 1.0,
        }
        for late in (False, True)
        for decays in (True, False)
    ]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]], betas=(0.9, 0.98))
    first, spent = _resume(trainer, optimizer, out / f"{stage.name}.checkpoint")
    begun = time.monotonic() - spent
    batches = stream(processor.tokenizer, stage.size, first, stage.asked, stage.skip)
    for step in range(first, stage.steps):
        for group in optimizer.param_groups:
            group["lr"] = (
                group["share"] * stage.rate * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / stage.steps)))
            )
        with torch.autocast("cpu", torch.bfloat16):
            loss, numbers = (trainer.answer_loss if answers else trainer.encoder_loss)(next(batches))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.0)
        optimizer.step()
        if step % 20 == 0:
            _log(out, stage, step, time.monotonic() - begun, numbers)
        if (step + 1) % every == 0:
            _checkpoint(trainer, optimizer, out / f"{stage.name}.checkpoint", step + 1, time.monotonic() - begun)
    _write(trainer.state_dict(), out / f"{stage.name}.done")


def _log(out: Path, stage: Stage, step: int, seconds: float, numbers: dict[str, float]) -> None:
    left = seconds / (step + 1) * (stage.steps - step - 1)
    row = {"stage": stage.name, "step": step, "seconds": round(seconds), "left": round(left)} | {k: round(v, 4) for k, v in numbers.items()}
    with open(out / "log.jsonl", "a") as log:
        log.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def _write(state: dict[str, Tensor], path: Path) -> None:
    aside = path.with_suffix(".aside")
    shared: set[int] = set()
    unique = {}
    for name, tensor in state.items():  # tied weights are saved once under each name
        unique[name] = tensor.clone() if tensor.data_ptr() in shared else tensor.contiguous()
        shared.add(tensor.data_ptr())
    save_file(unique, aside)
    os.replace(aside, path)


def _checkpoint(trainer: Trainer, optimizer: torch.optim.Optimizer, path: Path, step: int, seconds: float) -> None:
    state = dict(trainer.state_dict())
    for i, values in optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{i}.{name}": value for name, value in values.items()}
    state["progress"] = torch.tensor([step, seconds], dtype=torch.float64)
    _write(state, path)


def _resume(trainer: Trainer, optimizer: torch.optim.Optimizer, path: Path) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    state = load_file(path)
    step, seconds = state.pop("progress").tolist()
    moments: dict[int, dict[str, Tensor]] = {}
    for name in [n for n in state if n.startswith("optimizer.")]:
        _, index, field = name.split(".")
        moments.setdefault(int(index), {})[field] = state.pop(name)
    trainer.load_state_dict(state)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
    return int(step), seconds
