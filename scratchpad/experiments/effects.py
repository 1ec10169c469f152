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

MAX_STEPS = 256  # gradients of one integration


def predict(trial: Trial) -> dict[int, float]:
    """Predicted change of the answer's log-probability when each active latent is ablated, nats: one backward pass."""
    latents, effects = predicted_effects(trial.sae, trial.codes, trial.gradient(trial.run.answer_ids))
    return dict(zip(latents.tolist(), effects.astype(float).tolist(), strict=True))


def verify(trial: Trial, effects: Mapping[int, float], most: int | None, steps: int) -> Verified:
    """Ablates latents one by one, those of the largest predicted effect first, and sets the effect beside the prediction.

    Args:
        most: how many; None for every active one.
        steps: 1 takes `effects` as predicted; more average that many gradients on the way to no latents at all
            (integrated gradients: Sundararajan et al. 2017, over all latents jointly, the error kept).

    Raises:
        UserError: fewer than 1 of either, or more than MAX_STEPS gradients.
    """
    if (most is not None and most < 1) or not 1 <= steps <= MAX_STEPS:
        raise UserError(f"{most} latents and {steps} gradients were asked for; expected at least 1 of each, at most {MAX_STEPS} gradients.")
    if steps > 1:
        effects = _integrated(trial, steps)
    chosen = sorted(effects, key=lambda latent: -abs(effects[latent]))[:most]
    forced = trial.force([ablation([latent]) for latent in chosen]) if chosen else None
    actual = forced.logprobs.sum(1) - trial.plain.logprobs.sum() if forced else np.zeros(0, np.float32)
    predicted = np.array([effects[latent] for latent in chosen], np.float32)
    rows = zip(chosen, predicted.tolist(), actual.astype(float).tolist(), strict=True)
    return Verified(
        effects=tuple(Effect(latent, trial.name(latent), p, a) for latent, p, a in rows),
        active=len(effects),
        steps=steps,
        spearman=compare.rank_correlation(predicted, actual),
        pearson=compare.correlation(predicted, actual),
    )


def _integrated(trial: Trial, steps: int) -> dict[int, float]:
    written = trial.sae.reconstruct(trial.codes) - trial.sae.b_dec.cpu().numpy()
    slopes = [trial.gradient(trial.run.answer_ids, -written * ((n + 0.5) / steps)) for n in range(steps)]
    latents, effects = predicted_effects(trial.sae, trial.codes, np.mean(slopes, 0))
    return dict(zip(latents.tolist(), effects.astype(float).tolist(), strict=True))
