"""The recipe of the demo VLM: `scratchpad demo train`.

The encoder learns to write image tokens of a fixed code and the reader learns to read it, at the same time in two
processes; then the reader goes on with what the encoder writes (`trainer` has the losses, `symbols` the code).
Matrices of blocks learn by Muon, everything else by AdamW.

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
import torch.multiprocessing
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from scratchpad.demo.batches import stream
from scratchpad.demo.model import build_model, build_processor
from scratchpad.demo.trainer import Loss, Trainer

ENCODER_PARTS = ("model.model.vision_tower.", "model.model.multi_modal_projector.")
READER_PARTS = ("model.model.language_model.layers.", "model.model.language_model.norm.", "hint_")


@dataclass(frozen=True)
class Stage:
    name: str
    steps: int
    size: int  # scenes a step
    asked: int  # questions a scene
    rate: float  # peak learning rate of Muon; AdamW's is a third of it
    skip: int  # first scene index, so that no two stages share scenes
    learns: tuple[str, ...]  # prefixes of the parameters that learn


ENCODER = Stage("encoder", 2400, 16, 0, 3e-3, 0, ENCODER_PARTS)
READER = Stage("reader", 3000, 8, 18, 4e-3, 10_000_000, READER_PARTS)
ANSWERS = Stage("answers", 1000, 8, 14, 3e-3, 20_000_000, READER_PARTS)


def train(out: Path, start: Path | None = None) -> None:
    """Trains from nothing, or from the checkpoints in `out`; leaves a transformers folder in out/model.

    With `start`, a folder that an earlier training left, only the last stage is run, from its weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // 2)
    if start is None:
        apart = torch.multiprocessing.get_context("spawn").Process(target=run_stage, args=(READER, out, threads), daemon=False)
        apart.start()
        run_stage(ENCODER, out, threads)
        apart.join()
        if apart.exitcode:
            raise RuntimeError(f"the reader's process ended with exit code {apart.exitcode}; {out / 'log.jsonl'} shows how far it came")
    run_stage(ANSWERS, out, 2 * threads, start=start)
    trainer, processor = untrained()
    trainer.load_state_dict(load_file(done(out, ANSWERS)))
    export(trainer.model, processor, out / "model")


def untrained() -> tuple[Trainer, LlavaProcessor]:
    processor = build_processor()
    return Trainer(build_model(processor), processor), processor


