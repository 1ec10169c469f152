"""Question -> Analysis: one model and one SAE, ready to be asked.

Remembers runs, codes and what edited runs can take over, keyed by content (pictures, prompt, settings) and bounded, so two
visitors who ask the same get the same record and nobody sees what another asked. Keeps no visitor's state.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from scratchpad.analysis import rank
from scratchpad.analysis.heatmap import chosen, heatmap
from scratchpad.analysis.weigh import of_tokens, uniform, weigh
from scratchpad.caching import Cache
from scratchpad.errors import UserError
from scratchpad.experiments import effects
from scratchpad.experiments.trial import Trial
from scratchpad.images import Given, load_images, several
from scratchpad.progress import step
from scratchpad.records import (
    Analysis,
    Codes,
    Heatmap,
    ModelRef,
    Question,
    Ranked,
    Run,
    SaeRef,
    Settings,
    Weights,
    picture_of,
)
from scratchpad.records.audit import Repair
from scratchpad.records.codes import Spoken
from scratchpad.records.question import MAX_NEW_TOKENS
from scratchpad.records.reading import checked
from scratchpad.repairing import repaired
from scratchpad.sae.claims import Claim
from scratchpad.sae.index import Index, open_index
from scratchpad.sae.judge import fidelity
from scratchpad.sae.load import Sae, load_sae
from scratchpad.saliency.trust import OF_SAE, trust
from scratchpad.vlm import forcing
from scratchpad.vlm import run as vlm_run
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.reuse import CleanRun

HOME = Path(__file__).resolve().parent.parent
DEFAULT_MODEL = HOME / "examples" / "emoji-llava"
DEFAULT_RETRIEVER = HOME / "examples" / "emoji-colpali"
DEFAULT_SAE = HOME / "saes" / "emoji-last"
MAX_RESULTS = 96  # results of one workbench
MEMORY = 256  # MB of them; SCRATCHPAD_MEMORY sets it
CLEAN = 4  # unedited runs whose keys and values stay on the device

T = TypeVar("T")


class Reader:
    """One model and one SAE.

    Args:
        model: where it is, or one that is loaded already.
        repair: an edit that stands: every answer is one under it. A model that was given stays under it.

    Raises:
        UserError: from the constructor, when the SAE doesn't fit the model, or the repair isn't for the two.
    """

    def __init__(
        self,
        model: str | Path | Vlm = DEFAULT_MODEL,
        sae: str | Path = DEFAULT_SAE,
        placement: Placement | None = None,
        repair: Repair | None = None,
    ):
        device = placement.device if placement else "cpu"
        self.sae: Sae = load_sae(sae, "cpu" if device == "auto" else device)
        self.vlm: Vlm = model if isinstance(model, Vlm) else load_vlm(model, placement)
        check_fit(self.vlm, self.sae)
        if repair is not None:
            self.vlm = repaired(self.vlm, self.sae, repair)
        self.index: Index | None = open_index(self.sae.folder, self.sae, comparable_encoder(self.vlm, placement))
        self._known: Cache[object] = Cache(limit_of_memory(), MAX_RESULTS)
        self._clean: Cache[CleanRun] = Cache(sys.maxsize, CLEAN)
        self._lock = self.vlm.lock

    @property
    def model_ref(self) -> ModelRef:
        """The model, as records name it."""
        return ModelRef(self.vlm.name, self.vlm.identity)

    @property
    def n_layers(self) -> int:
        """Vision blocks of the model."""
        return len(self.vlm.blocks)

    @property
    def sae_ref(self) -> SaeRef:
        """The SAE, as records name it."""
        return SaeRef(self.sae.name, self.sae.identity, self.sae.at.layer, self.sae.d_sae, self.sae.at.younger)

    def analyze(
        self,
        image: Given | Sequence[Given],
        prompt: str,
        max_new_tokens: int = MAX_NEW_TOKENS,
        weighted: bool = True,
        attention_layers: Sequence[int] | None = None,
        attention_heads: Sequence[int] | None = None,
    ) -> Analysis:
        """Image + prompt -> Analysis.

        Args:
            image: a file, its bytes, a picture, or several of them; a prompt may say <image> where each of several stands.
            weighted: rank latents by attention; off, every patch weighs the same.
            attention_layers: language-model layers whose attention is averaged; all by default.
            attention_heads: heads of each of these layers whose attention is averaged; all by default.

        Raises:
            UserError: the image, the prompt or a setting can't be used.
        """
        layers, heads = (None if chosen is None else tuple(chosen) for chosen in (attention_layers, attention_heads))
        settings = checked(lambda: Settings(max_new_tokens, weighted, layers, heads), "the settings")
        return self.ask(question_of(image, prompt, settings))

    def ask(self, question: Question) -> Analysis:
        """Question -> Run -> Codes -> Weights -> Heatmap, with ranking and predicted effects.

        Raises:
            UserError: the prompt can't be used, or a layer or head is named that isn't there.
        """
        settings = question.settings
        with self._lock:
            run = self._run(question)
            codes = self._once("codes", question, lambda: self.sae.encode(run.states()))
            step("finding concepts")
            predicted = self._once("effects", question, lambda: effects.predict(self._trial(question, {})))
        weights, places = weigh(run, self._layers(run, settings)), run.places
        on_rows = weights if run.place is None else weigh(run, self._layers(run, settings), places)
        unlike = self.unlike(run, codes)
        used = on_rows if settings.weighted else uniform(on_rows, places)
        usual = settings.attention_layers is None and settings.attention_heads is None  # what was measured is of all
        return Analysis(
            model=self.model_ref,
            sae=self.sae_ref,
            question=question,
            run=run,
            codes=codes if run.place is None else codes.take(places.of_patches),
            weights=weights,
            scores=rank.scored(codes, on_rows, places),
            latents=self.rank(run, codes, used, unlike),
            heatmap=self._heatmap(run, codes, used),
            effects=tuple(predicted.items()),
            suggested=None,
            measured=(),
            fidelity=fidelity(self.sae, run.states(), codes),
            all_guesses=(self.index.why_no_claims or unlike) if self.index else "The SAE has no index: make one with `scratchpad index`.",
            attention_trust=trust(self.vlm.identity, prompt=question.prompt) if usual else None,
            concept_trust=trust(self.vlm.identity, OF_SAE, self.sae.identity, question.prompt) if usual else None,
            spoken=Spoken(tuple(places.spoken.tolist()), codes.take(places.spoken)) if run.place == "language" else None,
        )

    def answer(self, image: Given | Sequence[Given], prompt: str, max_new_tokens: int = MAX_NEW_TOKENS) -> str:
        """The answer alone.

        Raises:
            UserError: the image or prompt can't be used.
        """
        question = question_of(image, prompt, Settings(max_new_tokens))
        with self._lock:
            return self._once("answer", question, lambda: vlm_run.generate(self.vlm, self._prepared(question), max_new_tokens).text)

    def rank(self, run: Run, codes: Codes, weights: Weights, unlike: str = "", tokens: tuple[int, ...] | None = None) -> tuple[Ranked, ...]:
        """Active latents by score over `tokens` (sequence indices; the output tokens by default), best first.

        Args:
            unlike: why this picture is unlike those indexed, so that every name is a guess.
        """
        chosen = tokens or tuple(t.index for t in run.outputs()) or (run.text_tokens()[-1].index,)
        active, scores = rank.scores(codes, of_tokens(weights, chosen))
        _, means = rank.mean_scores(codes, run.places)
        score = scores.mean(0)
        claims = self.index.claims_of(codes.take(run.places.pictured), unlike) if self.index else {}
        order = np.argsort(-score, kind="stable")
        return tuple(self._ranked(int(active[i]), float(score[i]), float(means[i]), claims.get(int(active[i]))) for i in order)

    def trial(self, analysis: Analysis) -> Trial:
        """One answer ready to be given again: for experiments of one's own, under `vlm.lock`."""
        return self._trial(analysis.question, {latent.id: latent.name for latent in analysis.latents})

    def name(self, latent: int) -> str:
        """The label that the index knows a latent by, whatever the picture; "" where it has none."""
        return self.index.name(latent) if self.index else ""

    def _once(self, what: str, question: Question, make: Callable[[], T]) -> T:
        """Remembered for all settings that change how an answer is read and not what it is."""
        pictures = tuple(picture.sha256 for picture in question.images)
        return cast(T, self._known.get((what, pictures, question.prompt, question.settings.max_new_tokens), make))

    def _prepared(self, question: Question) -> Prepared:
        return self._once("prepared", question, lambda: prepare(self.vlm, question.pictures(), question.prompt))

    def _run(self, question: Question) -> Run:
        tokens, heads = question.settings.max_new_tokens, question.settings.attention_heads

        def ask() -> Run:
            prepared = self._prepared(question)
            run, clean = vlm_run.run_and_keep(self.vlm, prepared, self.sae.at, tokens, heads)
            self._clean.put(_of_run(prepared, tokens), clean)
            return run

        return self._once(f"run {heads}", question, ask)  # heads are averaged while the model answers

    def _trial(self, question: Question, names: Mapping[int, str]) -> Trial:
        run, prepared = self._run(question), self._prepared(question)
        codes = self._once("codes", question, lambda: self.sae.encode(run.states()))
        tokens = question.settings.max_new_tokens
        clean = self._clean.get(  # gone after a few others, and made again as it was: rounding mustn't depend on what else was asked
            _of_run(prepared, tokens), lambda: vlm_run.run_and_keep(self.vlm, prepared, self.sae.at, tokens)[1]
        )
        plain = self._once("plain", question, lambda: forcing.force(self.vlm, prepared, run.answer_ids, clean=clean))
        return Trial(self.vlm, self.sae, run, codes, prepared, clean, plain, lambda latent: names.get(latent, ""))

    def _layers(self, run: Run, settings: Settings) -> Sequence[int] | None:
        chosen, count = settings.attention_layers, run.rows().shape[1]
        if chosen is not None and not (chosen and max(chosen) < count):
            raise UserError(f"Attention layers {list(chosen)} were given; expected one or more of 0 to {count - 1}.")
        return chosen

    def _heatmap(self, run: Run, codes: Codes, weights: Weights) -> Heatmap:
        tokens = tuple(t.index for t in run.tokens if t.role in ("prompt", "output"))
        active, raw = rank.scores(codes, of_tokens(weights, tokens))
        rows = [self.index.row(int(latent)) if self.index else None for latent in active]
        columns = chosen(raw, np.array([row.sparsity if row else 0.0 for row in rows]))
        return heatmap(tokens, active[columns], raw[:, columns])

    def unlike(self, run: Run, codes: Codes) -> str:
        """Why counts of the index say nothing about these pictures, in one sentence; "" where they do."""
        likeness = self.index.likeness if self.index and not self.index.stale else None
        rows = run.places.pictured
        return likeness.unlike(self.sae, run.states()[rows], codes.take(rows)) if likeness else ""

    def _ranked(self, latent: int, score: float, mean: float, claim: Claim | None) -> Ranked:
        row = self.index.row(latent) if self.index else None
        return Ranked(
            id=latent,
            name=claim.name if claim else "",
            guess=claim.guess if claim else "",
            source=claim.source if claim else "",
            precision=claim.precision if claim else None,
            support=claim.support if claim else None,
            score=score,
            mean_score=mean,
            sparsity=row.sparsity if row else None,
            mean_activation=row.mean_activation if row else None,
            auroc=row.auroc if row else None,
        )


