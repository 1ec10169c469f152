"""Trains SAEs with SAELens' own classes and trainer, and saves them in SAELens format.

In: batches of activations and a `Recipe`. Out: a folder that `SAE.load_from_disk` and `load_sae` read, whole or not at all.
A run writes checkpoints and goes on from the last after any interruption.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.files import add_files, replace_folder, restore_folder
from scratchpad.sae.config import sign
from scratchpad.sae.parallel import Group

if TYPE_CHECKING:
    from sae_lens.config import SAETrainerConfig
    from sae_lens.saes.sae import TrainStepOutput

ARCHITECTURES = ("topk", "batchtopk", "matryoshka", "standard")
ALONE = Group()
DEAD = 200  # steps without firing after which a latent counts as dead
ESTIMATED = 20  # batches from which the scale of activations is taken


@dataclass(frozen=True)
class Recipe:
    """How an SAE is trained."""

    d_sae: int = 1536
    k: int = 16  # of topk, batchtopk and matryoshka
    steps: int = 2500
    size: int = 2048  # activations a step
    rate: float = 1e-3
    seed: int = 0
    architecture: str = "topk"
    l1: float = 5.0  # weight of the L1 penalty of `standard`
    centred: bool = False  # whether the decoder's bias begins at the mean, which takes it thousands of steps to find from 0


Position = tuple[int, int]  # epochs gone through, and pictures of the one under way
POSITION = "position.json"  # in a checkpoint


def read_position(outs: Sequence[Path]) -> Position:
    """Where the data of a training that was interrupted goes on: the least of several that share it; the beginning where one has none."""
    positions = []
    for out in outs:
        checkpoint = out / "checkpoint"
        restore_folder(checkpoint)
        try:
            epoch, seen = json.loads((checkpoint / POSITION).read_text())
        except (OSError, ValueError, TypeError):  # there is none, or it was made before it said where it was
            epoch, seen = 0, 0
        positions.append((int(epoch), int(seen)))
    return min(positions, default=(0, 0))


class Fit:
    """One SAE under training: SAELens' trainer, stepped from outside so that several can share a pass over the images.

    Args:
        position: where the data is, to be kept with every checkpoint; `read_position` gives it back.
        frozen: tensors such as W_dec that stay as chance made them.

    Raises:
        UserError: an unknown architecture, a width or k that makes no SAE, a damaged checkpoint.
    """

    def __init__(
        self,
        recipe: Recipe,
        d_in: int,
        batches: Iterator[Float[Tensor, "b d"]],
        out: Path,
        device: str = "cpu",
        group: Group = ALONE,
        position: Callable[[], Position] = lambda: (0, 0),
        frozen: Sequence[str] = (),
    ):
        from sae_lens.training.sae_trainer import SAETrainer

        torch.manual_seed(recipe.seed)
        self.recipe, self.out, self.batches, self.group, self.position = recipe, out, batches, group, position
        self.begun, self.first = time.monotonic(), 0
        kind, config = _training(recipe, d_in, device)
        checkpoint = out / "checkpoint"
        restore_folder(checkpoint)
        try:
            self.sae = kind.load_from_disk(checkpoint, device=device) if checkpoint.is_dir() else kind(config)
            self.trainer: Any = SAETrainer(_schedule(recipe, device), self.sae, batches)
            if checkpoint.is_dir():
                self.trainer.load_trainer_state(checkpoint)
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            if not checkpoint.is_dir():
                raise
            raise UserError(f"The checkpoint {checkpoint} is damaged or of another recipe ({error}); delete it to begin again.") from error
        if checkpoint.is_dir() and (self.sae.cfg.d_in, self.sae.cfg.d_sae) != (d_in, recipe.d_sae):
            raise UserError(f"The checkpoint {checkpoint} is of an SAE of {self.sae.cfg.d_in} x {self.sae.cfg.d_sae}; give another --out.")
        self.sae.to(device)
        for tensor in frozen:
            getattr(self.sae, tensor).requires_grad_(False)
        self.first = self.trainer.n_training_steps
        if self.sae.cfg.normalize_activations == "expected_average_only_in" and self.trainer.activation_scaler.scaling_factor is None:
            scaler = self.trainer.activation_scaler
            scaler.estimate_scaling_factor(d_in=d_in, data_provider=batches, n_batches_for_norm_estimate=ESTIMATED)
            scaler.scaling_factor = group.mean(scaler.scaling_factor)
            if recipe.centred:
                mean = torch.cat([next(batches) for _ in range(ESTIMATED)]).mean(0).to(device)
                group.average(mean)
                self.sae.b_dec.data = mean * scaler.scaling_factor
        group.share(self.sae)

    @property
    def step(self) -> int:
        """How many steps it has been trained for, those before an interruption too."""
        return int(self.trainer.n_training_steps)

    def advance(self) -> TrainStepOutput:
        """One step of SAELens' trainer; what it puts out."""
        self.trainer.maybe_reset_sparsity()
        output: TrainStepOutput = self.trainer.step(next(self.batches))
        self.trainer.n_training_steps += 1
        self.group.least(self.trainer.n_forward_passes_since_fired)
        return output

    def numbers(self, output: TrainStepOutput) -> dict[str, float]:
        """How it goes: loss, L0, variance explained, dead share, activations a second, seconds left."""
        x, hat, codes = output.sae_in, output.sae_out, output.feature_acts
        spent = time.monotonic() - self.begun
        rate = (self.step - self.first) / max(spent, 1e-9)
        return {
            "step": self.step,
            "loss": float(output.loss.detach()),
            "l0": float((codes > 0).float().sum(-1).mean()),
            "variance_explained": float(1 - ((x - hat).square().sum() / (x - x.mean(0)).square().sum()).detach()),
            "dead_share": float((self.trainer.n_forward_passes_since_fired > DEAD).float().mean()),
            "per_second": rate * self.recipe.size * self.group.size,
            "left": (self.recipe.steps - self.step) / max(rate, 1e-9),
        }

    def checkpoint(self) -> None:
        """Keeps everything that's needed to go on; the one before stays until this one is whole. The group's first writes it."""
        if self.group.first:
            self._checkpoint()
        self.group.wait()

    def _checkpoint(self) -> None:
        try:
            with replace_folder(self.out / "checkpoint") as aside:
                self.trainer.save_checkpoint(aside.name, base_path=str(self.out))
                (aside / POSITION).write_text(json.dumps(self.position()))
        except OSError as error:
            raise UserError(f"{self.out} can't be written to ({error.strerror or error}); make room: the last checkpoint stays.") from error

    def finish(self, metadata: Mapping[str, object]) -> None:
        """Folds the scale of the input into the weights and writes the SAE; `metadata` goes into cfg.json."""
        if self.trainer.activation_scaler.scaling_factor is not None:
            self.sae.fold_activation_norm_scaling_factor(self.trainer.activation_scaler.scaling_factor)
            self.trainer.activation_scaler.scaling_factor = None
        self.trainer.set_final_sae_metadata()
        for key, value in metadata.items():
            setattr(self.sae.cfg.metadata, key, value)
        try:
            with add_files(self.out, last="cfg.json") as aside:
                self.sae.save_inference_model(aside)
                sign(aside)
        except OSError as error:
            said = f"{self.out} can't be written to ({error.strerror or error})"
            raise UserError(f"{said}; make room and start again: the last checkpoint stays.") from error
        shutil.rmtree(self.out / "checkpoint", ignore_errors=True)


