"""Training of one SAE by several processes under torchrun: each takes its part of every step, gradients are averaged.

In: torchrun's environment. Out: a `Group`. One process alone is a group of one, for which nothing here does anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from scratchpad.errors import UserError


@dataclass(frozen=True)
class Group:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes for all."""
        return self.rank == 0

    def device(self, asked: str) -> str:
        """An accelerator of its own where accelerators are asked for."""
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if self.size > 1 and asked == "cuda" else asked

    def part(self, size: int) -> int:
        """This process's part of a step.

        Raises:
            UserError: it doesn't divide.
        """
        if size % self.size:
            raise UserError(f"A step of {size} activations doesn't divide among {self.size} processes; give --batch a multiple of it.")
        return size // self.size

    def mean(self, value: float) -> float:
        """A number's mean over the group."""
        if self.size == 1:
            return value
        held = torch.tensor(value, dtype=torch.float64, device=_device())
        dist.all_reduce(held)
        return float(held) / self.size

    def average(self, tensor: torch.Tensor) -> None:
        """In place."""
        if self.size > 1:
            dist.all_reduce(tensor)
            tensor /= self.size

    def least(self, tensor: torch.Tensor) -> None:
        """Element by element, in place."""
        if self.size > 1:
            dist.all_reduce(tensor, dist.ReduceOp.MIN)

    def share(self, module: nn.Module) -> None:
        """Begins all with the first one's parameters, and averages every gradient as soon as it's whole."""
        if self.size == 1:
            return
        for parameter in module.parameters():
            dist.broadcast(parameter.data, 0)
            parameter.register_post_accumulate_grad_hook(lambda p: self.average(p.grad))

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """Ends this process's part in the group; the last thing it does with it."""
        if self.size > 1:
            dist.destroy_process_group()


def joined() -> Group:
    """The group that torchrun started this process in; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Group()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return Group(dist.get_rank(), dist.get_world_size())


def _device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
