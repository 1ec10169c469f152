"""The search for the smallest set, against oracles whose answer is known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from scratchpad.errors import UserError
from scratchpad.experiments.search import Budget, Set, Spent, Tried, grown, keeping, prune, shown_smallest, smallest
from scratchpad.experiments.suffice import suggest
from scratchpad.records import Analysis
from scratchpad.records.edit import ablation
from scratchpad.vlm.batch import BATCH
from scratchpad.workbench import HOME, Workbench

GALLERY = HOME / "examples" / "scenes"


def oracle(works: Callable[[set[int]], bool]) -> Callable[[Sequence[Set]], Tried]:
    def attempt(sets: Sequence[Set]) -> Tried:
        good = [works(set(one)) for one in sets]
        return good, -np.array([len(set(one)) + 10.0 * fine for one, fine in zip(sets, good, strict=True)])

    return attempt


@pytest.mark.parametrize("needed", [{7}, {3, 11}, {2, 5, 9}, {0, 4, 8, 12, 16, 20, 24}])
def test_finds_the_needed_latents_and_no_other(needed: set[int]) -> None:
    found = smallest(range(40), [], oracle(lambda one: needed <= one), 32)
    assert set(found.latents) == needed
    assert found.minimality != "none"


def test_alternatives_take_the_smaller() -> None:
    works = oracle(lambda one: {1, 2, 3, 4} <= one or {30, 31, 32} <= one)
    assert set(smallest(range(40), [(30, 31, 32, 33)], works, 32).latents) == {30, 31, 32}


def test_nothing_works() -> None:
    found = smallest(range(40), [(1, 2)], oracle(lambda one: False), 32)
    assert (found.latents, found.minimality) == ((), "none")
    assert found.tried > 40


def test_a_budget_is_kept() -> None:
    assert smallest(range(40), [], oracle(lambda one: len(one) >= 6), 5).latents == ()
    assert len(smallest(range(40), [], oracle(lambda one: len(one) >= 6), 6).latents) == 6


@pytest.mark.parametrize("sets", [1, 10, 45, 60, 161])
def test_a_budget_of_sets_ends_a_search_with_the_best_so_far(sets: int) -> None:
    run: list[Set] = []
    works = oracle(lambda latents: latents >= {3, 11, 30})

    def attempt(batch: Sequence[Set]) -> Tried:
        run.extend(batch)
        return works(batch)

    budget = Budget(attempt, sets)
    with pytest.raises(Spent):
        smallest(range(40), [], budget, 32)
    assert len(run) == budget.tried == sets
    search = budget.search(32)
    assert search.spent
    assert search.minimality == "none"
    assert set(search.latents) >= {3, 11, 30} if search.latents else not any(works(run)[0])


def test_a_diagnosis_within_one_pass_says_that_it_stopped(bench: Workbench, analysis: Analysis) -> None:
    search = bench.diagnose(analysis, "nothing at all", passes=1).sufficient
    assert search is not None
    assert search.tried <= BATCH
    assert search.spent or search.flipped
    with pytest.raises(UserError, match="0 passes"):
        bench.suffice(analysis, passes=0)


def test_a_suggestion_takes_no_more_passes_than_it_may(bench: Workbench, analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scratchpad.experiments.suffice.SUGGESTING", 1)
    with bench.vlm.lock:
        suggested, measured = suggest(bench.trial(analysis), analysis)
    assert suggested.tried <= BATCH
    assert 0 < len(measured) < BATCH
    if suggested.flipped:
        assert not bench.forced(analysis, [ablation(suggested.ids)]).unchanged[0]


def test_pruning_ends_where_nothing_can_be_left_out() -> None:
    works = oracle(lambda one: len(one & {1, 2, 3}) >= 2)
    left = prune((1, 2, 3, 4, 5), works)
    assert works([left])[0] == [True]
    assert not any(works(list(itertools.combinations(left, len(left) - 1)))[0])


def test_a_grown_set_takes_what_does_most_next() -> None:
    weight = {1: 3.0, 4: 2.0, 9: 2.0, 2: 0.1, 3: 0.1}

    def attempt(sets: Sequence[Set]) -> Tried:
        sums = np.array([sum(weight.get(latent, 0.0) for latent in latents) for latents in sets])
        return (sums > 6).tolist(), -sums

    assert set(grown([1, 2, 3, 4, 9], attempt, 8)) == {1, 4, 9}
    assert grown([1, 2, 3, 4, 9], attempt, 2) == ()
    assert grown([], attempt, 8) == ()


def test_the_fewest_that_keep_it_alone() -> None:
    works = oracle(lambda latents: {1, 5, 9} <= latents)
    assert set(keeping(range(40), works, 32).latents) == {1, 5, 9}
    assert keeping(range(40), works, 8).latents == ()


def test_that_no_smaller_set_does_it_is_shown_by_trying_all() -> None:
    works = oracle(lambda latents: {3, 11} <= latents)
    search = smallest(range(40), [], works, 32)
    assert search.minimality == "local"
    shown = shown_smallest(search, range(40), works)
    assert (shown.minimality, shown.tried - search.tried) == ("smallest", 40)
    hidden = oracle(lambda latents: {3, 11} <= latents or 39 in latents)
    assert shown_smallest(search, range(40), hidden).latents == (39,)


def test_a_found_set_is_true_of_the_model(bench: Workbench, analysis: Analysis) -> None:
    least = bench.suffice(analysis)
    assert least.flipped
    assert least.after != least.before == analysis.run.answer
    assert bench.ablate(analysis, ablation(least.ids)).after.text == least.after
    for out in least.ids if len(least.ids) > 1 else ():
        rest = [latent for latent in least.ids if latent != out]
        assert bench.ablate(analysis, ablation(rest)).after.text == least.before


def test_a_kept_set_alone_keeps_the_answer(bench: Workbench) -> None:
    analysis = bench.analyze(GALLERY / "octopus.png", "What animal is there?")
    kept = bench.keep(analysis)
    others = [latent for latent in analysis.codes.active().tolist() if latent not in kept.ids]
    assert kept.flipped
    assert bench.forced(analysis, [ablation(others)]).unchanged[0]
    assert kept.minimality == "local"
    for out in kept.ids[:3] if len(kept.ids) > 1 else ():
        assert not bench.forced(analysis, [ablation([*others, out])]).unchanged[0]


def test_what_is_suggested_was_run(bench: Workbench, analysis: Analysis) -> None:
    suggested = bench.suggest(analysis)
    assert suggested.suggested is not None
    assert suggested.suggested.flipped
    assert len(suggested.suggested.ids) <= 8
    assert bench.ablate(analysis, ablation(suggested.suggested.ids)).after.text == suggested.suggested.after != analysis.run.answer
    latent, effect = suggested.measured[0]
    assert bench.ablate(analysis, ablation([latent])).effect == pytest.approx(effect, abs=1e-3)


@pytest.mark.parametrize(("target", "most", "says"), [(None, 0, "budget of 0"), ("", 4, "can't say"), ("{answer}", 4, "already begins")])
def test_bad_requests_are_one_sentence(bench: Workbench, analysis: Analysis, target: str | None, most: int, says: str) -> None:
    with pytest.raises(UserError, match=says):
        bench.suffice(analysis, target and target.format(answer=analysis.run.answer), most)
