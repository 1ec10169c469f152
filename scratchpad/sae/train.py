"""Trains an SAE with SAELens on activations held in memory, and saves it in SAELens format.

In: activations (n d) and a few numbers. Out: a folder that `SAE.load_from_disk` and `load_sae` read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Recipe:
    """How an SAE is trained."""

    d_sae: int = 1536
    k: int = 16
    steps: int = 2500
    size: int = 2048  # activations a step
    rate: float = 1e-3
    seed: int = 0


def train_sae(activations: Float[Tensor, "n d"], recipe: Recipe, out: Path, metadata: dict[str, Any]) -> None:
    """Trains a TopK SAE and writes it to `out`, whole or not at all; `metadata` goes into cfg.json."""
    from sae_lens.config import SAETrainerConfig
    from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.manual_seed(recipe.seed)
    config = TopKTrainingSAEConfig(
        d_in=activations.shape[1],
        d_sae=recipe.d_sae,
        k=recipe.k,
        normalize_activations="expected_average_only_in",
    )
    sae = TopKTrainingSAE(config)
    trainer = SAETrainer(
        SAETrainerConfig(
            total_training_samples=recipe.steps * recipe.size,
            train_batch_size_samples=recipe.size,
            lr=recipe.rate,
            lr_end=recipe.rate / 10,
            lr_warm_up_steps=recipe.steps // 20,
            lr_decay_steps=recipe.steps // 3,
            dead_feature_window=200,
            n_batches_for_norm_estimate=20,
        ),
        sae,
        shuffled(activations, recipe.size, recipe.seed),
    )
    trainer.fit()
    for key, value in metadata.items():
        setattr(sae.cfg.metadata, key, value)
    aside = out.with_name(out.name + ".aside")
    shutil.rmtree(aside, ignore_errors=True)
    sae.save_inference_model(aside)
    out.mkdir(parents=True, exist_ok=True)
    for path in aside.iterdir():
        os.replace(path, out / path.name)
    aside.rmdir()


def shuffled(activations: Float[Tensor, "n d"], size: int, seed: int) -> Iterator[Float[Tensor, "b d"]]:
    """Endless batches without replacement within an epoch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        for picked in torch.randperm(len(activations), generator=generator).split(size):
            if len(picked) == size:
                yield activations[picked]
