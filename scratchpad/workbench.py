"""The workbench: what page, command line, endpoints and cases call. Edit -> Test over a `Reader`'s answers.

Composes the experiments and remembers them; looks latents up in the SAE's index. Every claim comes with its controls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from PIL import Image

from scratchpad.analysis import controls
from scratchpad.analysis.beside import matched
from scratchpad.analysis.heads import by_head, head_map
from scratchpad.analysis.heatmap import EVERYWHERE
from scratchpad.analysis.place import at_place
from scratchpad.analysis.tree import tree
from scratchpad.analysis.verdict import verdict
from scratchpad.errors import UserError
from scratchpad.experiments import ablate, effects, suffice
from scratchpad.experiments.diagnose import PASSES, diagnose
from scratchpad.experiments.influence import influence
from scratchpad.experiments.steer import steer
from scratchpad.experiments.suffice import MAX_LATENTS, SUGGESTED
from scratchpad.experiments.trial import Trial
from scratchpad.grid import Box
from scratchpad.images import Given, load_images
from scratchpad.lookup import Lookup
from scratchpad.reader import DEFAULT_MODEL, DEFAULT_RETRIEVER, DEFAULT_SAE, HOME, question_of
from scratchpad.records import (
    Analysis,
    Blank,
    Comparison,
    Control,
    Diagnosis,
    Edit,
    Sampling,
    Sufficient,
    Test,
    Verified,
)
from scratchpad.records.attention import HeadAttention, HeadMap
from scratchpad.records.beside import SideBySide
from scratchpad.records.influence import Influence
from scratchpad.records.steering import Steered
from scratchpad.records.tree import BYS, Tree
from scratchpad.records.views import AtPlace, Placed
from scratchpad.sae.harvest import harvest_with_grids
from scratchpad.saliency.stages import Stage, of_answer
from scratchpad.vlm import forcing
from scratchpad.vlm import run as vlm_run
from scratchpad.vlm.heads import rows_by_head
from scratchpad.vlm.prepare import prepare

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_RETRIEVER",
    "DEFAULT_SAE",
    "HOME",
    "MAX_LATENTS",
    "SUGGESTED",
    "Workbench",
    "namer",
    "question_of",
    "side_by_side",
]

T = TypeVar("T")


class Workbench(Lookup):
    """One model and one SAE, ready to be asked and tested."""

    def test(self, analysis: Analysis, edit: Edit, target: str | None = None, sampling: Sampling | None = None) -> Test:
        """Asks again under an edit, with its controls, and says what that shows.

        Raises:
            UserError: as `ablate`.
        """
        comparison, control = self.ablate(analysis, edit, target, sampling), self.control(analysis, edit)
        return Test(comparison, control, verdict(comparison, control, self.blank(analysis), namer(analysis)))

    def ablate(self, analysis: Analysis, edit: Edit, target: str | None = None, sampling: Sampling | None = None) -> Comparison:
        """Asks again under an edit, freely and with the original answer teacher-forced; says how likely `target` becomes.

        Raises:
            UserError: an unknown latent, a contradictory edit, an empty region, a target that the tokenizer can't make.
        """
        key = ("ablate", edit, target, sampling)
        tokens = analysis.question.settings.max_new_tokens
        return self._again(analysis, key, lambda trial: ablate.ablate(trial, edit, tokens, target, sampling))

    def control(self, analysis: Analysis, edit: Edit, count: int = controls.SETS, seed: int = 0) -> Control:
        """What stands beside an edit's effect: distinct matched sets, noise as strong, the bare reconstruction."""
        return self._again(analysis, ("control", edit, count, seed), lambda trial: ablate.control(trial, edit, count, seed))

    def forced(self, analysis: Analysis, edits: Sequence[Edit]) -> forcing.Forced:
        """The original answer, teacher-forced under each of several edits, in batches."""
        return self._again(analysis, None, lambda trial: trial.force(edits))

    def verify(self, analysis: Analysis, most: int | None = None) -> Verified:
        """The predicted effects beside real ablations, of the `most` likeliest latents or of all; see `effects.verify`."""
        return self._again(analysis, ("verify", most, _proposed(analysis)), lambda trial: effects.verify(trial, analysis, most))

    def suffice(self, analysis: Analysis, target: str | None = None, most: int = MAX_LATENTS, passes: int | None = None) -> Sufficient:
        """The fewest latents without which the answer changes, or begins with `target` (comprehensiveness).

        Args:
            passes: of the model at most, while it searches; None for no limit.

        Raises:
            UserError: a budget below 1, or a target that the model can't say or says already.
        """
        key = ("suffice", target, most, passes, _proposed(analysis))
        return self._again(analysis, key, lambda trial: suffice.comprehensive(trial, analysis, target, most, passes))

    def keep(self, analysis: Analysis, most: int = MAX_LATENTS) -> Sufficient:
        """The fewest latents that keep the answer alone, all other active latents off (sufficiency).

        Raises:
            UserError: a budget below 1.
        """
        return self._again(analysis, ("keep", most, _proposed(analysis)), lambda trial: suffice.sufficient(trial, analysis, most))

    def suggest(self, analysis: Analysis) -> Analysis:
        """As given, with the suggested set and the measured effects of the likeliest latents."""
        key = ("suggest", _proposed(analysis))
        suggested, measured = self._again(analysis, key, lambda trial: suffice.suggest(trial, analysis))
        return replace(analysis, suggested=suggested, measured=tuple(measured.items()))

    def blank(self, analysis: Analysis) -> Blank:
        """The same question about a grey picture of the same size."""
        question, run = analysis.question, analysis.run

        def ask(trial: Trial) -> Blank:
            grey = [Image.new("RGB", (w, h), (128, 128, 128)) for h, w in run.grid.sizes]
            prepared = prepare(self.vlm, grey, question.prompt)
            seen, clean = vlm_run.run_and_keep(self.vlm, prepared, self.sae.at, question.settings.max_new_tokens)
            forced = forcing.force(self.vlm, prepared, run.answer_ids, clean=clean)
            return Blank(seen.answer, seen.answer_ids == run.answer_ids, float(forced.logprobs.sum()), float(trial.plain.logprobs.sum()))

        return self._again(analysis, ("blank",), ask)

    def attention_by_head(self, analysis: Analysis, token: int | None = None) -> HeadAttention:
        """What of a text token's attention falls on the image, in every head of every layer: one pass over prompt and answer.

        Args:
            token: its sequence index; by default the answer's first, or the prompt's last where the answer is empty.

        Raises:
            UserError: there is no such text token.
        """
        run = analysis.run
        texts = [*run.outputs(), *reversed(run.text_tokens())]
        chosen = texts[0] if token is None else next((t for t in texts if t.index == token), None)
        if chosen is None:
            raise UserError(f"Token {token} was given; expected the sequence index of a text token, such as {texts[0].index}.")
        index = chosen.index

        def look(trial: Trial) -> HeadAttention:
            rows = rows_by_head(self.vlm, trial.prepared, run.answer_ids, run.position_of(index))
            return by_head(index, rows, run.grid)

        return self._again(analysis, ("heads", index), look)

    def head_map(
        self, analysis: Analysis, token: int | None = None, layers: Sequence[int] | None = None, heads: Sequence[int] | None = None
    ) -> HeadMap:
        """Where a text token looks, the mean over some layers and heads of the language model; all by default.

        Raises:
            UserError: there is no such text token, layer or head.
        """
        return head_map(self.attention_by_head(analysis, token), analysis.run.grid, layers, heads)

    def steer(self, analysis: Analysis, latent: int, token: int | None = None) -> Steered:
        """One latent at strengths from 0 to 4: how likely the answer is and what greedy decoding says, and which words it speaks for.

        Args:
            token: the answer's token in whose place words are measured, by its sequence index; its first by default.

        Raises:
            UserError: the latent doesn't fire on the picture; or there is no such token of the answer.
        """
        outputs = [t.index for t in analysis.run.outputs()]
        if token is not None and token not in outputs:
            raise UserError(f"Token {token} was given; expected one of the answer's, {outputs[:20]}.")
        nth = 0 if token is None else outputs.index(token)
        tokens = analysis.question.settings.max_new_tokens
        return self._again(analysis, ("steer", latent, nth), lambda trial: steer(trial, latent, nth, tokens))

    def influence(self, analysis: Analysis, onto: Workbench, most: int = 10, others: int = 40) -> Influence:
        """What ablating this SAE's latents does to those of another SAE at a later point of the same model.

        Args:
            onto: a workbench of the other SAE.
            most: latents of each side: those of the best score, and behind them what fires on more than half of all pictures.
            others: latents of like mass that are ablated in each one's stead, at most.

        Raises:
            UserError: the other SAE isn't of the same model or of no later point; less than one latent or control is asked for.
        """
        if onto.vlm is not self.vlm:
            raise UserError(f"{onto.sae.name} was loaded with another model; expected one of {self.vlm.name}.")
        if min(most, others) < 1:
            raise UserError(f"{most} latents and {others} controls were asked for; expected at least 1 of each.")

        def act(trial: Trial) -> Influence:
            there = onto.ask(analysis.question)
            here, later = (_telling(each, most) for each in (analysis, there))
            return influence(trial, onto.trial(there), here, later, others)

        return self._again(analysis, ("influence", onto.sae.identity, most, others), act)

    def tree(self, analysis: Analysis, by: str = "decoder") -> Tree:
        """The heatmap's latents as a tree of likeness: by what they write, or by which tokens draw on them. Runs no model.

        Raises:
            UserError: the likeness isn't one of these.
        """
        likeness = next((known for known in BYS if known == by), None)
        if likeness is None:
            raise UserError(f"{str(by)[:40]!r} was given as likeness; expected one of {', '.join(BYS)}.")
        rows = self.sae.directions()[list(analysis.heatmap.latents)].cpu().numpy()
        return tree(analysis.heatmap, rows, likeness)

    def stages(self, analysis: Analysis) -> list[Stage]:
        """How the pictures became image tokens, step by step."""
        with self._lock:
            question = analysis.question
            return of_answer(self.vlm, question.pictures(), self._prepared(question), self._run(question))

    def at_place(self, image: Given, region: Box | None, most: int = 50) -> AtPlace:
        """Latents that fire in a region of an image, those most that fire least elsewhere in it; no question is asked.

        Raises:
            UserError: the region holds no patch.
        """
        with self._lock:
            rows, grid = next(iter(harvest_with_grids(self.vlm, load_images([image]), [self.sae.at])))
        places = grid.places() if self.sae.at.place == "vision" else grid.token_places()
        return self._placed(at_place(self.sae.encode(rows[self.sae.at].numpy()), places, region, 0, most))

    def in_region(self, analysis: Analysis, region: Box, image: int = 0, most: int = 50) -> AtPlace:
        """As `at_place`, of a picture that was asked about. Runs no model.

        Args:
            region: y0, x0, y1, x1 in pixels of the original image.
            image: which of several, counted from 0.

        Raises:
            UserError: there is no such image, or the region holds no patch of it.
        """
        return self._placed(at_place(analysis.codes, analysis.run.places, region, image, most))

    def _placed(self, rows: Sequence[tuple[int, float, float]]) -> AtPlace:
        return AtPlace(tuple(Placed(latent, self.name(latent), inside, outside) for latent, inside, outside in rows))

    def diagnose(
        self, analysis: Analysis, expected: str | None = None, explicit: str = "is there {x}", passes: int | None = PASSES
    ) -> Diagnosis:
        """Which failure mode an answer fits; see `experiments.diagnose`."""
        return diagnose(self, analysis, expected, explicit, passes)

    def _again(self, analysis: Analysis, key: tuple[object, ...] | None, act: Callable[[Trial], T]) -> T:
        """What an experiment on an analysis gives, remembered under its key."""
        if analysis.model.identity != self.vlm.identity or analysis.sae.identity != self.sae.identity:
            raise UserError(
                f"The analysis is of {analysis.model.name} and {analysis.sae.name}, loaded are {self.vlm.name} and {self.sae.name}: "
                "ask the question again here."
            )
        with self._lock:
            if key is None:
                return act(self.trial(analysis))
            return cast(T, self._known.get((*key, analysis.question.key), lambda: act(self.trial(analysis))))


def side_by_side(left: Analysis, right: Analysis) -> SideBySide:
    """Two analyses and the concepts that they share: of other questions, pictures, SAEs or models. Runs no model."""
    return SideBySide(left, right, matched(left, right))


def _telling(analysis: Analysis, most: int) -> list[int]:
    """Latents of the best score; those that fire nearly everywhere only where there are no others."""
    return [latent.id for latent in sorted(analysis.latents, key=lambda latent: (latent.sparsity or 0) > EVERYWHERE)[:most]]


def _proposed(analysis: Analysis) -> tuple[object, ...]:
    """What of an analysis proposes latents to a search, and so decides what it finds: the ranking and the heatmap's clusters."""
    return tuple((latent.id, latent.score) for latent in analysis.latents), tuple(c.latents for c in analysis.heatmap.clusters)


def namer(analysis: Analysis) -> Callable[[int], str]:
    """What sentences call a latent: its name on this picture, and its number."""
    names = {latent.id: latent.name for latent in analysis.latents}
    return lambda latent: f"{names.get(latent) or 'unnamed'} (#{latent})"
