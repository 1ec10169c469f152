"""Rows of every form are read alike; what can't be used is said once."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from scratchpad.audit.compare import Expected, is_right, normalised
from scratchpad.audit.rows import Rows, open_rows
from scratchpad.errors import UserError

COLOURS = ("red", "green")


def png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for colour in COLOURS:
        (tmp_path / "photos" / colour).mkdir(parents=True)
        (tmp_path / "photos" / colour / "a.png").write_bytes(png(colour))
    return tmp_path


def seen(rows: Rows) -> list[tuple[str, str, tuple[str, ...] | None, tuple[int, int, int]]]:
    return [
        (row.id, row.question, row.expected.answers if row.expected else None, rows.picture(row).getpixel((0, 0)))  # type: ignore[misc]
        for row in rows.rows
    ]


RED, GREEN = (255, 0, 0), (0, 128, 0)
BOTH = [("7", "which colour", ("red",), RED), ("8", "which colour", ("green",), GREEN)]


def table(folder: Path, kind: str) -> str:
    """The same two rows as POPE's JSONL, as CSV, as Parquet with bytes, as Parquet with paths."""
    paths = [f"photos/{colour}/a.png" for colour in COLOURS]
    path = folder / f"set.{kind.partition(' ')[0]}"
    if kind == "jsonl":
        rows = [{"question_id": n, "image": p, "text": "which colour", "label": c} for n, p, c in zip((7, 8), paths, COLOURS, strict=True)]
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    elif kind == "csv":
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows(
                [["id", "file_name", "question", "answer"], *zip("78", paths, ["which colour"] * 2, COLOURS, strict=True)]
            )
    else:
        images: list[object] = [{"bytes": png(c), "path": None} for c in COLOURS] if kind == "parquet bytes" else list(paths)
        columns = {"question_id": [7, 8], "image": images, "question": ["which colour"] * 2, "multiple_choice_answer": list(COLOURS)}
        pq.write_table(pa.table(columns), path, row_group_size=1)
    return str(path)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet bytes", "parquet paths"])
def test_files_are_read_alike(folder: Path, kind: str) -> None:
    assert seen(open_rows(table(folder, kind))) == BOTH


def test_a_folder_of_labels_is_asked_one_question(folder: Path) -> None:
    rows = open_rows(str(folder / "photos"), question="which colour")
    assert [row[1:] for row in seen(rows)] == [("which colour", ("green",), GREEN), ("which colour", ("red",), RED)]


def test_votes_are_counted_as_vqa_counts_them() -> None:
    votes = [{"answer": "two"}] * 2 + [{"answer": "A dog."}] * 3
    path_of = Expected(tuple(vote["answer"] for vote in votes), 3)
    assert not is_right("2", path_of, "normalised")
    assert is_right("the dog", path_of, "normalised")


@pytest.mark.parametrize(
    ("how", "answer", "expected", "right"),
    [
        ("exact", "A dog", "a dog", False),
        ("exact", " a dog ", "a dog", True),
        ("normalised", "The two dogs!", "2 dogs", True),
        ("normalised", "none", "0", True),
        ("normalised", "dogs", "dog", False),
        ("contained", "there is an owl on grass", "owl", True),
        ("contained", "there is a fowl", "owl", False),
        ("contained", "anything", "a", False),
        ("yes/no", "Yes, there is no doubt", "yes", True),
        ("yes/no", "perhaps", "yes", False),
    ],
)
def test_comparisons(how: str, answer: str, expected: str, right: bool) -> None:
    assert is_right(answer, Expected((expected,)), how) is right  # type: ignore[arg-type]


def test_numbers_keep_their_points() -> None:
    assert normalised("1,000.5 metres.") == "1000.5 metres"


def test_bad_rows_fail_alone(folder: Path) -> None:
    rows = [
        {"id": 1, "image": "photos/red/a.png", "question": "", "answer": "x"},
        {"id": 2, "image": "none.png", "question": "q", "answer": ""},
    ]
    (folder / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    read = open_rows(str(folder / "set.jsonl"))
    assert [row.failed for row in read.rows] == ["The row has no question.", "The expected answer is empty."]
    with pytest.raises(UserError, match="no file"):
        read.picture(read.rows[1])


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ('{"id": 1, "image": "a", "question": "q"}\n{"id": 1, "image": "b", "question": "q"}', {}, "stand in more than one row"),
        ('{"photo": "a", "question": "q"}', {}, "has no column of images that is known"),
        ('{"image": "a"}', {}, "has no column of questions that is known"),
        ('{"image": "a", "question": "q"}', {"expected": "truth"}, "has no column 'truth'"),
        ('{"image": "a", "question": "q"}', {"truth": "image"}, "--columns names 'truth'"),
        ('{"image": "a", ', {}, "line 1 isn't JSON"),
        ("[1]", {}, "line 1 is no object"),
        ("", {}, "has no column|has no rows"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path: Path, text: str, columns: dict[str, str], says: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        open_rows(str(path), columns)


def test_other_sources_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing")
    for source, says in ((str(tmp_path / "x.parquet"), "as Parquet"), (str(tmp_path / "none.csv"), "There is no data set")):
        with pytest.raises(UserError, match=says):
            open_rows(source)
