"""The fewest latents behind an answer, each set really run.

*Comprehensiveness*: without the set the answer changes. *Sufficiency*: with the set alone, all other active latents off, it
stays (DeYoung et al., ERASER, 2020, section 4, for latents instead of words). The suggested set is the first of these,
searched for in one batch among the heatmap's clusters (VisualScratchpad, token-latent heatmap) and the predicted effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scratchpad.analysis import controls
from scratchpad.analysis.suggest import predicted_effects
from scratchpad.errors import UserError
from scratchpad.experiments.search import Search, Set, Tried, Try, keeping, shown_smallest, smallest
from scratchpad.experiments.trial import Trial
from scratchpad.records import Named, Sufficient
from scratchpad.records.edit import ablation

MAX_LATENTS = 32  # in a sufficient set
SUGGESTED = 8  # latents in a suggested set
MEASURED = 32  # latents that are ablated one by one for it
HEADS = (2, 3, 4, 5, 6, 8)  # sizes of heads of the ranking that are tried
CLUSTERS = 10  # of the heatmap


def comprehensive(
    trial: Trial, effects: Mapping[int, float], clusters: Sequence[Set], target: str | None, most: int, max_new_tokens: int
) -> Sufficient:
    """The fewest latents without which the answer changes, or begins with `target`.

    Args:
        effects: of every active latent's ablation on the original answer's log-probability, as predicted, nats.

    Raises:
        UserError: a budget below 1, a target that the model can't say or says already.
    """
    _check(most)
    wanted = None if target is None else trial.unsaid(target)

    def attempt(sets: Sequence[Set]) -> Tried:
        forced = trial.force([ablation(latents) for latents in sets], wanted)
        if wanted is None:
            return (~forced.unchanged).tolist(), forced.logprobs.sum(1)
        return forced.unchanged.tolist(), -forced.logprobs.sum(1)

    candidates = _candidates(trial, effects, wanted)
    search = shown_smallest(smallest(candidates, clusters, attempt, most), candidates, attempt)
    return _described(trial, search, target, attempt, max_new_tokens)


def sufficient(trial: Trial, effects: Mapping[int, float], most: int) -> Sufficient:
    """The fewest latents that keep the answer alone, all other active latents off.

    Raises:
        UserError: a budget below 1.
    """
    _check(most)
    active = trial.codes.active().tolist()

    def attempt(sets: Sequence[Set]) -> Tried:
        forced = trial.force([ablation([latent for latent in active if latent not in latents]) for latents in sets])
        return forced.unchanged.tolist(), -forced.logprobs.sum(1)

    search = keeping(sorted(effects, key=lambda latent: effects[latent]), attempt, most)
    sets, _ = controls.matched_sets(trial.codes, search.latents)
    alike = sum(attempt(sets)[0]) if sets else 0
    return Sufficient(
        side="sufficiency",
        latents=_named(trial, search.latents),
        target=None,
        before=trial.run.answer,
        after=trial.run.answer,
        flipped=bool(search.latents),
        minimality=search.minimality,
        tried=search.tried,
        random_flips=alike,
        n_random_sets=len(sets),
    )


def suggest(
    trial: Trial, effects: Mapping[int, float], clusters: Sequence[Set], max_new_tokens: int
) -> tuple[Sufficient, dict[int, float]]:
    """A set of at most SUGGESTED latents without which the answer changes, and the measured effects of the likeliest latents, nats.

    One batch of real ablations: the MEASURED latents of largest predicted loss alone, heads of that ranking, and each
    cluster's members of largest predicted loss. Where none does it, heads of the measured ranking are tried; where those don't,
    no set is suggested.
    """
    ranked = sorted(effects, key=lambda latent: effects[latent])
    measured: dict[int, float] = {}
    base = float(trial.plain.logprobs.sum())

    def attempt(sets: Sequence[Set]) -> Tried:
        forced = trial.force([ablation(latents) for latents in sets])
        return (~forced.unchanged).tolist(), forced.logprobs.sum(1)

    alone = [(latent,) for latent in ranked[:MEASURED]]
    parts = sorted(clusters, key=lambda cluster: min(effects.get(i, 0.0) for i in cluster))[:CLUSTERS]
    trimmed = [tuple(sorted(part, key=lambda i: effects.get(i, 0.0))[:SUGGESTED]) for part in parts if len(part) > 1]
    sets = list(dict.fromkeys([*alone, *_heads(ranked), *trimmed]))
    works, strength = attempt(sets) if sets else ([], np.zeros(0, np.float32))
    measured = {s[0]: float(v) - base for s, v in zip(sets, strength.tolist(), strict=True) if len(s) == 1}
    best, tried = _fewest(sets, works, strength), len(sets)
    if not best and measured:
        again = [s for s in _heads(sorted(measured, key=lambda latent: measured[latent])) if s not in sets]
        works, strength = attempt(again) if again else ([], np.zeros(0, np.float32))
        best, tried = _fewest(again, works, strength), tried + len(again)
    search = Search(best, "smallest" if len(best) == 1 else "none", tried)
    return _described(trial, search, None, attempt, max_new_tokens), measured


def _fewest(sets: Sequence[Set], works: Sequence[bool], strength: np.ndarray) -> Set:
    good = [i for i, fine in enumerate(works) if fine]
    return sets[min(good, key=lambda i: (len(sets[i]), float(strength[i])))] if good else ()


def _heads(ranked: Sequence[int]) -> list[Set]:
    return [tuple(ranked[:n]) for n in HEADS if n <= len(ranked)]


def _described(trial: Trial, search: Search, target: str | None, attempt: Try, max_new_tokens: int) -> Sufficient:
    """What was found, the answer without it, and what matched sets do."""
    sets, _ = controls.matched_sets(trial.codes, search.latents)
    alike = sum(attempt(sets)[0]) if sets else 0
    after = trial.run.answer
    if search.latents:
        after = trial.generate(trial.change(ablation(search.latents)), max_new_tokens).text
    return Sufficient(
        side="comprehensiveness",
        latents=_named(trial, search.latents),
        target=target,
        before=trial.run.answer,
        after=after,
        flipped=bool(search.latents),
        minimality=search.minimality,
        tried=search.tried,
        random_flips=int(alike),
        n_random_sets=len(sets),
    )


def _named(trial: Trial, latents: Set) -> tuple[Named, ...]:
    return tuple(Named(latent, trial.name(latent)) for latent in latents)


def _check(most: int) -> None:
    if most < 1:
        raise UserError(f"A budget of {most} latents was given; expected at least 1.")


def _candidates(trial: Trial, effects: Mapping[int, float], wanted: tuple[int, ...] | None) -> list[int]:
    """Active latents, those first whose ablation is predicted to do most for it."""
    lost = dict(effects)
    if wanted is not None:  # what the answer loses, and the target gains
        slope = trial.gradient(wanted)
        for latent, gain in zip(*predicted_effects(trial.sae, trial.codes, slope, trial.run.states()), strict=True):
            lost[int(latent)] -= float(gain)
    return sorted(lost, key=lambda latent: lost[latent])
