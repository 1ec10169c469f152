"""What an audit of a data set finds: how it was run, what was explained, groups of failures, repairs, foresight.

A share carries its counts and Wilson's 95% interval. Rows are named by their ids in the data.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scratchpad.records.analysis import Share
from scratchpad.records.codec import Count, Hash, Text, record
from scratchpad.records.edit import Edit
from scratchpad.records.experiment import Diagnosis, Finding, Named, Sufficient
from scratchpad.records.question import MAX_ANSWER, ModelRef, SaeRef

How = Literal["exact", "normalised", "contained", "yes/no"]
Kind = Literal["cue", "rival", "missing"]
Seconds = Annotated[float, Field(ge=0)]


@record
class AuditPlan:
    """What the answers of an audit depend on: kept beside them, so that answers of another audit are never mixed in."""

    model: ModelRef
    sae: SaeRef
    data: Text  # its name
    digest: Hash  # of ids, questions and expected answers
    rows: Count
    compare: How
    max_new_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER)]
    judged: bool  # whether answers were expected


@record
class Rate:
    """A share with its counts and its 95% interval."""

    hits: Count
    of: Count
    low: Share
    high: Share

    @property
    def share(self) -> float:
        """hits / of; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0


@record
class Explained:
    """One row's answer, explained: what it attends to, what it rests on, which failure mode it fits."""

    id: Text
    prompt: Text
    answer: Text
    expected: Text  # "" where none is
    right: bool | None
    concepts: tuple[Named, ...]  # by attention-weighted activation, best first
    sufficient: Sufficient | None  # the fewest latents whose ablation brings the expected answer out; of a right answer, that change it
    diagnosis: Diagnosis | None  # of a wrong answer
    failed: Text  # why it could not be explained; "" where it was
    seconds: Seconds


@record
class Judged:
    """What a change of the model does to rows it wasn't chosen on."""

    name: Text
    repaired: Rate  # of the group's wrong rows
    harmed: Rate  # of the set's right rows, those whose answer isn't right any more
    changed: Rate  # of the set's right rows, those whose answer is another one, right or not


@record
class Repair:
    """repair.json: an edit that stands, for one model and one SAE."""

    format: Literal[1]
    title: Text
    model: ModelRef
    sae: SaeRef
    edit: Edit


@record
class Repaired:
    """What was tried to repair a group."""

    sentence: Text
    repair: Repair | None  # None where no edit of the kind repairs on the half that it was chosen on
    chosen_on: Count  # wrong rows, the other half are judged
    tried: Count  # edits
    judged: tuple[Judged, ...]  # the edit first, then what it's held against, on the same rows


@record
class Group:
    """Wrong rows that share what they fail by."""

    id: Text
    kind: (
        Kind  # cue: a concept goes with a wrong answer; rival: answer and expected are both there; missing: an expected answer isn't given
    )
    sentence: Text
    answer: Text  # "" where there are several
    expected: Text  # "" where there are several
    latents: tuple[
        Named, ...
    ]  # that part its rows from right ones, strongest first; a name that most of its pictures aren't claimed to show ends in "?"
    words: tuple[Text, ...]  # of the questions, that do so
    rows: tuple[Text, ...]  # wrong rows
    wrong: Rate  # of all rows of this description
    without_error: Rate  # of all rows on which the concept is there, those answered right
    p: Share  # of parting so by chance: by permutation, corrected for latents, words and groups
    evidence: tuple[Finding, ...]
    pairs: tuple[tuple[Text, Text, Count], ...]  # expected, answer, rows: most first
    explained: tuple[Text, ...]  # rows
    cases: tuple[Text, ...] = ()  # files of its clearest rows
    repaired: Repaired | None = None


@record
class Bin:
    """Rows whose foreseen probabilities are alike."""

    foreseen: Share  # mean
    wrong: Rate


@record
class Predictor:
    """How well something tells wrong answers from right ones, on rows it wasn't fitted to."""

    name: Text
    auc: Share
    low: Share  # 95%, a bootstrap over rows
    high: Share
    error: Share  # calibration: mean distance of foreseen and true share over bins, weighted by rows
    bins: tuple[Bin, ...]


@record
class Foresight:
    """Whether an answer will be wrong, from what was seen inside."""

    sentence: Text
    fitted: Count  # rows
    judged: Count  # rows
    predictors: tuple[Predictor, ...]
    weights: tuple[tuple[Text, float], ...]  # of what the first one rests on, largest first


@record
class Audit:
    """groups.json: all of an audit but its rows."""

    format: Literal[1]
    plan: AuditPlan
    answered: Count
    failed: tuple[tuple[Text, Text], ...]  # rows that could not be answered: id, reason; the first hundred
    failures: Count
    right: Rate | None  # None where no answer was expected
    unlike: Count  # answered rows whose picture is unlike those that the SAE's index was made of
    scores: tuple[tuple[Text, float], ...]  # of a set of yes/no questions: accuracy, precision, recall, yes-rate
    says: tuple[Text, ...]  # what holds of the set as a whole, a sentence each
    groups: tuple[Group, ...]
    unexplained: tuple[tuple[Text, Text, Count], ...]  # wrong rows of no group: expected, answer, rows; most first
    explained: tuple[Explained, ...]
    foresight: Foresight | None
    seconds: Seconds  # of this process
