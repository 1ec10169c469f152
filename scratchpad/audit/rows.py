"""Rows of a data set: id, picture, question, expected answer. Read as data, pictures one at a time.

In: a Parquet, JSONL or CSV file, a hub id with its split, a folder that `datasets` saved, a folder of pictures in folders named by
label. Out: `Rows`. The field names of POPE and VQAv2 are known; others are named.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from scratchpad.audit.compare import AGREE, Expected
from scratchpad.audit.sources import Table, open_table
from scratchpad.errors import UserError
from scratchpad.images import Given, load_image

FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "question_id", "row_id", "qid"),
    "image": ("image", "image_path", "image_file", "file_name", "img", "picture", "image_source", "file"),
    "question": ("question", "text", "prompt", "query"),
    "expected": ("answers", "answer", "label", "expected", "multiple_choice_answer", "ground_truth", "gt"),
}
MAX_TEXT = 4000  # characters of a question or an answer


@dataclass(frozen=True)
class Row:
    """One question. `failed` says why it can't be asked; "" where it can."""

    number: int
    id: str
    question: str
    expected: Expected | None  # None where no answers are expected
    failed: str


@dataclass(frozen=True)
class Rows:
    """All of them; a picture is read when it's asked for."""

    name: str
    rows: tuple[Row, ...] = field(repr=False)
    given: Callable[[int], Given] = field(repr=False)  # a row's picture as the file, bytes or path that it is
    judged: bool  # whether answers are expected

    def __len__(self) -> int:
        return len(self.rows)

    def picture(self, row: Row) -> Image.Image:
        """A row's picture.

        Raises:
            UserError: it isn't there, or can't be read.
        """
        return load_image(self.given(row.number))

    @property
    def digest(self) -> str:
        """A hash of ids, questions and expected answers."""
        made = hashlib.sha256()
        for row in self.rows:
            made.update(repr((row.id, row.question, row.expected)).encode())
        return made.hexdigest()[:32]


def open_rows(
    source: str,
    columns: Mapping[str, str] | None = None,
    question: str | None = None,
    images: Path | None = None,
    limit: int | None = None,
) -> Rows:
    """The rows of a data set.

    Args:
        images: the folder from which on pictures are named; by default that of the file.
        columns: which column holds what, of id, image, question and expected; the rest is known by name.
        question: what is asked of every picture, where the data has no questions.
        limit: no more than so many rows.

    Raises:
        UserError: it can't be read, has no such column, no pictures, no questions, no row, or two rows of the same id.
    """
    table = open_table(source, images)
    where = _columns(table, source, columns or {}, question)
    count = len(table) if limit is None else min(limit, len(table))
    if not count:
        raise UserError(f"{source} has no rows; expected at least one question about a picture.")
    rows = tuple(_row(n, table.cells(n), where, question) for n in range(count))
    twice = [name for name, times in Counter(row.id for row in rows).items() if times > 1]
    if twice:
        raise UserError(f"{len(twice)} ids stand in more than one row of {source}, {twice[0]!r} among them; expected one row an id.")
    return Rows(source, rows, lambda number: table.image(number, where["image"]), "expected" in where)


def _columns(table: Table, source: str, given: Mapping[str, str], question: str | None) -> dict[str, str]:
    """Which column holds what."""
    for what, name in given.items():
        if what not in FIELDS:
            raise UserError(f"--columns names {what!r}; expected {', '.join(FIELDS)}, as image=photo,expected=truth.")
        if name not in table.columns:
            raise UserError(f"{source} has no column {name!r}; it has {', '.join(table.columns)}.")
    out = {what: next((name for name in names if name in table.columns), "") for what, names in FIELDS.items()} | dict(given)
    if question is not None:
        out["question"] = ""
    for what in ("image",) if question is not None else ("image", "question"):
        if not out[what]:
            known = ", ".join(FIELDS[what])
            more = " or --question TEXT" if what == "question" else ""
            raise UserError(
                f"{source} has no column of {what}s that is known ({known}); it has {', '.join(table.columns)}: "
                f"name one with --columns {what}=NAME{more}."
            )
    return {what: name for what, name in out.items() if name}


def _row(number: int, cells: Mapping[str, object], where: Mapping[str, str], question: str | None) -> Row:
    name = _text(cells.get(where.get("id", ""))) or str(number)
    asked = question if question is not None else _text(cells.get(where["question"]))
    expected = _expected(cells.get(where["expected"])) if "expected" in where else None
    failed = ""
    if not asked:
        failed = "The row has no question."
    elif len(asked) > MAX_TEXT:
        failed = f"The question has {len(asked)} characters; at most {MAX_TEXT} are asked."
    elif expected is not None and not expected.answers:
        failed = "The expected answer is empty."
    return Row(number, name, asked, expected, failed)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None or isinstance(value, list | dict | bytes) else str(value).strip()


def _expected(value: object) -> Expected:
    """One answer, several that are right, or annotators' votes as VQAv2 has them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, list):
        text = _text(value)[:MAX_TEXT]
        return Expected((text,) if text else ())
    votes = [item.get("answer") if isinstance(item, dict) else item for item in value]
    answers = tuple(text[:MAX_TEXT] for text in map(_text, votes) if text)
    annotators = len(answers) >= AGREE and (isinstance(value[0], dict) or len(answers) == 10)
    return Expected(answers, AGREE if annotators else 1)


def chosen(rows: Sequence[Row], ids: Sequence[str]) -> list[Row]:
    """Some rows by their ids, in the ids' order."""
    by_id = {row.id: row for row in rows}
    return [by_id[name] for name in ids]
