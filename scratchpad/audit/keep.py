"""What an audit leaves beside its report: audit.parquet, a row a question; cases of the clearest rows of each group.

In: answers, groups. Out: files, each there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scratchpad.audit.answer import read_answers
from scratchpad.audit.answers import Answers
from scratchpad.audit.explain import Explainer
from scratchpad.audit.pictures import clearest
from scratchpad.cases.bundle import pack
from scratchpad.cases.record import record
from scratchpad.errors import UserError
from scratchpad.files import whole_file, write_whole
from scratchpad.records import Diagnosis, Test
from scratchpad.records.audit import Audit, Explained, Group
from scratchpad.records.edit import ablation


def write_rows(path: Path, out: Path, answers: Answers, whole: Audit) -> None:
    """All rows: question, answers, right or not, latents, and the group of each wrong one; a part at a time.

    Raises:
        OSError: the disk is full.
    """
    group = {name: made.id for made in whole.groups for name in made.rows}
    with whole_file(path) as aside:
        writer: pq.ParquetWriter | None = None
        try:
            for table in read_answers(out, len(answers)):
                ids = table.column("id").to_pylist()
                table = table.append_column("group", pa.array([group.get(name, "") for name in ids], pa.string()))
                writer = writer or pq.ParquetWriter(aside, table.schema)
                writer.write_table(table)
        finally:
            if writer:
                writer.close()


def keep_cases(
    out: Path, groups: Sequence[Group], answers: Answers, explainer: Explainer, explained: Sequence[Explained], most: int
) -> list[Group]:
    """The groups with the files of their cases, which are made where they aren't there yet.

    Args:
        explained: rows whose diagnosis is known.
        most: cases of a group.

    Raises:
        UserError: they can't be written.
    """
    diagnoses, made = {row.id: row.diagnosis for row in explained}, []
    for group in groups:
        files = []
        for number in clearest(group, answers, most):
            name, known = f"cases/{group.id}-{number}.case", diagnoses.get(answers.ids[number])
            if (out / name).is_file() or _kept(out / name, group, answers, explainer, number, known):
                files.append(name)
        made.append(replace(group, cases=tuple(files)))
    return made


def _kept(path: Path, group: Group, answers: Answers, explainer: Explainer, number: int, diagnosis: Diagnosis | None) -> bool:
    """Whether a case could be made of a row."""
    bench, expected = explainer.bench, answers.expected[number]
    try:
        analysis = explainer.analysis(number)
        tests: list[Test] = []
        if diagnosis and diagnosis.sufficient and diagnosis.sufficient.flipped:
            edit = ablation(diagnosis.sufficient.ids)
            tests.append(replace(bench.test(analysis, edit, expected), sufficient=diagnosis.sufficient))
        elif group.latents:
            tests.append(bench.test(analysis, ablation([latent.id for latent in group.latents]), expected))
        title = f"{answers.said[number]!r}, expected {expected!r} (row {answers.ids[number]})"[:200]
        data = pack(record(bench, analysis, tests, title, group.sentence, diagnosis=diagnosis))
    except UserError:
        return False
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror or error}); free space and go on.") from error
    return True
