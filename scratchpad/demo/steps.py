"""One stage of a training under way: its optimisers, rates, log and checkpoints.

In: a module, batches, a loss. Out: OUT/<stage>.done with the weights. Resumes from OUT/<stage>.checkpoint after any
interruption. Does not know what is trained.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from scratchpad.files import whole_file

Loss = tuple[Tensor, dict[str, float]]
B = TypeVar("B")  # a batch


@dataclass(frozen=True)
class Stage:
    """A stage of a training: what learns, how long and on what."""

    name: str
    steps: int
    size: int  # scenes a step
    asked: int  # questions a scene
    rate: float  # peak learning rate of Muon; AdamW's is a third of it
    skip: int  # first scene index, so that no two stages share scenes
    learns: tuple[str, ...]  # prefixes of the parameters that learn


def done(out: Path, stage: Stage) -> Path:
    """The file that a stage leaves when it has ended: its weights, as safetensors."""
    return out / f"{stage.name}.done"


def optimizers(trainer: nn.Module, stage: Stage) -> list[torch.optim.Optimizer]:
    """Muon on the matrices of blocks, AdamW on embeddings, norms and heads at a third of its rate.

    The patch embedding, whose 768 inputs would outgrow everything, learns at a thirtieth.
    """
    inside: list[dict[str, object]] = []
    outside: list[dict[str, object]] = []
    for name, parameter in trainer.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim == 2 and (".layers." in name or "projector" in name):
            inside.append({"params": [parameter], "lr": stage.rate})
        else:
            outside.append({"params": [parameter], "lr": stage.rate / (30 if parameter.ndim == 4 else 3)})
    muon = torch.optim.Muon(inside, lr=stage.rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(outside, weight_decay=0.0, betas=(0.9, 0.98))]


class Run(Generic[B]):
    """One stage under way.

    Args:
        trainer: what learns; its parameters that don't are marked so already.
        loss: of a batch, with numbers for the log.
        batches: given the first step, the batches from there on.
    """

    def __init__(self, stage: Stage, out: Path, trainer: nn.Module, loss: Callable[[B], Loss], batches: Callable[[int], Iterator[B]]):
        self.stage, self.out, self.trainer, self.loss = stage, out, trainer, loss
        self.optimizers = optimizers(trainer, stage)
        self.peaks = [[group["lr"] for group in o.param_groups] for o in self.optimizers]
        self.checkpoint = out / f"{stage.name}.checkpoint"
        self.first, spent = self._resume()
        self.begun = time.monotonic() - spent
        self.batches = batches(self.first)

    def go(self, every: int) -> None:
        """Trains to the stage's end and writes `done`; a checkpoint `every` so many steps, a line of the log every 20."""
        learning = [p for p in self.trainer.parameters() if p.requires_grad]
        for step in range(self.first, self.stage.steps):
            self._set_rate(step)
            torch.manual_seed(step)  # what blurs and drops symbols; a resumed run goes on as it would have
            with torch.autocast("cpu", torch.bfloat16):
                loss, numbers = self.loss(next(self.batches))
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
    shared: set[int] = set()
    unique = {}
    for name, tensor in state.items():  # tied weights are saved once under each name
        unique[name] = tensor.clone() if tensor.data_ptr() in shared else tensor.contiguous()
        shared.add(tensor.data_ptr())
    with whole_file(path) as aside:
        save_file(unique, aside)
