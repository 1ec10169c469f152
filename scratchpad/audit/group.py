"""Groups of wrong rows that share what they fail by, each with a sentence, its rows, and what stands behind it.

In: answers with their latents, names. Out: `Group`s and the wrong rows of none. Runs no model. Three kinds, in order:

- rival: answer and expected are both claimed to be in the picture. Against chance: other rows' wrong answers in their stead.
- cue: an answer goes with a latent that rows of the same expected answers and another answer lack (`parting`).
- missing: an expected answer isn't given more often than others are not, to questions of the same word (hypergeometric).

p is corrected for latents (and words) within a test and for the tests (Holm). What parts nothing beyond chance is no group.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Int
from scipy.stats import hypergeom

from scratchpad.audit.answers import Answers
from scratchpad.audit.evidence import evidence
from scratchpad.audit.parting import Parted, holm, part
from scratchpad.records import Named
from scratchpad.records.audit import Explained, Group, Kind, Rate
from scratchpad.stats import wilson

FEWEST = 5  # wrong rows of a group
LEVEL = 0.05
COMMON = 0.8  # of a group's questions have a word, for it to be one that they share
NEAR = 0.8  # of the strongest latent's z, for another to be named beside it
MOST = 8  # latents of a group
DRAWS = 2000
PAIRS = 12  # shown of a group


@dataclass(frozen=True)
class Candidate:
    """What may be a group, before tests are corrected for each other."""

    kind: Kind
    rows: Int[np.ndarray, " k"] = field(repr=False)  # wrong ones
    latents: tuple[int, ...]  # strongest first
    word: str  # that the questions share; "" where it's no part of the description
    p: float
    of: Bool[np.ndarray, " n"] = field(repr=False)  # rows of the same description, right or wrong
    there: Bool[np.ndarray, " n"] = field(repr=False)  # rows on which the concept is


def groups(answers: Answers, name: Callable[[int], str]) -> list[Group]:
    """The groups, largest first, without what explained rows say of them: `supported` adds that.

    Args:
        name: what the index calls a latent; said of a group where most of its pictures are claimed to show it.
    """
    left = answers.wrong & ~answers.unlike
    candidates: list[Candidate] = []
    for find in (_rivals, _cues, _missing):
        for candidate in find(answers, left):
            candidates.append(candidate)
            if candidate.p <= LEVEL:
                left[candidate.rows] = False
    corrected = holm([candidate.p for candidate in candidates])
    held = [(candidate, p) for candidate, p in zip(candidates, corrected, strict=True) if p <= LEVEL]
    made = [_group(answers, replace(candidate, p=p), name) for candidate, p in held]
    return sorted(made, key=lambda group: -len(group.rows))


def supported(group: Group, answers: Answers, explained: Sequence[Explained], name: Callable[[int], str]) -> Group:
    """A group with what its explained rows speak for."""
    ids = set(group.rows)
    own = [row for row in explained if row.id in ids]
    named = answers.named_in([answers.place[id] for id in group.rows], name)
    says = evidence(group.kind, group.latents, own, [row for row in explained if row.right], named)
    return replace(group, evidence=tuple(says), explained=tuple(row.id for row in own))


def unexplained(answers: Answers, made: Sequence[Group]) -> list[tuple[str, str, int]]:
    """Wrong rows of no group: expected, answer, how many."""
    taken = {name for group in made for name in group.rows}
    pairs = Counter((answers.expected[n], answers.said[n]) for n in np.flatnonzero(answers.wrong) if answers.ids[n] not in taken)
    return [(expected, said, count) for (expected, said), count in pairs.most_common()]


def rate(hits: int, of: int) -> Rate:
    """A share with Wilson's interval."""
    low, high = wilson(hits, of)
    return Rate(int(hits), int(of), float(low), float(high))


def _rivals(answers: Answers, left: Bool[np.ndarray, " n"]) -> list[Candidate]:
    """One group: answers that name something else which is there too."""
    wrong = np.flatnonzero(left)
    claimed = [answers.given[n] in answers.shows[n] and answers.wanted[n] in answers.shows[n] for n in wrong.tolist()]
    both = np.asarray(claimed, dtype=np.bool_)
    if both.sum() < FEWEST:
        return []
    rng, said = np.random.default_rng(0), [answers.given[n] for n in wrong.tolist()]
    shows = [answers.shows[n] for n in wrong[both].tolist()]
    drawn = [rng.permutation(len(wrong))[: len(shows)].tolist() for _ in range(DRAWS)]
    chance = [sum(said[other] in there for there, other in zip(shows, others, strict=True)) for others in drawn]
    p = (1 + sum(hits >= len(shows) for hits in chance)) / (DRAWS + 1)
    rows = wrong[both]
    options: dict[str, set[str]] = {answers.questions[n]: set() for n in rows}
    for n in np.flatnonzero(answers.right | answers.wrong):
        if answers.questions[n] in options:
            options[answers.questions[n]] |= {answers.wanted[n], answers.given[n]}
    of = np.array([len(options.get(asked, set()) & there) > 1 for asked, there in zip(answers.questions, answers.shows, strict=True)])
    of &= answers.right | answers.wrong
    return [Candidate("rival", rows, (), "", p, of, of)]


