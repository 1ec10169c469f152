"""A whole audit: answers, explanations, groups, repairs, and the files that they leave.

In: a workbench, rows, an empty folder or that of the same audit begun before. Out: an `Audit`, and in the folder audit.parquet,
groups.json, report.html, repairs and cases. What was done is not done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scratchpad.audit.answer import BATCH, Answerer, answer_all, begin
from scratchpad.audit.answers import Answers, load_answers
from scratchpad.audit.asking import Asking
from scratchpad.audit.compare import yes_or_no
from scratchpad.audit.explain import BUDGET, Explainer, explain
from scratchpad.audit.foresee import foresee
from scratchpad.audit.group import groups, rate, supported, unexplained
from scratchpad.audit.keep import keep_cases, write_rows
from scratchpad.audit.pictures import shown
from scratchpad.audit.repair import EVERY, repair_all
from scratchpad.audit.report import report
from scratchpad.audit.rows import Rows
from scratchpad.errors import UserError
from scratchpad.files import write_whole
from scratchpad.records.audit import Audit, AuditPlan, Explained, How
from scratchpad.records.codec import dumps
from scratchpad.spread import Cluster
from scratchpad.workbench import Workbench

FAILED = 100  # rows without an answer that are listed
MAX_NEW_TOKENS = 32  # of an answer, by default


@dataclass(frozen=True)
class Settings:
    """How an audit is done."""

    compare: How = "normalised"
    max_new_tokens: int = MAX_NEW_TOKENS
    budget: float = BUDGET  # seconds of explaining
    batch: int = BATCH  # like prompts that are answered together
    cases: int = 1  # of each group
    repair: bool = True
    beside: int = EVERY  # right rows that what an edit is held against is judged on


@dataclass(frozen=True)
class Elsewhere:
    """Where rows are answered, if not here: a cluster, and what gives a worker its answerer."""

    cluster: Cluster
    setup: Callable[[], Answerer]


def audit(bench: Workbench, rows: Rows, out: Path, settings: Settings | None = None, elsewhere: Elsewhere | None = None) -> Audit:
    """Audits a data set.

    Args:
        out: the audit's folder.

    Raises:
        UserError: the folder holds another audit, or can't be written to; not one row could be answered.
    """
    begun, how = time.monotonic(), settings or Settings()
    plan = AuditPlan(bench.model_ref, bench.sae_ref, rows.name, rows.digest, len(rows), how.compare, how.max_new_tokens, rows.judged)
    begin(out, plan)
    here = Answerer(bench, rows, how.compare, how.max_new_tokens, how.batch)
    answer_all(out, rows, elsewhere.setup if elsewhere else lambda: here, elsewhere.cluster if elsewhere else None)
    answers = load_answers(out, len(rows), bench.sae.d_sae)
    if all(answers.failed):
        raise UserError(f"Not one of {len(rows)} rows could be answered; the first: {answers.failed[0]}")
    explainer = Explainer(bench, rows, how.max_new_tokens)
    made = groups(answers, bench.name)
    explained = explain(out, answers, {name: group.id for group in made for name in group.rows}, explainer, how.budget)
    made = [supported(group, answers, explained, bench.name) for group in made]
    if how.repair:
        made = repair_all(out, made, answers, Asking(explainer, how.compare, how.batch), how.beside)
    made = keep_cases(out, made, answers, explainer, explained, how.cases)
    whole = _audit(plan, answers, explained, bench.name, begun)
    whole = replace(whole, groups=tuple(made), unexplained=tuple(unexplained(answers, made)))
    _write(out, whole, answers, explainer)
    return whole


def _audit(plan: AuditPlan, answers: Answers, explained: list[Explained], name: Callable[[int], str], begun: float) -> Audit:
    """All that holds of the set as a whole."""
    failed = [(name, reason) for name, reason in zip(answers.ids, answers.failed, strict=True) if reason]
    judged = answers.right | answers.wrong
    return Audit(
        format=1,
        plan=plan,
        answered=len(answers) - len(failed),
        failed=tuple(failed[:FAILED]),
        failures=len(failed),
        right=rate(answers.right.sum(), judged.sum()) if plan.judged else None,
        unlike=int(answers.unlike.sum()),
        scores=tuple(scores(answers)) if plan.compare == "yes/no" and plan.judged else (),
        says=tuple(says(plan, answers)),
        groups=(),
        unexplained=(),
        explained=tuple(explained),
        foresight=foresee(answers, name) if plan.judged else None,
        seconds=time.monotonic() - begun,
    )


def says(plan: AuditPlan, answers: Answers) -> list[str]:
    """What holds of the set as a whole, a sentence each."""
    out, answered = [], len(answers) - sum(map(bool, answers.failed))
    unlike, wrong = int(answers.unlike.sum()), int(answers.wrong.sum())
    if not plan.judged:
        out.append("No answers are expected: the model's own are explained, not judged, so there are no groups.")
    elif not wrong:
        out.append("No answer is wrong: there is nothing to group or repair.")
    elif not answers.right.any():
        out.append("No answer is right: there is nothing to hold the wrong ones against.")
    if plan.judged and len({answers.wanted[n] for n in np.flatnonzero(answers.right | answers.wrong)}) == 1:
        out.append(f"Every expected answer is the same, {answers.expected[0]!r}: a model that always says it would be right.")
    if unlike == answered:
        out.append(
            f"All {unlike} pictures are unlike those that the SAE's index was made of: what its latents are called says nothing here, "
            "so nothing is explained or grouped. An SAE trained on such pictures, with an index of them, would be needed."
        )
    elif unlike:
        other = "most of this set is of another world: they" if 2 * unlike > answered else "they"
        out.append(
            f"{unlike} of {answered} pictures are unlike those that the SAE's index was made of; {other} are not explained or grouped."
        )
    return out


def scores(answers: Answers) -> list[tuple[str, float]]:
    """POPE's: of yes/no questions, yes is what is looked for (Li et al., 2023)."""
    judged = np.flatnonzero(answers.right | answers.wrong)
    said = np.array([yes_or_no(answers.said[n]) == "yes" for n in judged], bool)
    truth = np.array([yes_or_no(answers.expected[n]) == "yes" for n in judged], bool)
    both = float((said & truth).sum())
    precision, recall = both / max(1, said.sum()), both / max(1, truth.sum())
    f1 = 2 * precision * recall / max(1e-12, precision + recall)
    shares = {"accuracy": answers.right[judged].mean(), "precision": precision, "recall": recall, "F1": f1, "yes-rate": said.mean()}
    return [(name, round(float(value), 4)) for name, value in shares.items()]


def _write(out: Path, whole: Audit, answers: Answers, explainer: Explainer) -> None:
    pictures = {group.id: shown(group, answers, explainer) for group in whole.groups}
    try:
        write_rows(out / "audit.parquet", out, answers, whole)
        write_whole(out / "groups.json", dumps(whole))
        write_whole(out / "report.html", report(whole, pictures))
    except OSError as error:
        raise UserError(f"{out} can't be written to ({error.strerror or error}); free space and go on.") from error
