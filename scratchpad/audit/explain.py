"""Explains wrong rows, and as many right ones that are matched to them, in a budget of seconds spread over kinds of failure.

In: answers, their groups, a workbench. Out: `Explained`s, each a file of its own beside the answers, so that an audit that is killed goes
on. Groups take turns, in a group the pairs of an expected answer and what was said in its stead: no kind of failure takes all.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from scratchpad.audit.answers import Answers
from scratchpad.audit.rows import Rows
from scratchpad.errors import UserError
from scratchpad.experiments.diagnose import COMMON
from scratchpad.files import write_whole
from scratchpad.progress import step
from scratchpad.records import Analysis, Named
from scratchpad.records.audit import Explained
from scratchpad.records.codec import dumps
from scratchpad.records.reading import written
from scratchpad.workbench import Workbench

CONCEPTS = 12  # of the answer's, that are written down
BUDGET = 600.0  # seconds


@dataclass(frozen=True)
class Explainer:
    """What explains rows: data, model and SAE."""

    bench: Workbench
    rows: Rows
    max_new_tokens: int

    def analysis(self, number: int) -> Analysis:
        """A row, asked.

        Raises:
            UserError: its picture can't be read any more.
        """
        row = self.rows.rows[number]
        return self.bench.analyze(self.rows.picture(row), row.question, self.max_new_tokens)

    def __call__(self, answers: Answers, number: int) -> Explained:
        """One row."""
        begun = time.monotonic()
        wrong, expected = bool(answers.wrong[number]), answers.expected[number]
        sufficient = diagnosis = None
        concepts: tuple[Named, ...] = ()
        failed = ""
        try:
            analysis = self.analysis(number)
            telling = [latent for latent in analysis.latents if latent.sparsity is None or latent.sparsity <= COMMON]
            concepts = tuple(Named(latent.id, latent.name) for latent in telling[:CONCEPTS])
            if wrong:
                diagnosis = self.bench.diagnose(analysis, expected)
                sufficient = diagnosis.sufficient
            else:
                sufficient = self.bench.suggest(analysis).suggested
        except UserError as error:  # an expected answer that the model's tokenizer can't make, among others
            failed = str(error)
        right = bool(answers.right[number]) if answers.right[number] or wrong else None
        seconds = time.monotonic() - begun
        asked, said = answers.questions[number], answers.said[number]
        return Explained(answers.ids[number], asked, said, expected, right, concepts, sufficient, diagnosis, failed, seconds)


def explain(out: Path, answers: Answers, group: Mapping[str, str], explainer: Explainer, budget: float) -> list[Explained]:
    """Rows in turns until the budget is used up; what an earlier run explained counts as used.

    Args:
        group: of a row, by its id.
        budget: seconds.

    Raises:
        UserError: they can't be written.
    """
    folder = out / "explained"
    done: list[Explained] = []
    spent = 0.0
    for number in turns(answers, group):
        path = folder / f"{hashlib.sha256(answers.ids[number].encode()).hexdigest()[:24]}.json"
        explained = written(Explained, path)
        if explained is None:
            if spent >= budget:
                continue
            explained = explainer(answers, number)
            try:
                folder.mkdir(exist_ok=True)
                write_whole(path, dumps(explained))
            except OSError as error:
                raise UserError(f"{out} can't be written to ({error.strerror or error}); free space and go on.") from error
        done.append(explained)
        spent += explained.seconds
        step("explaining", round(min(spent, budget)), round(budget), outer=True)
    return done


def turns(answers: Answers, group: Mapping[str, str]) -> Iterator[int]:
    """Rows in the order in which they are explained: a wrong one of each group in turn, each followed by a right one matched to it.

    Within a group each pair of an expected answer and what was said in its stead takes its turn, the most frequent first. Without
    expected answers, every answer is a pair. Rows whose picture is unlike those that the index was made of are left out.

    Args:
        group: of a row, by its id; wrong rows of none are one more.
    """
    usable = ~answers.unlike & [not failed for failed in answers.failed]
    judged = bool((answers.wrong | answers.right).any())
    kinds: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    for n in np.flatnonzero(usable & answers.wrong if judged else usable).tolist():
        kinds[group.get(answers.ids[n], "")][answers.wanted[n], answers.given[n]].append(n)
    orders = [list(_in_turn(sorted(pairs.values(), key=lambda rows: -len(rows)))) for pairs in kinds.values()]
    matches = _matches(answers, answers.right & usable)
    for number in _in_turn(sorted(orders, key=lambda rows: -len(rows))):
        yield number
        match = next(matches(number), None)
        if judged and match is not None:
            yield match


def _in_turn(lists: Sequence[list[int]]) -> Iterator[int]:
    """The first of each, the second of each, and so on."""
    for turn in range(max(map(len, lists), default=0)):
        yield from (rows[turn] for rows in lists if turn < len(rows))


def _matches(answers: Answers, right: Bool[np.ndarray, " n"]) -> Callable[[int], Iterator[int]]:
    """For a wrong row, right ones not taken yet: of the same expected answer and question, of the same answer, of the same question."""
    by: dict[tuple[str, str], list[int]] = defaultdict(list)
    taken: set[int] = set()

    def keys(n: int) -> tuple[tuple[str, str], ...]:
        wanted, asked = answers.wanted[n], answers.questions[n]
        return (wanted, asked), (wanted, ""), ("", asked)

    def of(row: int) -> Iterator[int]:
        for n in (n for key in keys(row) for n in by[key] if n not in taken):
            taken.add(n)
            yield n

    for n in np.flatnonzero(right).tolist():
        for key in keys(n):
            by[key].append(n)
    return of