def _cues(answers: Answers, left: Bool[np.ndarray, " n"]) -> list[Candidate]:
    """For each answer that is given wrongly: the latent that goes with it."""
    given, wanted = np.array(answers.given), _numbers(answers.wanted)
    judged, out = (answers.right | answers.wrong) & ~answers.unlike, []
    for said, count in Counter(given[left].tolist()).most_common():
        cases = left & (given == said)
        if count < FEWEST or len({answers.wanted[n] for n in np.flatnonzero(cases)}) < 2:
            continue
        parted = part(answers.peaks, cases, judged & (given != said), wanted)
        if not len(parted.features):
            continue
        latents = _strongest(parted)
        there = _there(answers, latents[0], cases)
        rows = np.flatnonzero(cases & there)
        asked = {answers.questions[n] for n in rows}
        of = judged & there & (np.array(answers.wanted) != said) & np.array([question in asked for question in answers.questions])
        if len(rows) >= FEWEST:
            out.append(Candidate("cue", rows, latents, "", float(parted.p.min()), of, there))
    return out


def _missing(answers: Answers, left: Bool[np.ndarray, " n"]) -> list[Candidate]:
    """For each expected answer that isn't given, more often than others to questions of the same word: the latent that goes with it."""
    wanted, out = np.array(answers.wanted), []
    words, has = answers.words
    usable = (left | answers.right) & ~answers.unlike
    for expected, count in Counter(wanted[left].tolist()).most_common():
        cases = left & (wanted == expected)
        if count < FEWEST:
            continue
        share = np.asarray(has[cases].mean(0)).ravel()
        rarest = min(np.flatnonzero(share >= COMMON), key=lambda i: has[:, i].sum(), default=None)
        within = usable if rarest is None else usable & (np.asarray(has[:, [rarest]].todense()).ravel() > 0)
        cases, of = cases & within, within & (wanted == expected)
        p = float(hypergeom.sf(cases.sum() - 1, within.sum(), (left & within).sum(), of.sum()))  # exact: labels permuted within the word
        parted = part(answers.peaks, cases, answers.right & (wanted != expected), np.zeros(len(answers), int))
        latents = _strongest(parted) if len(parted.features) else ()
        there = _there(answers, latents[0], cases) if latents else np.zeros(len(answers), bool)
        out.append(Candidate("missing", np.flatnonzero(cases), latents, "" if rarest is None else words[rarest], p, of, there))
    return out


def _strongest(parted: Parted) -> tuple[int, ...]:
    order = np.argsort(-parted.z, kind="stable")
    top = parted.z[order[0]]
    return tuple(int(parted.features[i]) for i in order[:MOST] if i == order[0] or (parted.z[i] >= NEAR * top and parted.p[i] <= LEVEL))


def _there(answers: Answers, latent: int, cases: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Rows on which a latent is at least half as active as on the median case."""
    peaks = np.asarray(answers.peaks[:, [latent]].todense()).ravel()
    on = peaks[cases & (peaks > 0)]
    return np.asarray(peaks >= 0.5 * float(np.median(on))) if len(on) else np.zeros(len(peaks), bool)


def _numbers(texts: Sequence[str]) -> Int[np.ndarray, " n"]:
    return np.unique(np.array(texts), return_inverse=True)[1]


def _group(answers: Answers, found_by: Candidate, name: Callable[[int], str]) -> Group:
    rows = found_by.rows
    pairs = Counter((answers.expected[n], answers.said[n]) for n in rows).most_common()
    said, wanted = ({answers.given[n] for n in rows}, {answers.wanted[n] for n in rows})
    own = answers.named_in(rows.tolist(), name)
    latents = tuple(Named(i, own(i)) for i in found_by.latents)
    there = found_by.there & (answers.right | answers.wrong)
    made = Group(
        id=hashlib.sha256(repr((found_by.kind, sorted(answers.ids[n] for n in rows))).encode()).hexdigest()[:10],
        kind=found_by.kind,
        sentence="",
        answer=answers.said[rows[0]] if len(said) == 1 else "",
        expected=answers.expected[rows[0]] if len(wanted) == 1 else "",
        latents=latents,
        words=(found_by.word,) if found_by.word else (),
        rows=tuple(answers.ids[n] for n in rows),
        wrong=rate((found_by.of & answers.wrong).sum(), found_by.of.sum()),
        without_error=rate((there & answers.right).sum(), there.sum()),
        p=found_by.p,
        evidence=(),
        pairs=tuple((expected, answer, count) for (expected, answer), count in pairs[:PAIRS]),
        explained=(),
    )
    return replace(made, sentence=sentence(made))


def sentence(group: Group) -> str:
    """A group in one sentence."""
    top = group.latents[0] if group.latents else None
    concept = "" if top is None else f"{top.name} (#{top.id})" if top.name else f"latent #{top.id}"
    counts = f"{group.wrong.hits} of {group.wrong.of} such rows"
    expected = ", ".join(dict.fromkeys(repr(pair[0]) for pair in group.pairs[:3])) + (" and others" if len(group.pairs) > 3 else "")
    instead = ", ".join(dict.fromkeys(repr(pair[1]) for pair in group.pairs[:3]))
    match group.kind:
        case "cue":
            return f"Says {group.answer!r} for {expected} where {concept} is there: {counts} are wrong."
        case "missing":
            asked = f" to questions with the word {group.words[0]!r}" if group.words else ""
            where = f", though {concept} is seen" if concept else ""
            return f"Doesn't say {group.expected!r}{asked}{where}: {counts} are wrong; says {instead} instead."
        case "rival":
            pairs = ", ".join(f"{answer!r} for {wanted!r}" for wanted, answer, _ in group.pairs[:3])
            more = " and others" if len(group.pairs) > 3 else ""
            return f"Names another thing that is in the picture too ({pairs}{more}): {counts} are wrong."
