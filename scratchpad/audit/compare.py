"""Whether an answer is the expected one. In: texts. Out: right or wrong. Knows nothing of models.

`normalised` are the rules of the VQA evaluation (Antol et al., 2015): lower case, number words as digits, no articles, no punctuation;
where several annotators answered, three of them must agree. `yes/no` takes the first of the two words that an answer says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from scratchpad.records.audit import How

WAYS: tuple[How, ...] = ("exact", "normalised", "contained", "yes/no")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DIGITS = {word: str(n) for n, word in enumerate(NUMBERS)} | {"none": "0"}
ARTICLES = {"a", "an", "the"}
AGREE = 3  # annotators


@dataclass(frozen=True)
class Expected:
    """Answers that are right. `needed`: how often one must be among them, more than once where they are annotators' votes."""

    answers: tuple[str, ...]
    needed: int = 1

    @property
    def first(self) -> str:
        """The answer that stands for all: the most frequent, of those the first."""
        return max(self.answers, key=self.answers.count) if self.answers else ""


@lru_cache(maxsize=65536)
def normalised(text: str) -> str:
    """A text by VQA's rules."""
    text = re.sub(r"(?<=\d),(?=\d)", "", text.lower().replace("\n", " "))
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", "", text).replace("'", "")
    words = re.sub(r"[^\w\s.:]|_", " ", text).split()
    return " ".join(DIGITS.get(word, word) for word in words if word not in ARTICLES)


def yes_or_no(text: str) -> str:
    """The first of the two words that a text says; "" where it says neither."""
    return next((word for word in re.findall(r"[a-z]+", text.lower()) if word in ("yes", "no")), "")


def is_right(answer: str, expected: Expected, how: How) -> bool:
    """Whether an answer is right."""
    match how:
        case "exact":
            hits = [answer.strip() == text.strip() for text in expected.answers]
        case "contained":
            said = f" {normalised(answer)} "
            hits = [bool(wanted := normalised(text)) and f" {wanted} " in said for text in expected.answers]
        case "yes/no":
            said = yes_or_no(answer)
            hits = [said != "" and said == yes_or_no(text) for text in expected.answers]
        case "normalised":
            hits = [normalised(answer) == normalised(text) for text in expected.answers]
    return sum(hits) >= expected.needed
