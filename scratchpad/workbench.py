"""The workbench: Question -> Analysis, Edit -> Test. Composes the stages and remembers what it has computed.

Holds the loaded model and SAE; keeps no visitor's state. What it remembers is keyed by content (pictures, prompt, settings)
and bounded, so two visitors who ask the same get the same record and nobody sees what another asked. Page, command line,
endpoints and cases call this and the rooms behind it, nothing before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from scratchpad.analysis import controls, rank
from scratchpad.analysis.heatmap import COLUMNS, heatmap
from scratchpad.analysis.verdict import verdict
from scratchpad.analysis.weigh import of_tokens, uniform, weigh
from scratchpad.cache import Cache
from scratchpad.errors import UserError
from scratchpad.experiments import ablate, effects, suffice
from scratchpad.experiments.diagnose import diagnose
from scratchpad.experiments.suffice import MAX_LATENTS
from scratchpad.experiments.trial import Trial
from scratchpad.grid import Box
from scratchpad.images import Given, load_images, several
from scratchpad.progress import step
from scratchpad.records import (
    Analysis,
    Blank,
    Codes,
    Comparison,
    Control,
    Diagnosis,
    Edit,
    Heatmap,
    ModelRef,
    Question,
    Ranked,
    Reference,
    Run,
    SaeRef,
    Sampling,
    Settings,
    Sufficient,
    Test,
    Verified,
    Weights,
    picture_of,
)
from scratchpad.records.question import MAX_NEW_TOKENS
from scratchpad.records.reading import checked
from scratchpad.sae.harvest import harvest_with_grids
from scratchpad.sae.index import Index, open_index
from scratchpad.sae.judge import fidelity
from scratchpad.sae.load import Sae, load_sae
from scratchpad.saliency.stages import Stage, of_answer
from scratchpad.saliency.trust import OF_SAE, trust
from scratchpad.vlm import run as vlm_run
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.reuse import CleanRun

HOME = Path(__file__).resolve().parent.parent
DEFAULT_MODEL = HOME / "examples" / "emoji-llava"
DEFAULT_RETRIEVER = HOME / "examples" / "emoji-colpali"
DEFAULT_SAE = HOME / "saes" / "emoji-last"
REMEMBERED, REMEMBERED_BYTES = 96, 512 * 2**20
CLEAN, CLEAN_BYTES = 4, 2 * 2**30  # unedited runs whose keys and values stay on the device

T = TypeVar("T")


class Workbench:
    """One model and one SAE, ready to be asked. `model` may be one that is loaded already.

    Raises:
        UserError: from the constructor, when the SAE doesn't fit the model.
    """

    def __init__(self, model: str | Path | Vlm = DEFAULT_MODEL, sae: str | Path = DEFAULT_SAE, placement: Placement | None = None):
        device = placement.device if placement else "cpu"
        self.sae: Sae = load_sae(sae, "cpu" if device == "auto" else device)
        self.vlm: Vlm = model if isinstance(model, Vlm) else load_vlm(model, placement)
        check_fit(self.vlm, self.sae)
        self.index: Index | None = open_index(Path(sae))
        self._known = Cache(REMEMBERED, REMEMBERED_BYTES)
        self._clean = Cache(CLEAN, CLEAN_BYTES)
        self._lock = self.vlm.lock

    @property
    def model_ref(self) -> ModelRef:
        return ModelRef(self.vlm.name, self.vlm.identity)

    @property
    def sae_ref(self) -> SaeRef:
        return SaeRef(self.sae.name, self.sae.identity, self.sae.layer, self.sae.d_sae)

    def analyze(
        self,
        image: Given | Sequence[Given],
        prompt: str,
        max_new_tokens: int = MAX_NEW_TOKENS,
        weighted: bool = True,
        attention_layers: Sequence[int] | None = None,
    ) -> Analysis:
        """Image + prompt -> Analysis.

        Args:
            image: a file, its bytes, a picture, or several of them; a prompt may say <image> where each of several stands.
            weighted: rank latents by attention; off, every patch weighs the same.
            attention_layers: language-model layers whose attention is averaged; all by default.

        Raises:
            UserError: the image, the prompt or a setting can't be used.
        """
        chosen = None if attention_layers is None else tuple(attention_layers)
        settings = checked(lambda: Settings(max_new_tokens, weighted, chosen), "the settings")
        return self.ask(question_of(image, prompt, settings))

    def ask(self, question: Question) -> Analysis:
        """Question -> Run -> Codes -> Weights -> Heatmap, with ranking and predicted effects.

        Raises:
            UserError: the prompt can't be used, or names a layer that isn't there.
        """
        settings = question.settings
        with self._lock:
            run = self._run(question)
            codes = self._once("codes", question, lambda: self.sae.encode(run.states()))
            step("finding concepts")
            predicted = self._once("effects", question, lambda: effects.predict(self._trial(question, {})))
        weights = weigh(run, self._layers(run, settings))
        used = weights if settings.weighted else uniform(weights)
        return Analysis(
            model=self.model_ref,
            sae=self.sae_ref,
            question=question,
            run=run,
            codes=codes,
            weights=weights,
            scores=rank.scored(codes, weights),
            latents=self.rank(run, codes, used),
            heatmap=self._heatmap(run, codes, used),
            effects=tuple(predicted.items()),
            suggested=None,
            measured=(),
            fidelity=fidelity(self.sae, run.states(), codes),
            attention_trust=trust(self.vlm.identity),
            concept_trust=trust(self.vlm.identity, OF_SAE, self.sae.identity),
        )

    def answer(self, image: Given | Sequence[Given], prompt: str, max_new_tokens: int = MAX_NEW_TOKENS) -> str:
        """The answer alone.

        Raises:
            UserError: the image or prompt can't be used.
        """
        question = question_of(image, prompt, Settings(max_new_tokens))
        with self._lock:
            return self._once("answer", question, lambda: vlm_run.generate(self.vlm, self._prepared(question), max_new_tokens).text)

    def rank(self, run: Run, codes: Codes, weights: Weights, tokens: tuple[int, ...] | None = None) -> tuple[Ranked, ...]:
        """Active latents by score over `tokens` (sequence indices; the output tokens by default), best first."""
        chosen = tokens or tuple(t.index for t in run.outputs()) or (run.text_tokens()[-1].index,)
        active, scores = rank.scores(codes, of_tokens(weights, chosen))
        _, means = rank.mean_scores(codes)
        score = scores.mean(0)
        order = np.argsort(-score, kind="stable")
        return tuple(self._ranked(int(active[i]), float(score[i]), float(means[i])) for i in order)

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

    def forced(self, analysis: Analysis, edits: Sequence[Edit]) -> vlm_run.Forced:
        """The original answer, teacher-forced under each of several edits, in batches."""
        return self._again(analysis, None, lambda trial: trial.force(edits))

    def verify(self, analysis: Analysis, most: int | None = None, steps: int = 1) -> Verified:
        """The predicted effects beside real ablations, of the `most` latents with the largest or of all; see `effects.verify`."""
        return self._again(analysis, ("verify", most, steps), lambda trial: effects.verify(trial, analysis.by_effect, most, steps))

    def suffice(self, analysis: Analysis, target: str | None = None, most: int = MAX_LATENTS) -> Sufficient:
        """The fewest latents without which the answer changes, or begins with `target` (comprehensiveness).

        Raises:
            UserError: a budget below 1, or a target that the model can't say or says already.
        """
        clusters, tokens = [c.latents for c in analysis.heatmap.clusters], analysis.question.settings.max_new_tokens
        key = ("suffice", target, most, tuple(clusters))
        return self._again(analysis, key, lambda trial: suffice.comprehensive(trial, analysis.by_effect, clusters, target, most, tokens))

    def keep(self, analysis: Analysis, most: int = MAX_LATENTS) -> Sufficient:
        """The fewest latents that keep the answer alone, all other active latents off (sufficiency).

        Raises:
            UserError: a budget below 1.
        """
        return self._again(analysis, ("keep", most), lambda trial: suffice.sufficient(trial, analysis.by_effect, most))

    def suggest(self, analysis: Analysis) -> Analysis:
        """As given, with the suggested set and the measured effects of the likeliest latents."""
        clusters, tokens = [c.latents for c in analysis.heatmap.clusters], analysis.question.settings.max_new_tokens
        found, measured = self._again(
            analysis, ("suggest", tuple(clusters)), lambda trial: suffice.suggest(trial, analysis.by_effect, clusters, tokens)
        )
        return replace(analysis, suggested=found, measured=tuple(measured.items()))

    def blank(self, analysis: Analysis) -> Blank:
        """The same question about a grey picture of the same size."""
        question, run = analysis.question, analysis.run

        def ask(trial: Trial) -> Blank:
            grey = [Image.new("RGB", (w, h), (128, 128, 128)) for h, w in run.grid.sizes]
            prepared = prepare(self.vlm, grey, question.prompt)
            said = vlm_run.generate(self.vlm, prepared, question.settings.max_new_tokens)
            forced = vlm_run.force(self.vlm, prepared, run.answer_ids)
            return Blank(said.text, said.ids == run.answer_ids, float(forced.logprobs.sum()), float(trial.plain.logprobs.sum()))

        return self._again(analysis, ("blank",), ask)

    def stages(self, analysis: Analysis) -> list[Stage]:
        """How the pictures became image tokens, step by step."""
        with self._lock:
            question = analysis.question
            return of_answer(self.vlm, question.pictures(), self._prepared(question), self._run(question))

    def at_place(self, image: Given, region: Box | None, most: int = 50) -> list[dict[str, object]]:
        """Latents that fire in a region of an image, those most that fire least elsewhere in it; no question is asked.

        Raises:
            UserError: the region holds no patch.
        """
        with self._lock:
            rows, grid = next(iter(harvest_with_grids(self.vlm, load_images([image]), [self.sae.layer])))
        codes = self.sae.encode(rows[self.sae.layer].numpy())
        active = codes.active()
        inside = np.ones(grid.patches, bool) if region is None else grid.patches_in(region)
        if not inside.any():
            raise UserError(f"The region {region} holds no patch; expected y0,x0,y1,x1 inside an image of {grid.size} pixels.")
        dense = codes.dense(active)
        here = dense[inside].mean(0)
        elsewhere = dense[~inside].mean(0) if (~inside).any() else np.zeros_like(here)
        order = [i for i in np.argsort(elsewhere - here, kind="stable") if here[i] > 0][:most]
        return [
            {"id": int(active[i]), "name": self.name(int(active[i])), "inside": float(here[i]), "outside": float(elsewhere[i])}
            for i in order
        ]

    def name(self, latent: int) -> str:
        """The label that the index knows a latent by, whatever the picture; "" where it has none."""
        return self.index.name(latent) if self.index else ""

    def names(self) -> Sequence[str]:
        """Every label that the index knows a latent by, in order of latents; none without an index."""
        return self.index.names if self.index else []

    def diagnose(self, analysis: Analysis, expected: str | None = None, explicit: str = "is there {x}") -> Diagnosis:
        """Which failure mode an answer fits; see `experiments.diagnose`."""
        return diagnose(self, analysis, expected, explicit)

    def references(self, latent: int, most: int = 9, around: float | None = None) -> tuple[Reference, ...]:
        """Pictures of the index on which a latent fires, strongest first; none without an index.

        Args:
            around: the activation on the picture at hand.
        """
        rows = self.index.references(latent, most) if self.index else []
        return tuple(Reference("top", row.activation, row.labels, np.round(row.mask * 255).astype(np.uint8), row.thumbnail) for row in rows)

    def trial(self, analysis: Analysis) -> Trial:
        """One answer ready to be given again: for experiments of one's own, under `vlm.lock`."""
        return self._trial(analysis.question, {latent.id: latent.name for latent in analysis.latents})

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
            return self._known.once((*key, analysis.question.key), lambda: act(self.trial(analysis)))

    def _once(self, what: str, question: Question, make: Callable[[], T]) -> T:
        """Remembered for all settings that change how an answer is read and not what it is."""
        pictures = tuple(picture.sha256 for picture in question.images)
        return self._known.once((what, pictures, question.prompt, question.settings.max_new_tokens), make)

    def _prepared(self, question: Question) -> Prepared:
        return self._once("prepared", question, lambda: prepare(self.vlm, question.pictures(), question.prompt))

    def _run(self, question: Question) -> Run:
        def ask() -> Run:
            prepared = self._prepared(question)
            run, clean = vlm_run.run_and_keep(self.vlm, prepared, self.sae.layer, question.settings.max_new_tokens)
            self._clean.put((prepared.image_sha256, prepared.prompt), clean)
            return run

        return self._once("run", question, ask)

    def _trial(self, question: Question, names: Mapping[int, str]) -> Trial:
        run, prepared = self._run(question), self._prepared(question)
        codes = self._once("codes", question, lambda: self.sae.encode(run.states()))
        plain = self._once("plain", question, lambda: vlm_run.force(self.vlm, prepared, run.answer_ids))
        clean: CleanRun | None = self._clean.get((prepared.image_sha256, prepared.prompt))  # gone after a few others: then all is computed
        return Trial(self.vlm, self.sae, run, codes, prepared, clean, plain, lambda latent: names.get(latent, ""))

    def _layers(self, run: Run, settings: Settings) -> Sequence[int] | None:
        chosen, count = settings.attention_layers, run.rows().shape[1]
        if chosen is not None and not (chosen and max(chosen) < count):
            raise UserError(f"Attention layers {list(chosen)} were given; expected one or more of 0 to {count - 1}.")
        return chosen

    def _heatmap(self, run: Run, codes: Codes, weights: Weights) -> Heatmap:
        tokens = tuple(t.index for t in run.tokens if t.role in ("prompt", "output"))
        active, raw = rank.scores(codes, of_tokens(weights, tokens))
        keep = np.sort(np.argsort(-raw.max(0, initial=0), kind="stable")[:COLUMNS])
        return heatmap(tokens, active[keep], raw[:, keep])

    def _ranked(self, latent: int, score: float, mean: float) -> Ranked:
        row = self.index.row(latent) if self.index else None
        return Ranked(
            id=latent,
            name=row.name if row else "",
            guess=row.name if row else "",
            source=row.source if row else "",
            precision=None,
            support=None,
            score=score,
            mean_score=mean,
            sparsity=row.sparsity if row else None,
            mean_activation=row.mean_activation if row else None,
            auroc=row.auroc if row else None,
        )


def question_of(image: Given | Sequence[Given], prompt: str, settings: Settings | None = None) -> Question:
    """What is asked, as a record.

    Raises:
        UserError: the image or prompt can't be used.
    """
    pictures = tuple(picture_of(picture) for picture in load_images(several(image)))
    text = prompt.strip() if isinstance(prompt, str) else ""
    return checked(lambda: Question(pictures, text, settings or Settings()), "the question")


def namer(analysis: Analysis) -> Callable[[int], str]:
    """What sentences call a latent: its name on this picture, and its number."""
    names = {latent.id: latent.name for latent in analysis.latents}
    return lambda latent: f"{names.get(latent) or 'unnamed'} (#{latent})"


def check_fit(vlm: Vlm, sae: Sae) -> None:
    """Raises:
    UserError: the SAE reads activations of another width, or a block whose output the language model doesn't read.
    """
    if sae.width != vlm.width:
        raise UserError(
            f"The SAE {sae.name} reads activations of width {sae.width}, but the vision encoder of {vlm.name} has width {vlm.width}; "
            "choose an SAE trained on this model."
        )
    vlm.block(sae.layer)
