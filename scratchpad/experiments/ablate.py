"""An edit and its control: what the model answers under it, and what other changes of the same kind do."""

from __future__ import annotations

import numpy as np

from scratchpad.analysis import compare, controls
from scratchpad.analysis.edit import covered, idle
from scratchpad.experiments.trial import Change, Trial
from scratchpad.records import Alternatives, Comparison, Control, Edit, Risen, Sampled, Sampling, Toward
from scratchpad.records.experiment import Likely
from scratchpad.vlm.forcing import Forced, force
from scratchpad.vlm.prepare import token_text


def ablate(trial: Trial, edit: Edit, max_new_tokens: int, target: str | None = None, sampling: Sampling | None = None) -> Comparison:
    """Asks again under an edit, freely and with the original answer teacher-forced, and with `target` if there is one.

    With `sampling`, answers drawn from the same chance before and after stand beside the greedy ones.

    Raises:
        UserError: an unknown latent, a contradictory edit, an empty region, a target that the tokenizer can't make.
    """
    run, change = trial.run, trial.change(edit)
    wanted = None if target is None else trial.ids(target)
    before = run.said()
    after = trial.generate(change, max_new_tokens)
    forced = trial.plain if change is None else trial.force_changes([change])
    return Comparison(
        edit=edit,
        before=before,
        after=after,
        delta_logprob=tuple((forced.logprobs[0] - trial.plain.logprobs[0]).astype(float).tolist()),
        diff=compare.diff(before.tokens, after.tokens),
        alternatives=tuple(
            Alternatives(_likeliest(trial, trial.plain, n), _likeliest(trial, forced, n)) for n in range(len(before.tokens))
        ),
        inactive=idle(edit, trial.sae, trial.codes, trial.places),
        risen=() if change is None else _risen(trial, edit, change),
        toward=None if wanted is None else _toward(trial, target or "", wanted, change),
        sampled=None if sampling is None else _sampled(trial, sampling, max_new_tokens, change),
    )


def control(trial: Trial, edit: Edit, count: int = controls.SETS, seed: int = 0) -> Control:
    """What distinct matched sets, noise as strong and the bare reconstruction do in the edit's stead."""
    where = covered(edit, trial.sae, trial.places)
    sets, possible = controls.matched_sets(trial.codes, edit.latents(), count, seed, where)
    change = trial.change(edit)
    rng = np.random.default_rng(seed)
    bare = trial.force([Edit(keep_error=False)])
    random = trial.force([controls.standing_in(edit, row) for row in sets]) if sets else None
    noise = None
    if change is not None and count:
        noise = trial.force_changes(Change(controls.noise_like(change.rows, rng)) for _ in range(count))
    return Control(
        edit=edit,
        sets=sets,
        possible=possible,
        effects=_effects(trial, random),
        flips=() if random is None else tuple((~random.unchanged).tolist()),
        noise=_effects(trial, noise),
        noise_flips=() if noise is None else tuple((~noise.unchanged).tolist()),
        reconstruction=_effects(trial, bare)[0],
        reconstruction_flips=not bool(bare.unchanged[0]),
    )


def _risen(trial: Trial, edit: Edit, change: Change) -> tuple[Risen, ...]:
    return compare.risen(trial.codes, trial.sae.encode(trial.run.states() + change.rows), edit.latents(), trial.name)


def _effects(trial: Trial, forced: Forced | None) -> tuple[float, ...]:
    """Change of the whole answer's log-probability under each change, nats."""
    if forced is None:
        return ()
    return tuple((forced.logprobs - trial.plain.logprobs).sum(1).astype(float).tolist())


def _likeliest(trial: Trial, forced: Forced, n: int) -> tuple[Likely, ...]:
    pairs = zip(forced.top[0, n].tolist(), forced.top_logprobs[0, n].tolist(), strict=True)
    return tuple((token_text(trial.vlm, i), p) for i, p in pairs)


def _toward(trial: Trial, text: str, ids: tuple[int, ...], change: Change | None) -> Toward:
    before = float(force(trial.vlm, trial.prepared, ids).logprobs.sum())
    return Toward(text, before, before if change is None else float(trial.force_changes([change], ids).logprobs.sum()))


def _sampled(trial: Trial, sampling: Sampling, max_new_tokens: int, change: Change | None) -> Sampled:
    before = trial.generate(None, max_new_tokens, sampling)
    after = before if change is None else trial.generate(change, max_new_tokens, sampling)
    return Sampled(sampling, before.text, after.text, compare.diff(before.tokens, after.tokens))
