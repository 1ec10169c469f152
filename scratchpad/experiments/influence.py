"""From latents at one hook point to latents at a later one, by intervention: each is ablated, and what the later ones do is read off.

In: a trial (model, SAE, answer), another SAE's sight of the same model, which latents. Out: `Influence`. Every number is a pass of the
model with the answer teacher-forced; no weight and no gradient is looked at. A pass ends at the later point.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from scratchpad.analysis.controls import masses, matched_sets
from scratchpad.errors import UserError
from scratchpad.experiments.trial import Trial
from scratchpad.progress import step
from scratchpad.records import Codes, Named, ablation
from scratchpad.records.influence import Influence, Source, Target
from scratchpad.records.question import ModelRef, SaeRef
from scratchpad.sae.load import Sae
from scratchpad.vlm.logprobs import forced_logits
from scratchpad.vlm.points import changing_at, recording_at, rows_of, stopping_at
from scratchpad.vlm.reuse import reusing

SAME = 1e-6  # of a share: below, two effects differ by rounding alone


def influence(trial: Trial, onto: Trial, sources: Sequence[int], targets: Sequence[int], controls: int) -> Influence:
    """Ablates each source, and latents of like mass in its stead, and reads the targets' activation mass.

    Args:
        onto: the same answer of the same model, read by another SAE at a later point.
        sources, targets: active latents of the two.
        controls: others for each source, at most.

    Raises:
        UserError: the other SAE reads the same point or an earlier one; a latent doesn't fire.
    """
    if onto.sae.at.order <= trial.sae.at.order:
        raise UserError(f"{onto.sae.name} reads {onto.sae.at}, which isn't behind {trial.sae.at}; name an SAE of a later point.")
    for codes, latents, where in ((trial.codes, sources, trial.sae), (onto.codes, targets, onto.sae)):
        if not latents:
            raise UserError(f"No latent of {where.name} fires on this picture, so there is nothing to follow; ask about another.")
        silent = sorted(set(latents) - set(masses(codes)[0].tolist()))
        if silent:
            raise UserError(f"Latent {silent[0]} of {where.name} doesn't fire on this picture; choose one that does.")
    others = {source: tuple(row[0] for row in matched_sets(trial.codes, (source,), controls)[0]) for source in sources}
    ablated = sorted({*sources, *(other for row in others.values() for other in row)})
    plain = _masses(_seen(trial, onto.sae, None), targets)
    shares = {}
    for n, latent in enumerate(ablated):
        step("ablating", n, len(ablated))
        shares[latent] = (_masses(_seen(trial, onto.sae, latent), targets) - plain) / plain
    answers = trial.force([ablation([source]) for source in sources]).logprobs.sum(1) - trial.plain.logprobs.sum()
    effects = np.stack([shares[source] for source in sources])
    beside = [
        np.stack([shares[other] for other in others[source]]) if others[source] else np.zeros((0, len(targets))) for source in sources
    ]
    rows = zip(sources, answers.astype(float).tolist(), strict=True)
    return Influence(
        model=ModelRef(trial.vlm.name, trial.vlm.identity),
        sae=_ref(trial.sae),
        onto=_ref(onto.sae),
        answer=trial.run.answer,
        sources=tuple(Source(Named(latent, trial.name(latent)), effect, others[latent]) for latent, effect in rows),
        targets=tuple(Target(Named(latent, onto.name(latent)), float(mass)) for latent, mass in zip(targets, plain, strict=True)),
        effects=tuple(tuple(row) for row in effects.astype(float).tolist()),
        as_much=tuple(_as_much(own, rest) for own, rest in zip(effects, beside, strict=True)),
        as_much_anywhere=tuple(_as_much(own, _furthest(rest)) for own, rest in zip(effects, beside, strict=True)),
        expected=sum(len(targets) / (1 + len(row)) for row in others.values()),
        expected_sources=sum(1 / (1 + len(row)) for row in others.values()),
    )


@torch.no_grad()
def _seen(trial: Trial, sae: Sae, latent: int | None) -> Codes:
    """Codes at another SAE's point, one latent of the trial's ablated."""
    vlm, prepared, ids = trial.vlm, trial.prepared, trial.run.answer_ids
    change = None if latent is None else trial.change(ablation([latent]))
    rows = np.zeros_like(trial.run.states()) if change is None else change.rows
    delta = torch.from_numpy(rows)[None].to(vlm.adapter.device)
    with (
        reusing(vlm, trial.clean, 0, 1),  # vision blocks up to the change; no keys and values, as all positions are read
        changing_at(vlm, trial.sae.at, prepared, delta, [None if change is None else change.later]),
        recording_at(vlm, sae.at, prepared.image_positions) as recorded,
        stopping_at(vlm, sae.at),
    ):
        forced_logits(vlm, prepared.inputs, prepared.length, ids)
    return sae.encode(rows_of(recorded, sae.at, prepared, len(ids)).float().cpu().numpy())


def _masses(codes: Codes, latents: Sequence[int]) -> Float[np.ndarray, " n"]:
    """Activation mass of some latents; 0 of those that are silent."""
    active, mass = masses(codes)
    known = dict(zip(active.tolist(), mass.tolist(), strict=True))
    return np.array([known.get(latent, 0.0) for latent in latents])


def _as_much(own: Float[np.ndarray, " t"], others: Float[np.ndarray, "o t"]) -> tuple[int, ...]:
    """How many of the others move each target at least as much; what nobody moves, all equal."""
    return tuple((abs(others) >= abs(own) - SAME).sum(0).tolist())


def _furthest(others: Float[np.ndarray, "o t"]) -> Float[np.ndarray, "o t"]:
    """Each one's largest effect, at every target: the null of the maximum (Westfall & Young 1993)."""
    return np.broadcast_to(abs(others).max(1, keepdims=True), others.shape)


def _ref(sae: Sae) -> SaeRef:
    return SaeRef(sae.name, sae.identity, sae.at.layer, sae.d_sae, sae.at.younger)
