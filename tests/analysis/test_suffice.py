"""The search for the smallest set, against oracles whose answer is known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scratchpad.analysis.suffice import Set, Tried, prune, smallest

from scratchpad.errors import UserError
from scratchpad.records import Analysis
from scratchpad.workbench import Workbench


def oracle(works: Callable[[set[int]], bool]) -> Callable[[Sequence[Set]], Tried]:
    def attempt(sets: Sequence[Set]) -> Tried:
        good = [works(set(one)) for one in sets]
        return good, -np.array([len(set(one)) + 10.0 * fine for one, fine in zip(sets, good, strict=True)])

    return attempt


@pytest.mark.parametrize("needed", [{7}, {3, 11}, {2, 5, 9}, {0, 4, 8, 12, 16, 20, 24}])
def test_finds_the_needed_latents_and_no_other(needed: set[int]) -> None:
    found = smallest(range(40), [], oracle(lambda one: needed <= one), 32)
    assert set(found.latents) == needed
    assert found.minimal


def test_alternatives_take_the_smaller() -> None:
    works = oracle(lambda one: {1, 2, 3, 4} <= one or {30, 31, 32} <= one)
    assert set(smallest(range(40), [(30, 31, 32, 33)], works, 32).latents) == {30, 31, 32}


def test_nothing_works() -> None:
    found = smallest(range(40), [(1, 2)], oracle(lambda one: False), 32)
    assert (found.latents, found.minimal) == ((), False)
    assert found.tried > 40


def test_a_budget_is_kept() -> None:
    assert smallest(range(40), [], oracle(lambda one: len(one) >= 6), 5).latents == ()
    assert len(smallest(range(40), [], oracle(lambda one: len(one) >= 6), 6).latents) == 6


def test_pruning_ends_where_nothing_can_be_left_out() -> None:
    works = oracle(lambda one: len(one & {1, 2, 3}) >= 2)
    left = prune((1, 2, 3, 4, 5), works)
    assert works([left])[0] == [True]
    assert not any(works(list(itertools.combinations(left, len(left) - 1)))[0])


def test_a_found_set_is_true_of_the_model(bench: Workbench, found: Analysis) -> None:
    from scratchpad.analysis.edit import ablation

    least = bench.suffice(found)
    assert least.flipped
    assert least.after != least.before == found.run.answer
    assert bench.ablate(found, ablation(least.latents)).after.text == least.after
    for out in least.latents if len(least.latents) > 1 else ():
        rest = [latent for latent in least.latents if latent != out]
        assert bench.ablate(found, ablation(rest)).after.text == least.before


@pytest.mark.parametrize(("target", "most", "says"), [(None, 0, "budget of 0"), ("", 4, "can't say"), ("{answer}", 4, "already begins")])
def test_bad_requests_are_one_sentence(bench: Workbench, found: Analysis, target: str | None, most: int, says: str) -> None:
    with pytest.raises(UserError, match=says):
        bench.suffice(found, target and target.format(answer=found.run.answer), most)
