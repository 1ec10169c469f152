"""Answers every row of a data set, with what is looked at later: what the SAE's latents do on each picture, in few numbers.

In: rows and a workbench. Out: Parquet parts in a folder, each there whole or not at all, so that an audit killed at any moment goes on.
Memory holds one part. A row that fails is a row with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scratchpad.analysis import rank
from scratchpad.analysis.weigh import of_tokens, weigh
from scratchpad.audit.compare import is_right
from scratchpad.audit.rows import Row, Rows
from scratchpad.errors import UserError
from scratchpad.files import whole_file, write_whole
from scratchpad.progress import step
from scratchpad.records import Run
from scratchpad.records.audit import AuditPlan, How
from scratchpad.records.codec import dumps, loads
from scratchpad.spread import Cluster, spread
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.together import batches, run_together
from scratchpad.workbench import Workbench

PART = 64  # rows that are written together
BATCH = 8  # like prompts that are answered together
MOST = 256  # latents kept of a row, those of the highest activation
PLAN = "plan.json"
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "question": pa.string(),
        "expected": pa.string(),
        "answer": pa.string(),
        "right": pa.bool_(),
        "failed": pa.string(),
        "unlike": pa.string(),
        "logprob": pa.float32(),
        "least": pa.float32(),
        "latents": pa.list_(pa.int32()),
        "peaks": pa.list_(pa.float32()),
        "scores": pa.list_(pa.float32()),
        "shows": pa.list_(pa.string()),
    }
)


@dataclass(frozen=True)
class Answered:
    """One row, answered."""

    id: str
    question: str
    expected: str  # the first that is right; "" where none is expected
    answer: str = ""
    right: bool | None = None  # None where no answer is expected, or none was given
    failed: str = ""  # why it has no answer; "" where it has
    unlike: str = ""  # why its picture is unlike those that the index was made of; "" where it is like them
    logprob: float = 0.0  # of the answer, nats
    least: float = 0.0  # of its least likely token
    latents: tuple[int, ...] = ()  # active on the picture, ascending
    peaks: tuple[float, ...] = ()  # of each, its highest activation
    scores: tuple[float, ...] = ()  # of each, weighted by the answer's attention
    shows: tuple[str, ...] = ()  # names that the index claims of this picture


@dataclass(frozen=True)
class Answerer:
    """What answers rows: a workbench and the data, as each worker has them."""

    bench: Workbench
    rows: Rows
    how: How
    max_new_tokens: int
    batch: int = BATCH

    def __call__(self, numbers: Sequence[int]) -> list[Answered]:
        """Some rows by number, in order."""
        done: dict[int, Answered] = {}
        ready: list[tuple[Row, Prepared]] = []
        for row in (self.rows.rows[n] for n in numbers):
            try:
                if row.failed:
                    raise UserError(row.failed)
                with self.bench.vlm.lock:
                    ready.append((row, prepare(self.bench.vlm, self.rows.picture(row), row.question)))
            except UserError as error:
                done[row.number] = Answered(row.id, row.question, row.expected.first if row.expected else "", failed=str(error))
        for group in batches([prepared for _, prepared in ready], self.batch):
            with self.bench.vlm.lock:
                runs = run_together(self.bench.vlm, [ready[n][1] for n in group], self.bench.sae.at, self.max_new_tokens)
            for n, run in zip(group, runs, strict=True):
                done[ready[n][0].number] = self._answered(ready[n][0], run)
        return [done[n] for n in numbers]

    def _answered(self, row: Row, run: Run) -> Answered:
        codes = self.bench.sae.encode(run.states())
        tokens = tuple(t.index for t in run.outputs()) or (run.text_tokens()[-1].index,)
        active, scores = rank.scores(codes, of_tokens(weigh(run, None, run.places), tokens))
        peaks = np.zeros(codes.d_sae, np.float32)
        np.maximum.at(peaks, codes.indices, codes.values)
        unlike = self.bench.unlike(run, codes)
        claims = self.bench.index.claims_of(codes, unlike) if self.bench.index else {}
        keep = np.sort(np.argsort(-peaks[active], kind="stable")[:MOST])
        logprobs = [token.logprob or 0.0 for token in run.outputs()]
        return Answered(
            id=row.id,
            question=row.question,
            expected=row.expected.first if row.expected else "",
            answer=run.answer,
            right=is_right(run.answer, row.expected, self.how) if row.expected else None,
            unlike=unlike,
            logprob=sum(logprobs),
            least=min(logprobs, default=0.0),
            latents=tuple(active[keep].tolist()),
            peaks=tuple(peaks[active[keep]].tolist()),
            scores=tuple(scores.mean(0)[keep].tolist()),
            shows=tuple(dict.fromkeys(name for claim in claims.values() if claim.name for name in (claim.name, *claim.also))),
        )


def begin(out: Path, plan: AuditPlan) -> None:
    """Makes the folder of an audit, or goes on with what is in it.

    Raises:
        UserError: it holds an audit of something else, or can't be written to.
    """
    path = out / PLAN
    if path.is_file():
        try:
            same = replace(loads(AuditPlan, path.read_bytes()), data=plan.data) == plan  # a file may be named in several ways
        except ValueError:
            same = False
        if not same:
            raise UserError(f"{out} holds an audit of other rows, another model, SAE or comparison; give another --out, or remove it.")
        return
    try:
        (out / "answers").mkdir(parents=True, exist_ok=True)
        write_whole(path, dumps(plan))
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error


def answer_all(out: Path, rows: Rows, setup: Callable[[], Answerer], cluster: Cluster | None = None) -> int:
    """Answers what has no answer yet, and writes it to `out`/answers; how many rows were answered now.

    Raises:
        UserError: the disk is full, or the cluster can't be reached.
    """
    parts = [range(start, min(start + PART, len(rows))) for start in range(0, len(rows), PART)]
    missing = [part for part in parts if not _path(out, part).is_file()]
    if not missing:
        return 0

    def work(answerer: Answerer, numbers: list[int]) -> list[Answered]:
        return answerer(numbers)

    results = spread([n for part in missing for n in part], setup, work, cluster, PART)
    done = 0
    for part in missing:
        answers = [next(results) for _ in part]
        try:
            with whole_file(_path(out, part)) as aside:
                pq.write_table(pa.Table.from_pylist([asdict(answer) for answer in answers], SCHEMA), aside)
        except OSError as error:
            raise UserError(
                f"{out} can't be written to ({error.strerror or error}); what is answered stays: free space and go on."
            ) from error
        done += len(answers)
        step("answering rows", len(rows) - sum(map(len, missing)) + done, len(rows), outer=True)
    return done


def read_answers(out: Path, count: int) -> Iterator[pa.Table]:
    """The parts, in order of rows.

    Raises:
        UserError: one is damaged.
    """
    for start in range(0, count, PART):
        path = _path(out, range(start, min(start + PART, count)))
        try:
            yield pq.read_table(path, schema=SCHEMA, memory_map=False)
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"{path} is damaged ({str(error)[:160]}); remove it, and its rows are answered again.") from error


def _path(out: Path, part: range) -> Path:
    return out / "answers" / f"{part.start:08d}.parquet"
