"""One answer under counterfactuals: ablations with their controls, and the smallest set that suffices.

In: a run with its codes, on a loaded model and SAE. Out: `Comparison`, `Control`, `Sufficient`. Every number is a real run
of the model; what the codes and gradients propose is never reported as what happened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

from scratchpad.analysis import compare, controls
from scratchpad.analysis.edit import ablation, covered, delta, idle
from scratchpad.analysis.suffice import Set, Tried, smallest
from scratchpad.analysis.suggest import predicted_effects
from scratchpad.errors import UserError
from scratchpad.records import Alternatives, Codes, Comparison, Control, Edit, Risen, Run, Sampled, Sampling, Sufficient, Toward, Verified
from scratchpad.sae.load import Sae
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, token_text
from scratchpad.vlm.reuse import Kept
from scratchpad.vlm.run import Forced, force, force_all, generate, gradient

MOST = 32  # latents in a sufficient set
TARGET, CHARACTERS = 32, 2000  # tokens and characters of what an answer is made to begin with


@dataclass(frozen=True)
class Trials:
    """What is needed to run one answer again. Lives as long as one request, under the workbench's lock."""

    vlm: Vlm = field(repr=False)
    sae: Sae = field(repr=False)
    run: Run
    codes: Codes
    prepared: Prepared = field(repr=False)
    known: Kept | None = field(repr=False)
    plain: Forced  # the original answer, teacher-forced without an edit

    def change(self, edit: Edit) -> Float[np.ndarray, "p d"] | None:
        """What an edit adds to the activations; None where that's nothing."""
        return delta(self.sae, self.codes, edit, self.run.grid, self.run.activations)

    def force(self, edits: Sequence[Edit], ids: tuple[int, ...] | None = None) -> Forced:
        """An answer (the original by default), teacher-forced under each edit."""
        changes = [self.change(edit) for edit in edits]
        return self._force([np.zeros_like(self.run.activations) if c is None else c for c in changes], ids)

    def _force(self, changes: Sequence[Float[np.ndarray, "p d"]], ids: tuple[int, ...] | None = None) -> Forced:
        return force_all(self.vlm, self.prepared, ids or self.run.answer_ids, self.sae.layer, changes, self.known)

    def ablate(self, edit: Edit, max_new_tokens: int, target: str | None = None, sampling: Sampling | None = None) -> Comparison:
        """Asks again under an edit, freely and with the original answer teacher-forced, and with `target` if there is one.

        With `sampling`, answers drawn from the same chance before and after stand beside the greedy ones.
        """
        run, change = self.run, self.change(edit)
        wanted = None if target is None else self.ids(target)
        batch = None if change is None else torch.from_numpy(change)[None]
        after = generate(self.vlm, self.prepared, max_new_tokens, self.sae.layer, batch, self.known)
        forced = self.plain if change is None else self._force([change])
        before = tuple(run.outputs())
        moved = (forced.logprobs[0] - self.plain.logprobs[0])[: len(before)]
        return Comparison(
            edit=edit,
            before=before,
            after=after.tokens,
            before_answer=run.answer,
            after_answer=after.text,
            delta_logprob=tuple(float(x) for x in moved),
            diff=compare.diff(before, after.tokens),
            alternatives=tuple(Alternatives(self._likeliest(self.plain, n), self._likeliest(forced, n)) for n in range(len(before))),
            inactive=idle(edit, self.sae, self.codes, run.grid),
            risen=() if change is None else self._risen(edit, run.activations + change),
            toward=None if wanted is None else self._toward(target or "", wanted, change),
            sampled=None if sampling is None else self._sampled(sampling, max_new_tokens, batch),
        )

    def _sampled(self, how: Sampling, max_new_tokens: int, batch: torch.Tensor | None) -> Sampled:
        before = generate(self.vlm, self.prepared, max_new_tokens, sampling=how)
        after = before
        if batch is not None:
            after = generate(self.vlm, self.prepared, max_new_tokens, self.sae.layer, batch, self.known, how)
        return Sampled(how, before.text, after.text, compare.diff(before.tokens, after.tokens))

    def _likeliest(self, forced: Forced, n: int) -> tuple[tuple[str, float], ...]:
        return tuple((token_text(self.vlm, int(i)), float(p)) for i, p in zip(forced.top[0, n], forced.top_logprobs[0, n], strict=True))

    def _risen(self, edit: Edit, activations: Float[np.ndarray, "p d"]) -> tuple[Risen, ...]:
        return compare.risen(self.codes, self.sae.encode(activations), controls.edited(edit))

    def _toward(self, text: str, ids: tuple[int, ...], change: Float[np.ndarray, "p d"] | None) -> Toward:
        before = float(force(self.vlm, self.prepared, ids).logprobs.sum())
        return Toward(text, before, before if change is None else float(self._force([change], ids).logprobs.sum()))

    def verify(self, effects: Mapping[int, float], most: int | None, steps: int) -> Verified:
        """Ablates latents one by one, those of the largest predicted effect first, and sets the effect beside the prediction.

        Args:
            most: how many; None for every active one.
            steps: 1 takes `effects` as predicted; more average that many gradients on the way to no latents at all
                (integrated gradients: Sundararajan et al. 2017, over all latents jointly, the error kept).
        """
        if (most is not None and most < 1) or steps < 1:
            raise UserError(f"{most} latents and {steps} gradients were asked for; expected at least 1 of each.")
        if steps > 1:
            effects = self._integrated(steps)
        chosen = sorted(effects, key=lambda latent: -abs(effects[latent]))[:most]
        forced = self.force([ablation([latent]) for latent in chosen]) if chosen else None
        actual = forced.logprobs.sum(1) - self.plain.logprobs.sum() if forced else np.zeros(0, np.float32)
        return Verified(tuple(chosen), np.array([effects[i] for i in chosen], np.float32), actual, len(effects), steps)

    def _integrated(self, steps: int) -> dict[int, float]:
        written = self.sae.reconstruct(self.codes) - self.sae.b_dec.cpu().numpy()
        slopes = [
            gradient(self.vlm, self.prepared, self.run.answer_ids, self.sae.layer, -written * ((n + 0.5) / steps)) for n in range(steps)
        ]
        latents, effects = predicted_effects(self.sae, self.codes, np.mean(slopes, 0))
        return dict(zip(latents.tolist(), effects.tolist(), strict=True))

    def control(self, edit: Edit, count: int, seed: int) -> Control:
        """What random sets, noise and the bare reconstruction do in the edit's stead."""
        where = covered(edit, self.sae, self.run.grid)
        sets = controls.matched_sets(self.codes, controls.edited(edit), count, seed, where)
        change = self.change(edit)
        rng = np.random.default_rng(seed)
        shaken = [] if change is None else [controls.noise_like(change, rng) for _ in range(count)]
        bare = self.force([Edit(keep_error=False)])
        random = self.force([controls.standing_in(edit, row) for row in sets]) if len(sets) else None
        noise = self._force(shaken) if shaken else None
        nothing, base = np.zeros(0, np.float32), self.plain.logprobs.sum()
        return Control(
            effects=random.logprobs.sum(1) - base if random else nothing,
            flipped=int((~random.kept).sum()) if random else 0,
            noise=noise.logprobs.sum(1) - base if noise else nothing,
            noise_flipped=int((~noise.kept).sum()) if noise else 0,
            reconstruction=float(bare.logprobs.sum() - base),
            reconstruction_flips=not bool(bare.kept[0]),
        )

    def suffice(
        self, effects: Mapping[int, float], clusters: Sequence[Set], target: str | None, most: int, max_new_tokens: int
    ) -> Sufficient:
        """The fewest latents whose ablation changes the answer, or has it begin with `target`.

        Args:
            effects: of every active latent's ablation on the original answer's log-probability, as predicted.
        """
        if most < 1:
            raise UserError(f"A budget of {most} latents was given; expected at least 1.")
        begun = time.perf_counter()
        wanted = None if target is None else self._unsaid(target)

        def attempt(sets: Sequence[Set]) -> Tried:
            forced = self.force([ablation(one) for one in sets], wanted)
            if wanted is None:
                return (~forced.kept).tolist(), forced.logprobs.sum(1)
            return forced.kept.tolist(), -forced.logprobs.sum(1)

        found = smallest(self._candidates(effects, wanted), clusters, attempt, most)
        sets = controls.matched_sets(self.codes, found.latents, controls.SETS)
        alike = sum(attempt([tuple(row) for row in sets.tolist()])[0]) if len(sets) else 0
        after = self.ablate(ablation(found.latents), max_new_tokens).after_answer if found.latents else self.run.answer
        return Sufficient(
            latents=found.latents,
            target=target,
            before=self.run.answer,
            after=after,
            flipped=bool(found.latents),
            minimal=found.minimal,
            tried=found.tried,
            control=int(alike),
            controls=len(sets),
            seconds=time.perf_counter() - begun,
        )

    def _candidates(self, effects: Mapping[int, float], wanted: tuple[int, ...] | None) -> list[int]:
        """Active latents, those first whose ablation is predicted to do most for it."""
        lost = dict(effects)
        if wanted is not None:  # what the answer loses, and the target gains
            slope = gradient(self.vlm, self.prepared, wanted, self.sae.layer)
            for latent, gain in zip(*predicted_effects(self.sae, self.codes, slope), strict=True):
                lost[int(latent)] -= float(gain)
        return sorted(lost, key=lambda latent: lost[latent])

    def ids(self, target: str) -> tuple[int, ...]:
        """A text's tokens, as an answer would begin with it.

        Raises:
            UserError: the tokenizer can't make it, or it's more tokens than an answer is forced to begin with.
        """
        if len(target) > CHARACTERS:
            raise UserError(f"A target of {len(target)} characters was given; an answer begins with {TARGET} tokens at most: shorten it.")
        tokenizer = self.vlm.processor.tokenizer  # type: ignore[attr-defined]
        ids = tokenizer(target.strip(), add_special_tokens=False)["input_ids"] if target.strip() else []
        if not ids or tokenizer.unk_token_id in ids:
            raise UserError(f"{target!r} was given as target, which {self.vlm.name} can't say; expected words that its tokenizer knows.")
        if len(ids) > TARGET:
            raise UserError(f"The target {target[:40]!r} … is {len(ids)} tokens; at most {TARGET} are forced: shorten it.")
        return tuple(ids)

    def _unsaid(self, target: str) -> tuple[int, ...]:
        ids = self.ids(target)
        if force(self.vlm, self.prepared, ids).kept[0]:
            raise UserError(f"The answer already begins with {target!r}; expected a target that it doesn't give.")
        return ids
