"""All answers of an audit as columns, their latents as sparse matrices.

In: the parts that `answer` wrote. Out: `Answers`. Runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int
from scipy import sparse

from scratchpad.audit.answer import read_answers
from scratchpad.audit.compare import normalised

MOSTLY = 0.8  # of the rows that a name is said of


@dataclass(frozen=True)
class Answers:
    """n rows with an answer or a reason why they have none; l latents."""

    ids: list[str] = field(repr=False)
    questions: list[str] = field(repr=False)
    expected: list[str] = field(repr=False)  # as written
    said: list[str] = field(repr=False)  # as written
    failed: list[str] = field(repr=False)
    unlike: Bool[np.ndarray, " n"] = field(repr=False)
    right: Bool[np.ndarray, " n"] = field(repr=False)
    wrong: Bool[np.ndarray, " n"] = field(repr=False)  # neither where no answer is expected or given
    logprob: Float[np.ndarray, " n"] = field(repr=False)
    least: Float[np.ndarray, " n"] = field(repr=False)
    peaks: sparse.csr_matrix = field(repr=False)  # n x l
    scores: sparse.csr_matrix = field(repr=False)  # n x l
    shows: list[frozenset[str]] = field(repr=False)  # names claimed of each picture, normalised

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def place(self) -> dict[str, int]:
        """A row's place by its id."""
        return {name: n for n, name in enumerate(self.ids)}

    @cached_property
    def wanted(self) -> list[str]:
        """Expected answers, normalised."""
        return [normalised(text) for text in self.expected]

    @cached_property
    def given(self) -> list[str]:
        """Answers, normalised."""
        return [normalised(text) for text in self.said]

    def named_in(self, rows: Sequence[int], label: Callable[[int], str]) -> Callable[[int], str]:
        """What latents may be called of some rows: their label, with a question mark unless most of these pictures are claimed to show it.

        Args:
            rows: by their places.
            label: of a latent, whatever the picture.
        """

        def name(latent: int) -> str:
            text = label(latent)
            claimed = sum(normalised(text) in self.shows[n] for n in rows)
            return text if claimed >= MOSTLY * max(1, len(rows)) or not text else f"{text}?"

        return name

    @cached_property
    def words(self) -> tuple[list[str], sparse.csr_matrix]:
        """Words of the questions, and which row has which: n x words."""
        return counted([words_of(text) for text in self.questions])

    def has(self, latents: Sequence[int]) -> Bool[np.ndarray, " n"]:
        """Rows on whose picture any of some latents is active."""
        return np.asarray((self.peaks[:, list(latents)] > 0).sum(1)).ravel() > 0

    def where(self, rows: Bool[np.ndarray, " n"] | Int[np.ndarray, " k"]) -> list[str]:
        """Ids of some rows."""
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        return [self.ids[n] for n in numbers]


def words_of(text: str) -> set[str]:
    """Its words in small letters."""
    return set(re.findall(r"[^\W_]+", text.lower()))


def counted(texts: Sequence[set[str]]) -> tuple[list[str], sparse.csr_matrix]:
    """All words of some texts, in order, and which text has which: n x words, of 0 and 1."""
    every = sorted(set().union(*texts))
    number = {word: n for n, word in enumerate(every)}
    columns = [number[word] for text in texts for word in sorted(text)]
    starts = np.cumsum([0, *(len(text) for text in texts)])
    return every, sparse.csr_matrix((np.ones(len(columns)), columns, starts), (len(texts), len(every)))


def load_answers(out: Path, count: int, d_sae: int) -> Answers:
    """The answers of an audit.

    Raises:
        UserError: a part is damaged.
    """
    table = pa.concat_tables(read_answers(out, count))
    text = {name: table.column(name).to_pylist() for name in ("id", "question", "expected", "answer", "failed", "unlike", "shows", "right")}
    numbers = {name: table.column(name).to_numpy() for name in ("logprob", "least")}
    lists = {name: table.column(name).combine_chunks() for name in ("latents", "peaks", "scores")}
    starts = np.concatenate([[0], np.cumsum(lists["latents"].value_lengths().to_numpy(zero_copy_only=False))])
    columns = lists["latents"].flatten().to_numpy(zero_copy_only=False)
    of = {
        name: sparse.csr_matrix((lists[name].flatten().to_numpy(zero_copy_only=False), columns, starts), (len(table), d_sae))
        for name in ("peaks", "scores")
    }
    judged = np.array([value is not None for value in text["right"]], bool)
    right = np.array([bool(value) for value in text["right"]], bool)
    return Answers(
        ids=text["id"],
        questions=text["question"],
        expected=text["expected"],
        said=text["answer"],
        failed=text["failed"],
        unlike=np.array([bool(value) for value in text["unlike"]], bool),
        right=right & judged,
        wrong=~right & judged,
        logprob=numbers["logprob"],
        least=numbers["least"],
        peaks=of["peaks"],
        scores=of["scores"],
        shows=[frozenset(map(normalised, names)) for names in text["shows"]],
    )
