"""The fewest latents behind an answer, each set really run.

*Comprehensiveness*: without the set the answer changes. *Sufficiency*: with the set alone, all other active latents off, it
stays (DeYoung et al., ERASER, 2020, section 4, for latents instead of words). The suggested set is the first of these,
searched for in one batch among the heatmap's clusters (VisualScratchpad, token-latent heatmap) and the predicted effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scratchpad.analysis import controls
from scratchpad.errors import UserError
from scratchpad.experiments.effects import ranked
from scratchpad.experiments.search import (
    Budget,
    Minimality,
    Search,
    Set,
    Spent,
    Tried,
    Try,
    grown,
    keeping,
    prune,
    shown_smallest,
    smallest,
)
from scratchpad.experiments.trial import Trial
from scratchpad.records import Analysis, Named, Sufficient
from scratchpad.records.edit import ablation
from scratchpad.vlm.batch import at_once

MAX_LATENTS = 32  # in a sufficient set
SUGGESTED = 8  # latents in a suggested set
MEASURED = 32  # latents that are ablated one by one for it
HEADS = (2, 3, 4, 5, 6, 8)  # sizes of heads of the ranking that are tried
CLUSTERS = 10  # of the heatmap
SUGGESTING = 24  # passes of the model that a suggestion may take


def comprehensive(trial: Trial, analysis: Analysis, target: str | None, most: int, passes: int | None = None) -> Sufficient:
    """The fewest latents without which the answer changes, or begins with `target`.

    Args:
        passes: of the model, each of as many sets as are run at once; without it the search ends where it ends.

    Raises:
        UserError: a budget below 1, a target that the model can't say or says already.
    """
    _check(most)
    _check(1 if passes is None else passes, "passes")
    wanted = None if target is None else trial.unsaid(target)

    def attempt(sets: Sequence[Set]) -> Tried:
        forced = trial.force([ablation(latents) for latents in sets], wanted)
        if wanted is None:
            return (~forced.unchanged).tolist(), forced.logprobs.sum(1)
        return forced.unchanged.tolist(), -forced.logprobs.sum(1)

    candidates = _ranked(trial, analysis, wanted)
    budget = Budget(attempt, None if passes is None else passes * at_once(trial.vlm, trial.prepared))
    return _described(trial, _within(budget, candidates, analysis, most), target, attempt, analysis.question.settings.max_new_tokens)


def _within(budget: Budget, candidates: Sequence[int], analysis: Analysis, most: int) -> Search:
    """The search, as far as a budget lets it go."""
    try:
        search = smallest(candidates, _clusters(analysis), budget, most)
    except Spent:
        return budget.search(most)
    try:
        return shown_smallest(search, candidates, budget)
    except Spent:
        return replace(search, tried=budget.tried, spent=True)


def sufficient(trial: Trial, analysis: Analysis, most: int) -> Sufficient:
    """The fewest latents that keep the answer alone, all other active latents off.

    Raises:
        UserError: a budget below 1.
    """
    _check(most)
    active = trial.codes.active().tolist()

    def attempt(sets: Sequence[Set]) -> Tried:
        forced = trial.force([ablation([latent for latent in active if latent not in latents]) for latents in sets])
        return forced.unchanged.tolist(), -forced.logprobs.sum(1)

    search = keeping(_ranked(trial, analysis), attempt, most)
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


def suggest(trial: Trial, analysis: Analysis) -> tuple[Sufficient, dict[int, float]]:
    """A set of at most SUGGESTED latents without which the answer changes, and the measured effects of the likeliest latents, nats.

    One batch of real ablations: the MEASURED likeliest latents alone, heads of that ranking, and the likeliest members of each
    cluster. Where none does it, a set is grown of the measured latents, the next always that whose ablation costs the answer most;
    where that doesn't either, no set is suggested. All of it takes at most SUGGESTING passes of the model: where a pass holds few sets,
    fewer latents are measured.
    """
    base = float(trial.plain.logprobs.sum())

    def attempt(sets: Sequence[Set]) -> Tried:
        forced = trial.force([ablation(latents) for latents in sets])
        return (~forced.unchanged).tolist(), forced.logprobs.sum(1)

    order = _ranked(trial, analysis)
    place = {latent: n for n, latent in enumerate(order)}
    parts = [sorted((i for i in part if i in place), key=place.__getitem__)[:SUGGESTED] for part in _clusters(analysis)]
    parts = sorted((part for part in parts if len(part) > 1), key=lambda part: place[part[0]])[:CLUSTERS]
    allowed = SUGGESTING * at_once(trial.vlm, trial.prepared)
    heads, singles = _heads(order), [(latent,) for latent in order[:MEASURED]]
    sets = list(dict.fromkeys([*singles[: max(1, allowed - len(heads))], *heads, *map(tuple, parts)]))[:allowed]
    works, strength = attempt(sets) if sets else ([], np.zeros(0, np.float32))
    measured = {s[0]: float(v) - base for s, v in zip(sets, strength.tolist(), strict=True) if len(s) == 1}
    best, tried = _fewest(sets, works, strength), len(sets)
    budget = Budget(attempt, allowed - tried)
    try:
        if not best and measured:
            best = grown(sorted(measured, key=lambda latent: measured[latent]), budget, SUGGESTED)
        best = prune(best, budget)
        minimality: Minimality = "smallest" if len(best) == 1 else "local" if best else "none"
        search = Search(best, minimality, tried + budget.tried)
    except Spent:
        smaller = budget.search(SUGGESTED)
        search = replace(smaller, latents=smaller.latents or best, tried=tried + budget.tried)
    return _described(trial, search, None, attempt, analysis.question.settings.max_new_tokens), measured


def _fewest(sets: Sequence[Set], works: Sequence[bool], strength: np.ndarray) -> Set:
    good = [i for i, fine in enumerate(works) if fine]
    return sets[min(good, key=lambda i: (len(sets[i]), float(strength[i])))] if good else ()


def _heads(order: Sequence[int]) -> list[Set]:
    return [tuple(order[:n]) for n in HEADS if n <= len(order)]


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
        spent=search.spent or None,
    )


def _named(trial: Trial, latents: Set) -> tuple[Named, ...]:
    return tuple(Named(latent, trial.name(latent)) for latent in latents)


def _check(most: int, what: str = "latents") -> None:
    if most < 1:
        raise UserError(f"A budget of {most} {what} was given; expected at least 1.")


def _ranked(trial: Trial, analysis: Analysis, wanted: tuple[int, ...] | None = None) -> list[int]:
    return ranked(trial, analysis, wanted) if analysis.effects else []


def _clusters(analysis: Analysis) -> list[Set]:
    return [cluster.latents for cluster in analysis.heatmap.clusters]