def fit(fits: list[Fit], say: Callable[[Fit, dict[str, float]], None], every: int = 500, often: int = 20) -> None:
    """Steps all of them in turn until each has its steps; a checkpoint `every` so many, numbers `often`."""
    while unfinished := [training for training in fits if training.step < training.recipe.steps]:
        for training in unfinished:
            output = training.advance()
            if training.group.first and (training.step % often == 0 or training.step == training.recipe.steps):
                say(training, training.numbers(output))
            if training.step % every == 0 and training.step < training.recipe.steps:
                training.checkpoint()


def train_sae(
    activations: Float[Tensor, "n d"], recipe: Recipe, out: Path, metadata: Mapping[str, object], frozen: Sequence[str] = ()
) -> None:
    """Trains on activations held in memory; `frozen` names tensors that stay as chance made them."""
    training = Fit(recipe, activations.shape[1], shuffled(activations, recipe.size, recipe.seed), out, frozen=frozen)
    fit([training], lambda training, numbers: None, every=recipe.steps)
    training.finish(metadata)


def shuffled(activations: Float[Tensor, "n d"], size: int, seed: int) -> Iterator[Float[Tensor, "b d"]]:
    """Endless batches without replacement within an epoch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        for picked in torch.randperm(len(activations), generator=generator).split(size):
            if len(picked) == size:
                yield activations[picked].float()


def _training(recipe: Recipe, d_in: int, device: str) -> tuple[Any, Any]:
    """SAELens' class for an architecture, and its configuration."""
    import sae_lens.saes as saes

    if recipe.architecture not in ARCHITECTURES:
        raise UserError(f"The architecture {recipe.architecture!r} was asked for; expected one of {', '.join(ARCHITECTURES)}.")
    if recipe.d_sae < 1 or recipe.steps < 1 or recipe.size < 1 or not 0 < recipe.k <= recipe.d_sae:
        raise UserError(
            f"{recipe.d_sae} latents, {recipe.k} of them active, {recipe.steps} steps of {recipe.size} activations were asked for; "
            "expected at least 1 of each, and no more active than there are."
        )
    shared: dict[str, Any] = {
        "d_in": d_in,
        "d_sae": recipe.d_sae,
        "device": device,
        "normalize_activations": "expected_average_only_in",
    }
    if recipe.architecture == "topk":
        return saes.TopKTrainingSAE, saes.TopKTrainingSAEConfig(**shared, k=recipe.k)
    if recipe.architecture == "batchtopk":
        return saes.BatchTopKTrainingSAE, saes.BatchTopKTrainingSAEConfig(**shared, k=recipe.k)
    if recipe.architecture == "matryoshka":
        widths = [recipe.d_sae // 2**n for n in (4, 3, 2, 1) if recipe.d_sae // 2**n >= recipe.k] + [recipe.d_sae]
        config = saes.MatryoshkaBatchTopKTrainingSAEConfig(**shared, k=recipe.k, matryoshka_widths=widths)
        return saes.MatryoshkaBatchTopKTrainingSAE, config
    return saes.StandardTrainingSAE, saes.StandardTrainingSAEConfig(**shared, l1_coefficient=recipe.l1)


def _schedule(recipe: Recipe, device: str) -> SAETrainerConfig:
    from sae_lens.config import LoggingConfig, SAETrainerConfig

    return SAETrainerConfig(
        total_training_samples=recipe.steps * recipe.size,
        train_batch_size_samples=recipe.size,
        device=device,
        lr=recipe.rate,
        lr_end=recipe.rate / 10,
        lr_warm_up_steps=recipe.steps // 20,
        lr_decay_steps=recipe.steps // 3,
        dead_feature_window=DEAD,
        n_batches_for_norm_estimate=ESTIMATED,
        logger=LoggingConfig(log_to_wandb=False),
    )
