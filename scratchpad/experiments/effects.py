"""Predicted effects of ablating each latent, and real ablations beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from scratchpad.analysis import compare
from scratchpad.analysis.suggest import likeliest, predicted_effects
from scratchpad.errors import UserError
from scratchpad.experiments.trial import Trial
from scratchpad.records import Analysis, Effect, Verified
from scratchpad.records.edit import ablation


def predict(trial: Trial) -> dict[int, float]:
    """Predicted change of the answer's log-probability when each active latent is ablated, nats: one backward pass."""
    latents, effects = _predicted(trial, trial.gradient(trial.run.answer_ids))
    return dict(zip(latents.tolist(), effects.astype(float).tolist(), strict=True))


def _predicted(trial: Trial, gradient: Float[np.ndarray, "p d"]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    return predicted_effects(trial.sae, trial.codes, gradient, trial.run.states())


def ranked(trial: Trial, analysis: Analysis, wanted: tuple[int, ...] | None = None) -> list[int]:
    """Every active latent, those first that the answer is likeliest to rest on: one backward pass, or two.

    Args:
        wanted: another answer's tokens; then those first that are likeliest to make it of the one that was given.
    """
    latents, effects = _predicted(trial, trial.odds_gradient(trial.run.answer_ids))
    if wanted is not None:  # what the answer loses, and the other gains
        effects = effects - _predicted(trial, trial.odds_gradient(wanted))[1]
    scores = {latent.id: latent.score for latent in analysis.latents}
    weighted = np.array([scores[latent] for latent in latents.tolist()], np.float32)
    return [int(i) for i in latents[likeliest(effects, weighted)]]


def verify(trial: Trial, analysis: Analysis, most: int | None) -> Verified:
    """Ablates latents one by one, those first that are likeliest to matter, and sets the effect beside the prediction.

    Args:
        most: how many; None for every active one.

    Raises:
        UserError: fewer than 1.
    """
    if most is not None and most < 1:
        raise UserError(f"{most} latents were asked for; expected at least 1.")
    effects: Mapping[int, float] = analysis.by_effect
    chosen = ranked(trial, analysis)[:most] if effects else []
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