def export(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> None:
    model.save_pretrained(folder, max_shard_size="15MB")
    processor.save_pretrained(folder)


def done(out: Path, stage: Stage) -> Path:
    return out / f"{stage.name}.done"


def run_stage(stage: Stage, out: Path, threads: int, every: int = 100, start: Path | None = None) -> None:
    """Trains one stage to its end, from its checkpoint if there is one."""
    if done(out, stage).exists():
        return
    torch.set_num_threads(threads)
    trainer, processor = untrained()
    for block in (*trainer.model.model.vision_tower.encoder.layers, *trainer.model.model.language_model.layers):
        block.compile(dynamic=True)  # a fifth faster; needs a C++ compiler
    if start is not None:
        trainer.model.load_state_dict(LlavaForConditionalGeneration.from_pretrained(start).state_dict())
    elif stage.name == ANSWERS.name:
        for earlier in (ENCODER, READER):
            learnt = {k: v for k, v in load_file(done(out, earlier)).items() if k.startswith(earlier.learns)}
            trainer.load_state_dict(learnt, strict=False)
    for name, parameter in trainer.named_parameters():
        parameter.requires_grad_(name.startswith(stage.learns))
    _Run(stage, out, trainer, processor).go(every)


def optimizers(trainer: Trainer, stage: Stage) -> list[torch.optim.Optimizer]:
    """Muon on the matrices of blocks, AdamW on embeddings, norms and heads at a third of its rate.

    The patch embedding, whose 768 inputs would outgrow everything, learns at a thirtieth.
    """
    inside: list[dict[str, Any]] = []
    outside: list[dict[str, Any]] = []
    for name, parameter in trainer.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim == 2 and (".layers." in name or "projector" in name):
            inside.append({"params": [parameter], "lr": stage.rate})
        else:
            outside.append({"params": [parameter], "lr": stage.rate / (30 if parameter.ndim == 4 else 3)})
    muon = torch.optim.Muon(inside, lr=stage.rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(outside, weight_decay=0.0, betas=(0.9, 0.98))]


class _Run:
    """One stage under way."""

    def __init__(self, stage: Stage, out: Path, trainer: Trainer, processor: LlavaProcessor):
        self.stage, self.out, self.trainer = stage, out, trainer
        self.optimizers = optimizers(trainer, stage)
        self.peaks = [[group["lr"] for group in o.param_groups] for o in self.optimizers]
        self.checkpoint = out / f"{stage.name}.checkpoint"
        self.first, spent = self._resume()
        self.begun = time.monotonic() - spent
        self.batches = stream(processor.tokenizer, stage.size, self.first, stage.asked, stage.skip)

    def go(self, every: int) -> None:
        learning = [p for p in self.trainer.parameters() if p.requires_grad]
        for step in range(self.first, self.stage.steps):
            self._set_rate(step)
            torch.manual_seed(step)  # what blurs and drops symbols; a resumed run goes on as it would have
            with torch.autocast("cpu", torch.bfloat16):
                loss, numbers = self._loss(next(self.batches))
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learning, 1.0)
            for optimizer in self.optimizers:
                optimizer.step()
            if step % 20 == 0:
                self._log(step, numbers)
            if (step + 1) % every == 0:
                self._save(step + 1)
        _write(self.trainer.state_dict(), done(self.out, self.stage))

    def _loss(self, batch: Any) -> Loss:
        loss: Loss = getattr(self.trainer, {"encoder": "encoder_loss", "reader": "reader_loss", "answers": "answer_loss"}[self.stage.name])(
            batch
        )
        return loss

    def _set_rate(self, step: int) -> None:
        """Up over 50 steps, level, and down to a fiftieth over the last two thirds."""
        left = min(1.0, 1.5 * (1 - step / self.stage.steps))
        share = min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 - math.cos(math.pi * left)))
        for optimizer, peaks in zip(self.optimizers, self.peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * share

    def _log(self, step: int, numbers: dict[str, float]) -> None:
        seconds = time.monotonic() - self.begun
        left = seconds / (step + 1) * (self.stage.steps - step - 1)
        row = {"stage": self.stage.name, "step": step, "seconds": round(seconds), "left": round(left)}
        row |= {k: round(v, 4) for k, v in numbers.items()}
        with open(self.out / "log.jsonl", "a") as log:
            log.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def _save(self, step: int) -> None:
        state = dict(self.trainer.state_dict())
        for n, optimizer in enumerate(self.optimizers):
            for i, values in optimizer.state_dict()["state"].items():
                state |= {f"optimizer.{n}.{i}.{name}": value for name, value in values.items()}
        state["progress"] = torch.tensor([step, time.monotonic() - self.begun], dtype=torch.float64)
        _write(state, self.checkpoint)

    def _resume(self) -> tuple[int, float]:
        if not self.checkpoint.exists():
            return 0, 0.0
        state = load_file(self.checkpoint)
        step, seconds = state.pop("progress").tolist()
        moments: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.optimizers]
        for name in [n for n in state if n.startswith("optimizer.")]:
            _, which, index, field = name.split(".")
            moments[int(which)].setdefault(int(index), {})[field] = state.pop(name)
        self.trainer.load_state_dict(state)
        for optimizer, known in zip(self.optimizers, moments, strict=True):
            optimizer.load_state_dict(optimizer.state_dict() | {"state": known})
        return int(step), seconds


def _write(state: dict[str, Tensor], path: Path) -> None:
    aside = path.with_suffix(".aside")
    shared: set[int] = set()
    unique = {}
    for name, tensor in state.items():  # tied weights are saved once under each name
        unique[name] = tensor.clone() if tensor.data_ptr() in shared else tensor.contiguous()
        shared.add(tensor.data_ptr())
    save_file(unique, aside)
    os.replace(aside, path)
