"""Which of the three failure modes an answer fits: misleading cue, limited alignment, unused hidden cue (VisualScratchpad, section 5).

In: a workbench, one analysis, what was expected. Out: a `Diagnosis` of tests, each a run of the model. Beyond the paper:
what the answer rests on is searched for, not read off a map, and each search has its random sets beside it.

Misleading cue: without a few latents that are not of what it names, the answer becomes the expected. Unused hidden cue: they
are of what it names. Limited alignment: no ablation brings the expected out, but its latent is among the first TOP, and asked
by name the model finds it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from scratchpad.analysis.heatmap import EVERYWHERE
from scratchpad.analysis.verdict import OFTEN
from scratchpad.errors import UserError
from scratchpad.images import Given
from scratchpad.records import Analysis, Comparison, Control, Diagnosis, Edit, Finding, Sufficient
from scratchpad.records.edit import ablation

MISLEADING: Final = "misleading cue"
LIMITED: Final = "limited alignment"
HIDDEN: Final = "unused hidden cue"
NONE: Final = "none"
TOP = 10  # a latent among so many of the first is top ranked
COMMON = EVERYWHERE  # a latent active on more than this share of the reference images stands for no concept
STRANGERS = 8  # absent concepts asked for beside an expected one, by names that the index knows
MAX_EXPECTED = 400  # characters
PASSES = 40  # of the model that a search for latents may take, where nothing else is asked for


class Bench(Protocol):
    """What of a workbench is needed."""

    def analyze(self, image: Given | Sequence[Given], prompt: str) -> Analysis:
        """The answer about pictures, explained."""
        ...

    def answer(self, image: Given | Sequence[Given], prompt: str) -> str:
        """The answer alone, as text."""
        ...

    def ablate(self, analysis: Analysis, edit: Edit) -> Comparison:
        """The answer under an edit, beside the unedited one."""
        ...

    def control(self, analysis: Analysis, edit: Edit) -> Control:
        """What an edit is held against."""
        ...

    def suffice(self, analysis: Analysis, target: str | None = None, *, passes: int | None) -> Sufficient:
        """The fewest latents found whose ablation changes the answer, or brings out a target."""
        ...

    def name(self, latent: int) -> str:
        """What the index calls a latent; "" where nothing."""
        ...

    def names(self) -> Sequence[str]:
        """The names that the index knows, a latent each."""
        ...


def diagnose(
    bench: Bench, analysis: Analysis, expected: str | None = None, explicit: str = "is there {x}", passes: int | None = PASSES
) -> Diagnosis:
    """Runs the tests of all three modes.

    Args:
        expected: what the answer should have said; without it, what comes out when the answer is taken away stands in.
        explicit: the prompt that asks for {x} by name.
        passes: of the model that a search for latents may take; None for no limit.

    Raises:
        UserError: `explicit` lacks {x}; `expected` is empty, too long, or can't be said by the model.
    """
    if "{x}" not in explicit:
        raise UserError(f"{explicit!r} was given as the explicit prompt; expected {{x}} where the name goes.")
    if expected is not None and len(expected) > MAX_EXPECTED:
        raise UserError(f"An expected answer of {len(expected)} characters was given; expected at most {MAX_EXPECTED}: a word or two.")
    answer = analysis.run.answer
    if expected is not None and _says(answer, expected):
        return Diagnosis(NONE, f"the answer says {expected!r}.", answer, expected, None, ())
    asked = _Asked(bench, analysis, explicit, passes)
    search = bench.suffice(analysis, expected, passes=passes)
    wanted = expected or (search.after if search.flipped else None)
    causal = search.flipped and search.random_flips <= OFTEN * max(1, search.n_random_sets)
    tests = [_search(analysis, search, wanted, causal)]
    if wanted is None:
        return Diagnosis(NONE, "no set of latents changes the answer.", answer, expected, search, tuple(tests))
    shown, (own, gives) = asked.shows(wanted), asked.rests_on_itself(wanted)
    tests += [shown, own]
    if own.holds and shown.holds and (causal or gives):
        without = _listed(analysis, search) if causal else f"its own latents ({answer})"
        why = f"the picture shows {answer!r} and {wanted!r}; without {without} the answer is {wanted!r}, which it had left out."
        return Diagnosis(HIDDEN, why, answer, expected, search, tuple(tests))
    if causal and shown.holds:
        why = f"the answer {answer!r} rests on {_listed(analysis, search)}; without it the model says {wanted!r}, which the picture shows."
        return Diagnosis(MISLEADING, why, answer, expected, search, tuple(tests))
    if expected is None:
        why = "limited alignment can be tested only where the answer that was expected is given."
        return Diagnosis(NONE, why, answer, None, search, tuple(tests))
    tests += asked.reachable(expected)
    if not search.flipped and all(test.holds for test in tests[-3:]):
        none = f"none of the {search.tried} ablations that the budget allowed" if search.spent else "no ablation"
        why = f"the encoder shows {expected!r}, the model finds it when asked by name, and {none} brings it into this answer."
        return Diagnosis(LIMITED, why, answer, expected, search, tuple(tests))
    return Diagnosis(NONE, "no mode has all of its tests.", answer, expected, search, tuple(tests))


class _Asked:
    """One picture, asked about single concepts."""

    def __init__(self, bench: Bench, analysis: Analysis, explicit: str, passes: int | None):
        self.bench, self.analysis, self.explicit, self.passes = bench, analysis, explicit, passes
        ranking = [latent for latent in analysis.latents if latent.sparsity is None or latent.sparsity <= COMMON]
        means = sorted(ranking, key=lambda latent: -latent.mean_score)
        places = [{latent.id: n + 1 for n, latent in enumerate(latents)} for latents in (ranking, means)]
        self.place = {i: min(of[i] for of in places) for i in places[0]}  # the better of by attention and by plain mean
        self.names = {latent.id: latent.name for latent in ranking}  # claims on this picture alone: a label elsewhere shows nothing here

    def named(self, text: str) -> list[int]:
        """Active latents whose name, claimed on this picture, says a text; best ranked first."""
        return sorted((i for i in self.place if _says(text, self.names[i])), key=lambda i: self.place[i])

    def shows(self, text: str) -> Finding:
        """Whether the encoder shows what a text says: by claimed names of top-ranked latents; where none is claimed, as the model says."""
        says = f"the picture shows {text!r}: "
        if not self._has_names():
            yes = self.finds(text)
            return Finding(says + f"asked by name, the model says {'yes' if yes else 'no'}", yes)
        first = next(iter(self.named(text)), None)
        if first is None:
            return Finding(says + "no active latent is claimed to be of it", False)
        place = self.place[first]
        return Finding(says + f"{self.names[first]} (#{first}) is number {place} of {len(self.place)}", place <= TOP)

    def rests_on_itself(self, wanted: str) -> tuple[Finding, bool]:
        """Whether the answer changes without the latents of what it names; and whether it then is `wanted`."""
        answer = self.analysis.run.answer
        own = self.latents_of(answer)
        says = f"the answer rests on latents of {answer!r}: "
        if not own:
            return Finding(says + "none is active", False), False
        after = self.bench.ablate(self.analysis, ablation(own)).after.text
        control = self.bench.control(self.analysis, ablation(own))
        beside = f"without them ({len(own)}) it is {after!r}; {control.random_flips} of {control.n_random_sets} random sets change it"
        sound = control.random_flips <= OFTEN * control.n_random_sets
        return Finding(says + beside, after != answer and sound), sound and _says(after, wanted)

    def latents_of(self, text: str) -> list[int]:
        """A concept's latents: those claimed to be of it; where nothing is claimed, those that the explicit answer rests on."""
        if self._has_names() or not self.finds(text):
            return self.named(text)
        pictures = self.analysis.question.pictures()
        return list(self.bench.suffice(self.bench.analyze(pictures, self._prompt(text)), passes=self.passes).ids)

    def reachable(self, text: str) -> list[Finding]:
        """The three tests of limited alignment."""
        strangers = self._strangers(text)
        yes = [name for name in strangers if self.finds(name)]
        listed = ", ".join(strangers) or "no names are known"
        place = min((self.place.get(i, len(self.place)) for i in self.latents_of(text)), default=None)
        where = "it has none" if place is None else f"number {place} of {len(self.place)}"
        return [
            Finding(f"asked by name, the model finds {text!r}", self.finds(text)),
            Finding(f"of {len(strangers)} absent things it finds at most one: {len(yes)} ({listed})", len(yes) <= 1),
            Finding(f"a latent of {text!r} is among the first {TOP} of this answer: {where}", place is not None and place <= TOP),
        ]

    def finds(self, text: str) -> bool:
        """Whether the model, asked by name, answers yes."""
        return _says(self.bench.answer(self.analysis.question.pictures(), self._prompt(text)).split(" ")[0], "yes")

    def _prompt(self, text: str) -> str:
        name = text if text.split(" ")[0] in ("a", "an", "the") else f"{'an' if text[:1].lower() in 'aeiou' else 'a'} {text}"
        return self.explicit.replace("{x}", name)

    def _has_names(self) -> bool:
        return any(self.names.values())

    def _strangers(self, text: str) -> list[str]:
        """Names of latents that are not active, spread over the index."""
        taken = {self.bench.name(i) for i in self.analysis.codes.active().tolist()} | {"", text}
        free = [name for name in dict.fromkeys(self.bench.names()) if name not in taken]
        return free[:: max(1, len(free) // STRANGERS)][:STRANGERS]


def _search(analysis: Analysis, search: Sufficient, wanted: str | None, causal: bool) -> Finding:
    if not search.flipped:
        return Finding(
            f"no ablation found {'brings out ' + repr(wanted) if wanted else 'changes the answer'}; {search.tried} sets were tried"
            + (", as many as the budget of passes holds" if search.spent else ""),
            False,
        )
    beside = f"{search.random_flips} of {search.n_random_sets} random sets do it too"
    return Finding(f"without {_listed(analysis, search)} the answer is {search.after!r}; {beside}", causal)


def _listed(analysis: Analysis, search: Sufficient) -> str:
    names = {latent.id: latent.name for latent in analysis.latents}
    return ", ".join(f"{names.get(i) or 'unnamed'} (#{i})" for i in search.ids)


def _says(text: str, word: str) -> bool:
    """Whether a text says a word or phrase, in any case."""
    return bool(word.strip()) and re.search(rf"(?<!\w){re.escape(word.strip())}(?!\w)", text, re.IGNORECASE) is not None
