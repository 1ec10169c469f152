"""One latent at several strengths: dose and response of the answer, and the words it speaks for.

In: a trial and a latent that fires on its picture. Out: `Steered`. Dose, response and measured words are real runs under edits; the
direct effect is none: it reads off, through the output layer alone, what the latent adds to the image tokens, or at a point of the language
model to all tokens (logit lens).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from scratchpad.analysis.controls import matched_sets
from scratchpad.errors import UserError
from scratchpad.experiments.trial import Trial
from scratchpad.records import Named, ablation, scaling
from scratchpad.records.experiment import Likely
from scratchpad.records.hookpoint import PROJECTOR
from scratchpad.records.steering import Curve, Dose, Moved, Steered
from scratchpad.vlm.check import embeddings
from scratchpad.vlm.forcing import next_logprobs
from scratchpad.vlm.points import changing_at
from scratchpad.vlm.prepare import token_text
from scratchpad.vlm.states import lens

STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
CONTROLS = (0.0, 2.0, 4.0)  # strengths of the other latents; at 1 all agree
OTHERS = 8
WORDS = 8  # a side
LIKELY = 1e-3  # probability that a measured word reaches


def steer(trial: Trial, latent: int, nth: int, max_new_tokens: int) -> Steered:
    """Runs the answer again with one latent's activations multiplied, with other latents' as a control.

    Args:
        nth: of the answer's tokens, the one in whose place words are measured.

    Raises:
        UserError: the latent doesn't fire on the picture, so that multiplying changes nothing.
    """
    if not trial.codes.of(latent).any():
        raise UserError(f"Latent {latent} doesn't fire on this picture, so its strength changes nothing; choose one that does.")
    others = [set_[0] for set_ in matched_sets(trial.codes, (latent,), OTHERS)[0]]
    edits = [scaling([latent], strength) for strength in STRENGTHS]
    edits += [scaling([other], strength) for other in others for strength in CONTROLS]
    forced = trial.force(edits)
    logprobs = forced.logprobs.sum(1).astype(float).tolist()
    answers = [
        trial.run.answer if unchanged else trial.generate(trial.change(edit), max_new_tokens).text
        for edit, unchanged in zip(edits[: len(STRENGTHS)], forced.unchanged, strict=False)
    ]
    doses = zip(STRENGTHS, logprobs, answers, strict=False)
    rest = np.reshape(logprobs[len(STRENGTHS) :], (len(others), len(CONTROLS))).tolist()
    raised, lowered = _measured(trial, latent, nth)
    direct_raised, direct_lowered, why = _direct(trial, latent)
    return Steered(
        latent=Named(latent, trial.name(latent)),
        doses=tuple(Dose(*dose) for dose in doses),
        others=tuple(Curve(Named(other, trial.name(other)), CONTROLS, tuple(row)) for other, row in zip(others, rest, strict=True)),
        token=trial.prepared.length + nth,
        raised=raised,
        lowered=lowered,
        direct_raised=direct_raised,
        direct_lowered=direct_lowered,
        why_not_direct=why,
    )


def _measured(trial: Trial, latent: int, nth: int) -> tuple[tuple[Moved, ...], tuple[Moved, ...]]:
    changes = [trial.change(scaling([latent], strength)) for strength in (0.0, 2.0)]
    none = np.zeros_like(trial.run.states())
    deltas = torch.from_numpy(np.stack([none if change is None else change.rows for change in changes]))
    ids = trial.run.answer_ids[: nth + 1]
    off, doubled = next_logprobs(trial.vlm, trial.prepared, ids, trial.sae.at, deltas, trial.clean)
    reached = np.flatnonzero(np.maximum(off, doubled) >= np.log(LIKELY))
    order = reached[np.argsort((off - doubled)[reached], kind="stable")]

    def moved(token: int) -> Moved:
        return Moved(token_text(trial.vlm, token), float(off[token]), float(doubled[token]))

    up = [int(i) for i in order if doubled[i] > off[i]][:WORDS]
    down = [int(i) for i in order[::-1] if doubled[i] < off[i]][:WORDS]
    return tuple(map(moved, up)), tuple(map(moved, down))


@torch.no_grad()
def _direct(trial: Trial, latent: int) -> tuple[tuple[Likely, ...], tuple[Likely, ...], str]:
    change = trial.change(ablation([latent]))
    assert change is not None, "the latent fires"
    vlm, at = trial.vlm, trial.sae.at
    rows = torch.from_numpy(change.rows)
    if at.place == "language":
        added = -rows.to(vlm.adapter.device)
    else:
        plain = embeddings(vlm, trial.prepared)
        with changing_at(vlm, at, trial.prepared, rows[None]):
            added = plain - embeddings(vlm, trial.prepared)
    try:
        width = vlm.width_at(PROJECTOR)  # behind it DeepStack's additions, for later layers
        read = lens(vlm, added[:, :width].mean(0, keepdim=True).to(vlm.model.dtype))[0]
    except UserError as error:
        return (), (), str(error)
    scores = (read - read.mean()).cpu().numpy()
    order = np.argsort(-scores, kind="stable")
    return _words(trial, scores, order), _words(trial, scores, order[::-1]), ""


def _words(trial: Trial, scores: Float[np.ndarray, " n"], order: np.ndarray) -> tuple[Likely, ...]:
    """The first that say something: control tokens, empty ones and parts of a letter are passed over."""
    special = set(trial.vlm.processor.tokenizer.all_special_ids)  # type: ignore[attr-defined]
    out: list[Likely] = []
    for token in map(int, order):
        text = "" if token in special else token_text(trial.vlm, token)
        if text.strip() and "\ufffd" not in text:
            out.append((text, float(scores[token])))
        if len(out) == WORDS:
            break
    return tuple(out)
