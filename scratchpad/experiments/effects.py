"""Predicted effects of ablating each latent, and real ablations beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scratchpad.analysis import compare
from scratchpad.analysis.suggest import predicted_effects
from scratchpad.errors import UserError
from scratchpad.experiments.trial import Trial
from scratchpad.records import Effect, Verified
from scratchpad.records.edit import ablation


def predict(trial: Trial) -> dict[int, float]:
    """Predicted change of the answer's log-probability when each active latent is ablated, nats: one backward pass."""
    latents, effects = predicted_effects(trial.sae, trial.codes, trial.gradient(trial.run.answer_ids), trial.run.states())
    return dict(zip(latents.tolist(), effects.astype(float).tolist(), strict=True))


def verify(trial: Trial, effects: Mapping[int, float], most: int | None) -> Verified:
    """Ablates latents one by one, those of the largest predicted effect first, and sets the effect beside the prediction.

    Args:
        effects: predicted, by latent, nats.
        most: how many; None for every active one.

    Raises:
        UserError: fewer than 1.
    """
    if most is not None and most < 1:
        raise UserError(f"{most} latents were asked for; expected at least 1.")
    chosen = sorted(effects, key=lambda latent: -abs(effects[latent]))[:most]
    forced = trial.force([ablation([latent]) for latent in chosen]) if chosen else None
    actual = forced.logprobs.sum(1) - trial.plain.logprobs.sum() if forced else np.zeros(0, np.float32)
    predicted = np.array([effects[latent] for latent in chosen], np.float32)
    rows = zip(chosen, predicted.tolist(), actual.astype(float).tolist(), strict=True)
    return Verified(
        effects=tuple(Effect(latent, trial.name(latent), p, a) for latent, p, a in rows),
        active=len(effects),
        spearman=compare.rank_correlation(predicted, actual),
        pearson=compare.correlation(predicted, actual),
    )
