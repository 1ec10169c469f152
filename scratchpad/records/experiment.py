"""What asking again showed, each claim with what it's held against."""

from __future__ import annotations

from typing import Annotated, Literal

from scratchpad.records.codec import UNSAID, Count, Text, record
from scratchpad.records.edit import Edit, Sampling
from scratchpad.records.run import Answer

Part = tuple[Literal["same", "gone", "new"], Text]  # of two answers, read together
Kind = Literal["supported", "not supported", "inconclusive"]
Likely = tuple[Text, float]  # a token and its log-probability, nats


@record
class Named:
    """A latent with its name; "" where nothing is claimed."""

    id: Count
    name: Text


@record
class Sampled:
    """The answers that one seed draws before and after an edit, from the same chance."""

    sampling: Sampling
    before: Text
    after: Text
    diff: tuple[Part, ...]


@record
class Toward:
    """How likely a text is as the answer's beginning, before and after an edit."""

    text: Text
    before: float  # log-probability, nats
    after: float


@record
class Risen:
    """A latent that an edit left alone and that is more active on the edited activations: where a concept may come back."""

    latent: Count
    name: Text  # "" where nothing is claimed
    before: float  # mean activation over patches
    after: float


@record
class Alternatives:
    """The likeliest tokens in place of one token of the original answer, best first."""

    before: tuple[Likely, ...]
    after: tuple[Likely, ...]


@record
class Comparison:
    """An answer before and after an edit, and what the edit does to the original answer, teacher-forced."""

    edit: Edit
    before: Answer
    after: Answer
    delta_logprob: tuple[float, ...]  # per id of the original answer, the end token included: edited minus unedited, nats
    diff: tuple[Part, ...]
    alternatives: tuple[Alternatives, ...]  # per token of the original answer
    inactive: tuple[Count, ...]  # edited latents that change nothing where the edit acts
    risen: tuple[Risen, ...]  # strongest first
    toward: Toward | None = None
    sampled: Sampled | None = None

    @property
    def changed(self) -> bool:
        """Whether the greedy answer is another one."""
        return [t.id for t in self.before.tokens] != [t.id for t in self.after.tokens] or self.before.text != self.after.text

    @property
    def effect(self) -> float:
        """Change of the whole original answer's log-probability, nats."""
        return float(sum(self.delta_logprob))


@record
class Control:
    """What stands beside an edit's effect: what other changes of the same kind do to the original answer's log-probability, nats."""

    edit: Edit  # what is held against it
    sets: tuple[tuple[Count, ...], ...]  # distinct sets of other active latents of like activation mass, edited in its stead
    possible: Count  # at least so many distinct sets are like it, counted up to 1,000,000
    effects: tuple[float, ...]  # of each set
    flips: tuple[bool, ...]  # whether it changes the greedy answer
    noise: tuple[float, ...]  # of random directions as long as the edit's change on every patch
    noise_flips: tuple[bool, ...]
    reconstruction: float  # of the SAE's reconstruction in place of the activations
    reconstruction_flips: bool

    @property
    def random_flips(self) -> int:
        """How many of the sets change the greedy answer."""
        return sum(self.flips)

    @property
    def n_random_sets(self) -> int:
        """How many distinct sets were edited in its stead."""
        return len(self.sets)


@record
class Blank:
    """What the model answers with a grey picture of the same size in the picture's place."""

    answer: Text
    same: bool  # whether that is the same answer
    logprob: float  # of the original answer, with the grey picture, nats
    with_picture: float  # of the original answer, with the picture


@record
class Finding:
    """One check behind a verdict."""

    says: Text
    holds: bool | None  # None where it couldn't be tested


@record
class Verdict:
    """What an edit shows: one word, one sentence, the checks behind both."""

    kind: Kind
    sentence: Text
    checks: tuple[Finding, ...]


@record
class Sufficient:
    """The fewest latents found whose ablation changes an answer, or brings out a target (comprehensiveness); or which alone,
    all other active latents off, keep it (sufficiency)."""

    side: Literal["comprehensiveness", "sufficiency"]
    latents: tuple[Named, ...]  # empty: none found within the budget
    target: Text | None
    before: Text
    after: Text
    flipped: bool  # whether a set was found
    minimality: Literal["none", "local", "smallest"]  # local: none can be left out; smallest: and no set of one less does it, all tried
    tried: Count  # sets ablated
    random_flips: Count  # distinct random sets of as many latents of like mass that do it too
    n_random_sets: Count  # of so many
    spent: Annotated[bool | None, UNSAID] = None  # True: its budget ended the search, and what more sets would have shown is open

    @property
    def ids(self) -> tuple[int, ...]:
        """Their ids alone."""
        return tuple(latent.id for latent in self.latents)


@record
class Test:
    """One edit, what it did, and what that shows."""

    __test__ = False  # not pytest's

    comparison: Comparison
    control: Control
    verdict: Verdict
    sufficient: Sufficient | None = None  # where the edit is the set that a search found


@record
class Effect:
    """What one latent's ablation does to the answer's log-probability, nats."""

    latent: Count
    name: Text  # "" where nothing is claimed
    predicted: float
    actual: float


@record
class Verified:
    """What one backward pass predicts of ablating each latent, and what ablating it really does; the likeliest to matter first."""

    effects: tuple[Effect, ...]
    active: Count  # latents that could have been verified
    spearman: float | None  # rank correlation; None for fewer than 3 latents, or where one side never changes
    pearson: float | None  # over latents that move the answer by more than 0.01 nats


@record
class Diagnosis:
    """Which of three failure modes an answer fits, with the tests behind it."""

    mode: Literal["misleading cue", "limited alignment", "unused hidden cue", "none"]
    why: Text
    answer: Text
    expected: Text | None  # as given
    sufficient: Sufficient | None  # the latents whose ablation brings the expected answer out, or changes the answer
    tests: tuple[Finding, ...]
