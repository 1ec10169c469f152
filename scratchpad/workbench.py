"""The workbench: composes the stages and remembers what it has computed. UI, command line and API call nothing else.

Holds the loaded model and SAEs; keeps no visitor's state. What it remembers is keyed by content (picture, prompt,
settings) and bounded, so two visitors who ask the same get the same record and nobody sees what another asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
from PIL import Image

from scratchpad import trials
from scratchpad.analysis import controls, rank, suggest
from scratchpad.analysis.heatmap import COLUMNS, heatmap
from scratchpad.analysis.weigh import of_tokens, uniform, weigh
from scratchpad.caching import Cache
from scratchpad.errors import UserError
from scratchpad.grid import Box
from scratchpad.images import load_image, load_images
from scratchpad.progress import step
from scratchpad.records import Blank, Codes, Comparison, Control, Edit, Heatmap, Ranked, Run, Sampling, Sufficient, Verified, Weights
from scratchpad.sae.harvest import harvest_with_grids
from scratchpad.sae.index import Index, open_index
from scratchpad.sae.judge import Fidelity, fidelity
from scratchpad.sae.load import Sae, load_sae
from scratchpad.saliency.stages import Stage, of_answer
from scratchpad.trials import Trials
from scratchpad.vlm import run as vlm_run
from scratchpad.vlm.checkpoint import Placement
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import Prepared, prepare
from scratchpad.vlm.reuse import Kept

HOME = Path(__file__).resolve().parent.parent
DEFAULT_MODEL = HOME / "examples" / "emoji-llava"
DEFAULT_RETRIEVER = HOME / "examples" / "emoji-colpali"
DEFAULT_SAE = HOME / "saes" / "emoji-last"
REMEMBERED = 96  # results of one workbench
MEMORY = 256  # MB of them; SCRATCHPAD_MEMORY sets it
KEPT = 4  # clean runs whose keys and values stay on the device

T = TypeVar("T")
Given = str | Path | bytes | Image.Image | None


@dataclass(frozen=True)
class Analysis:
    """Everything `analyze` finds about one answer."""

    run: Run
    codes: Codes
    weights: Weights
    ranking: tuple[Ranked, ...]
    heatmap: Heatmap
    effects: dict[int, float]  # predicted change of the answer's log-probability when the latent is ablated
    suggested: tuple[int, ...]
    fidelity: Fidelity | None  # what the SAE declares beside this picture's numbers; None where it declares nothing
    prepared: Prepared = field(repr=False)


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
        self.index: Index | None = open_index(Path(sae), self.sae)
        self._known: Cache[object] = Cache(limit_of_memory(), REMEMBERED)
        self._kept: Cache[Kept] = Cache(sys.maxsize, KEPT)
        self._lock = self.vlm.lock

    def analyze(
        self,
        image: Given | Sequence[Given],
        prompt: str,
        max_new_tokens: int = vlm_run.MAX_NEW_TOKENS,
        weighted: bool = True,
    ) -> Analysis:
        """Image + prompt -> Run -> Codes -> Weights -> Heatmap, with ranking and suggestion.

        Args:
            image: a file, its bytes, a picture, or several of them; a prompt may say <image> where each of several stands.
            weighted: weigh patches by attention; off, every patch weighs the same.

        Raises:
            UserError: the image or prompt can't be used.
        """
        pictures = load_images(_listed(image))
        with self._lock:
            prepared = prepare(self.vlm, pictures, prompt)
            key = (prepared.image_sha256, prepared.prompt, max_new_tokens)
            run = self._once(("run", *key), lambda: self._run(prepared, max_new_tokens))
            codes = self._once(("codes", *key), lambda: self.sae.encode(run.activations))
            step("finding concepts")
            latents, effects = self._once(("effects", *key), lambda: self._effects(prepared, run, codes))
        weights = weigh(run)
        return Analysis(
            run=run,
            codes=codes,
            weights=weights,
            ranking=self.rank(run, codes, weights, weighted=weighted),
            heatmap=self._heatmap(run, codes, weights if weighted else uniform(weights)),
            effects=dict(zip(latents.tolist(), effects.tolist(), strict=True)),
            suggested=suggest.suggested(latents, effects),
            fidelity=fidelity(self.sae, run.activations, codes),
            prepared=prepared,
        )

    def answer(self, image: Given | Sequence[Given], prompt: str, max_new_tokens: int = vlm_run.MAX_NEW_TOKENS) -> str:
        """The answer alone."""
        pictures = load_images(_listed(image))
        with self._lock:
            prepared = prepare(self.vlm, pictures, prompt)
            key = ("answer", prepared.image_sha256, prepared.prompt, max_new_tokens)
            return self._once(key, lambda: vlm_run.generate(self.vlm, prepared, max_new_tokens).text)

    def rank(
        self, run: Run, codes: Codes, weights: Weights, tokens: tuple[int, ...] | None = None, weighted: bool = True
    ) -> tuple[Ranked, ...]:
        """Active latents by attention-weighted score over `tokens` (the output tokens by default), best first."""
        chosen = tokens or tuple(t.index for t in run.outputs()) or (run.queries[-1],)
        rows = of_tokens(weights if weighted else uniform(weights), chosen)
        active, scores = rank.scores(codes, rows)
        _, means = rank.mean_scores(codes)
        score = scores.mean(0)
        order = np.argsort(-score, kind="stable")
        return tuple(self._ranked(int(active[i]), float(score[i]), float(means[i])) for i in order)

    def ablate(
        self,
        analysis: Analysis,
        edit: Edit,
        max_new_tokens: int = vlm_run.MAX_NEW_TOKENS,
        target: str | None = None,
        sampling: Sampling | None = None,
    ) -> Comparison:
        """Asks again under an edit, freely and with the original answer teacher-forced; says how likely `target` becomes.

        Raises:
            UserError: an unknown latent, a contradictory edit, an empty region, a target that the tokenizer can't make.
        """
        with self._lock:
            key = ("ablate", *_key(analysis), edit, max_new_tokens, target, sampling)
            return self._once(key, lambda: self._trials(analysis).ablate(edit, max_new_tokens, target, sampling))

    def forced(self, analysis: Analysis, edits: Sequence[Edit]) -> vlm_run.Forced:
        """The original answer, teacher-forced under each of several edits, in batches."""
        with self._lock:
            return self._trials(analysis).force(edits)

    def verify(self, analysis: Analysis, most: int | None = None, steps: int = 1) -> Verified:
        """The predicted effects beside real ablations, of the `most` latents with the largest or of all; see `Trials.verify`."""
        with self._lock:
            return self._trials(analysis).verify(analysis.effects, most, steps)

    def blank(self, analysis: Analysis, max_new_tokens: int = vlm_run.MAX_NEW_TOKENS) -> Blank:
        """The same question about a grey picture of the same size."""
        run = analysis.run

        def ask() -> Blank:
            grey = [Image.new("RGB", (w, h), (128, 128, 128)) for h, w in run.grid.sizes]
            prepared = prepare(self.vlm, grey, run.prompt)
            said = vlm_run.generate(self.vlm, prepared, max_new_tokens)
            forced = vlm_run.force(self.vlm, prepared, run.answer_ids)
            seen = sum(token.logprob or 0.0 for token in run.outputs())
            return Blank(said.text, said.text == run.answer, float(forced.logprobs[0, : len(run.outputs())].sum()), seen)

        with self._lock:
            return self._once(("blank", run.image_sha256, run.prompt, max_new_tokens), ask)

    def control(self, analysis: Analysis, edit: Edit, count: int = controls.SETS, seed: int = 0) -> Control:
        """What stands beside the effect of an edit: `count` random sets and as much noise as often, and the bare reconstruction."""
        with self._lock:
            key = ("control", *_key(analysis), edit, count, seed)
            return self._once(key, lambda: self._trials(analysis).control(edit, count, seed))

    def stages(self, analysis: Analysis, image: Given | Sequence[Given]) -> list[Stage]:
        """How the pictures became image tokens, step by step."""
        with self._lock:
            return of_answer(self.vlm, load_images(_listed(image)), analysis.prepared, analysis.run)

    def suffice(
        self, analysis: Analysis, target: str | None = None, most: int = trials.MOST, max_new_tokens: int = vlm_run.MAX_NEW_TOKENS
    ) -> Sufficient:
        """The fewest latents whose ablation changes the answer, or has it begin with `target`.

        Raises:
            UserError: a budget below 1, or a target that the model can't say or says already.
        """
        clusters = [cluster.latents for cluster in analysis.heatmap.clusters]
        with self._lock:
            key = ("suffice", *_key(analysis), target, most, max_new_tokens, tuple(clusters))
            return self._once(key, lambda: self._trials(analysis).suffice(analysis.effects, clusters, target, most, max_new_tokens))

    def at_place(self, image: Given, region: Box | None, most: int = 50) -> list[dict[str, object]]:
        """Latents that fire in a region of an image, those most that fire least elsewhere in it; no question is asked.

        Raises:
            UserError: the region holds no patch.
        """
        with self._lock:
            rows, grid = next(iter(harvest_with_grids(self.vlm, [load_image(image)], [self.sae.layer])))
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
        """What a latent is called: its index entry, or its number."""
        return (self.index.name(latent) if self.index else "") or f"latent {latent}"

    def _run(self, prepared: Prepared, max_new_tokens: int) -> Run:
        run, kept = vlm_run.run_and_keep(self.vlm, prepared, self.sae.layer, max_new_tokens)
        self._kept.put((prepared.image_sha256, prepared.prompt), kept)
        return run

    def _trials(self, analysis: Analysis) -> Trials:
        run, prepared = analysis.run, analysis.prepared
        key = ("plain", run.image_sha256, run.prompt, run.answer_ids)
        plain = self._once(key, lambda: vlm_run.force(self.vlm, prepared, run.answer_ids))
        known = self._kept.find((run.image_sha256, run.prompt))  # gone after a few others; then an edited run computes everything
        return Trials(self.vlm, self.sae, run, analysis.codes, prepared, known, plain)

    def _effects(self, prepared: Prepared, run: Run, codes: Codes) -> tuple[np.ndarray, np.ndarray]:
        gradient = vlm_run.gradient(self.vlm, prepared, run.answer_ids, self.sae.layer)
        return suggest.predicted_effects(self.sae, codes, gradient)

    def _heatmap(self, run: Run, codes: Codes, weights: Weights) -> Heatmap:
        tokens = tuple(t.index for t in run.tokens if t.role in ("prompt", "output"))
        active, raw = rank.scores(codes, of_tokens(weights, tokens))
        keep = np.sort(np.argsort(-raw.max(0), kind="stable")[:COLUMNS])
        return heatmap(tokens, active[keep], raw[:, keep])

    def _ranked(self, latent: int, score: float, mean: float) -> Ranked:
        row = self.index.row(latent) if self.index else None
        return Ranked(
            id=latent,
            name=self.name(latent),
            score=score,
            mean_score=mean,
            sparsity=row.sparsity if row else None,
            mean_activation=row.mean_activation if row else None,
            auroc=row.auroc if row else None,
        )

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        return cast("T", self._known.get(key, make))


def limit_of_memory() -> int:
    """Bytes that SCRATCHPAD_MEMORY lets a workbench remember.

    Raises:
        UserError: it isn't a whole number of MB.
    """
    given = os.environ.get("SCRATCHPAD_MEMORY", str(MEMORY))
    if not given.isdecimal() or int(given) < 1:
        raise UserError(f"SCRATCHPAD_MEMORY was {given[:20]!r}; expected a whole number of MB, at least 1.")
    return int(given) * 2**20


def _listed(image: Given | Sequence[Given]) -> Sequence[Given]:
    return [image] if image is None or isinstance(image, str | Path | bytes | Image.Image) else image


def _key(analysis: Analysis) -> tuple[Hashable, ...]:
    run = analysis.run
    return run.image_sha256, run.prompt, run.answer_ids


def check_fit(vlm: Vlm, sae: Sae) -> None:
    if sae.width != vlm.width:
        raise UserError(
            f"The SAE {sae.name} reads activations of width {sae.width}, but the vision encoder of {vlm.name} has width {vlm.width}; "
            "choose an SAE trained on this model."
        )
    vlm.block(sae.layer)