def _of_run(prepared: Prepared, tokens: int) -> tuple[object, ...]:
    """What a clean run depends on: how many tokens were generated too, since a sliding window forgets keys and values as it goes."""
    return prepared.image_sha256, prepared.prompt, tokens


def question_of(image: Given | Sequence[Given], prompt: str, settings: Settings | None = None) -> Question:
    """What is asked, as a record.

    Raises:
        UserError: the image or prompt can't be used.
    """
    pictures = tuple(picture_of(picture) for picture in load_images(several(image)))
    text = prompt.strip() if isinstance(prompt, str) else ""
    return checked(lambda: Question(pictures, text, settings or Settings()), "the question")


def check_fit(vlm: Vlm, sae: Sae) -> None:
    """Checks that an SAE can read a model.

    Raises:
        UserError: the model hasn't the hook point that it reads, an edit there has no effect, or activations there are of another width.
    """
    vlm.check(sae.at)
    width = vlm.width_at(sae.at)
    if sae.width != width:
        part = "vision encoder" if sae.at.place == "vision" else "language model"
        raise UserError(
            f"The SAE {sae.name} reads activations of width {sae.width} at {sae.at}, but the {part} of {vlm.name} has width {width}; "
            "choose an SAE trained on this model."
        )


def comparable_encoder(vlm: Vlm, placement: Placement | None) -> str:
    """The encoder's identity where it can be compared with a kept one: rounding the weights changes it; then ""."""
    whole = placement is None or placement.dtype in ("auto", "float32", "float64")
    return vlm.encoder_identity if whole else ""


def limit_of_memory() -> int:
    """Bytes that SCRATCHPAD_MEMORY lets a workbench remember.

    Raises:
        UserError: it isn't a whole number of MB.
    """
    given = os.environ.get("SCRATCHPAD_MEMORY", str(MEMORY))
    if not given.isdecimal() or int(given) < 1:
        raise UserError(f"SCRATCHPAD_MEMORY was {given[:20]!r}; expected a whole number of MB, at least 1.")
    return int(given) * 2**20
