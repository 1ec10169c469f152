"""Several SAEs of one layer of the vision encoder on the same held-out pictures and questions: what each recovers, reconstructs and moves.

In: a model, SAEs, pictures with a question and labels each. Out: a dictionary of measures for each SAE, in the order given. Each answer is
given once, and every SAE's changes of it run in the same batches. Where no question is asked, what needs an answer is left out.

- answers: share of the model's greedy answers that stay with the SAE's reconstruction in place of the activations.
- loss: 1 - (loss with the reconstruction - loss) / (loss with zeros in place of the activations - loss), loss the negative
  log-probability of the model's own answer, summed over questions.
- flips: share of answers that change when one latent is ablated: of the CANDIDATES whose ablation is predicted to move the answer's
  log-odds most, by one gradient, the one whose real ablation costs the answer most. control_flips: when each of up to `sets` others of the
  nearest activation mass goes instead, their mean. causal: the difference. A question on which fewer others fire has as many as there
  are; where there is none, it doesn't count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from PIL import Image

from scratchpad.analysis.controls import matched_sets, standing_in
from scratchpad.analysis.suggest import predicted_effects
from scratchpad.experiments.trial import Change, Trial
from scratchpad.progress import step
from scratchpad.records.certificate import Measure
from scratchpad.records.edit import ablation
from scratchpad.sae.evaluate import Sums, metrics_of, sums_of
from scratchpad.sae.harvest import harvest
from scratchpad.sae.load import Sae
from scratchpad.sae.recovered import countable, recovered
from scratchpad.vlm.forcing import force
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import run_and_keep

SETS = 8  # matched latents at most, ablated in the likeliest one's stead
CANDIDATES = 4
TOKENS = 32  # of an answer at most


@dataclass(frozen=True)
class Shown:
    """A held-out picture, what is asked of it, and what is in it."""

    load: Callable[[], Image.Image] = field(repr=False)
    prompt: str
    labels: frozenset[str]


@dataclass
class _Tally:
    """What is counted of one SAE."""

    sae: Sae
    sums: list[Sums] = field(default_factory=list)
    peaks: list[Float[np.ndarray, " l"]] = field(default_factory=list)
    stays: list[bool] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    flips: list[tuple[bool, float]] = field(default_factory=list)  # of the latent, and of those in its stead

    def see(self, states: Float[np.ndarray, "p d"]) -> None:
        """Codes of one picture."""
        codes = self.sae.encode(states)
        peak, active = np.zeros(self.sae.d_sae, np.float32), codes.active()
        peak[active] = codes.dense(active).max(0)
        self.peaks.append(peak)
        total = sums_of(self.sae, states)
        self.sums = [self.sums[0] + total] if self.sums else [total]

    def measures(self, labels: Sequence[frozenset[str]], zero: float, plain: float) -> dict[Measure, float]:
        """All that was counted."""
        labelled = recovered(np.stack(self.peaks), countable(labels)[1])
        out: dict[Measure, float] = {"auroc": labelled.auroc, "precision": labelled.precision, "recall": labelled.recall}
        out["explained"] = metrics_of(self.sums)["variance_explained"]
        if self.stays:
            out["answers"] = float(np.mean(self.stays))
            if zero != plain:
                out["loss"] = 1 - (sum(self.losses) - plain) / (zero - plain)
        if self.flips:
            own, others = (float(np.mean(column)) for column in zip(*self.flips, strict=True))
            out |= {"causal": own - others, "flips": own, "control_flips": others}
        return out


def measure(vlm: Vlm, saes: Sequence[Sae], shown: Sequence[Shown], asked: int, edited: int, sets: int = SETS) -> list[dict[Measure, float]]:
    """Measures SAEs that read the same point of the vision encoder.

    Args:
        asked: of how many pictures a question is asked, the first ones.
        edited: of how many of these questions a latent is ablated.
        sets: matched latents in its stead, at most.

    Raises:
        UserError: too few pictures have a label; a question can't be asked.
    """
    tallies, at = [_Tally(sae) for sae in saes], saes[0].at
    labels: list[frozenset[str]] = []
    zero = plain = 0.0
    for n, item in enumerate(shown):
        step("measuring", n, len(shown), outer=True)
        if n < asked:
            states, nothing, own = _ask(vlm, tallies, item, n < edited, sets)
            zero, plain = zero + nothing, plain + own
        else:
            states = next(harvest(vlm, [item.load()], [at]))[at].numpy()
        for tally in tallies:
            tally.see(states)
        labels.append(item.labels)
    return [tally.measures(labels, zero, plain) for tally in tallies]


def _ask(vlm: Vlm, tallies: Sequence[_Tally], item: Shown, edits: bool, sets: int) -> tuple[Float[np.ndarray, "p d"], float, float]:
    """One answer under every SAE's reconstruction; (activations, loss with zeros in their place, loss)."""
    prepared = prepare(vlm, item.load(), item.prompt)
    run, clean = run_and_keep(vlm, prepared, tallies[0].sae.at, TOKENS)
    plain, states = force(vlm, prepared, run.answer_ids), run.states()
    trials = []
    for tally in tallies:
        codes = tally.sae.encode(states)
        trials.append(Trial(vlm, tally.sae, run, codes, prepared, clean, plain, lambda _: ""))
    rebuilt = [trial.sae.reconstruct(trial.codes, states) - states for trial in trials]
    forced = trials[0].force_changes(Change(rows) for rows in (*rebuilt, -states))
    losses = -forced.logprobs.sum(1)
    for n, tally in enumerate(tallies):
        tally.stays.append(bool(forced.unchanged[n]))
        tally.losses.append(float(losses[n]))
    if edits:
        gradient = trials[0].odds_gradient(run.answer_ids)
        for tally, trial in zip(tallies, trials, strict=True):
            flipped = _flips(trial, gradient, sets)
            if flipped is not None:
                tally.flips.append(flipped)
    return states, float(losses[-1]), -float(plain.logprobs.sum())


def _flips(trial: Trial, gradient: Float[np.ndarray, "p d"], sets: int) -> tuple[bool, float] | None:
    """Whether the answer changes without the likeliest latent, and how often without others of like mass; None where there is no other."""
    latents, effects = predicted_effects(trial.sae, trial.codes, gradient, trial.run.states())
    if len(latents) < 2:
        return None
    likeliest = latents[np.argsort(-np.abs(effects), kind="stable")[:CANDIDATES]]
    edits = [ablation([int(latent)]) for latent in likeliest]
    forced = trial.force(edits)
    costs = forced.logprobs.sum(1)
    best = int(costs.argmin())
    others, _ = matched_sets(trial.codes, edits[best].latents(), sets)
    changed = ~trial.force([standing_in(edits[best], row) for row in others]).unchanged
    return not forced.unchanged[best], float(changed.mean())
