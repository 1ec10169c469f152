"""The methods. In: a `Look`. Out: a value per image token, float[v].

A method that follows the answer's log-probability ("tied to the output") uses the model's own greedy answer; one that
follows a text token uses `look.tokens`. To add one: write a function and put it into METHODS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from jaxtyping import Float

from scratchpad.analysis.rank import scores
from scratchpad.analysis.weigh import of_tokens, weigh
from scratchpad.errors import UserError
from scratchpad.saliency.baselines import BASELINES
from scratchpad.saliency.look import Look
from scratchpad.vlm import states

Map = Float[np.ndarray, " v"]
CONCEPTS = 8  # of SAE-weighted attention


def attention(look: Look) -> Map:
    """The attention rows of the text tokens, mean over heads and all layers: what the workbench weighs concepts by."""
    return np.asarray(np.mean([look.run.attention_of(i).mean(0) for i in look.tokens], 0))


def attention_late(look: Look) -> Map:
    """As `attention`, of the last quarter of the layers."""
    first = look.run.rows().shape[1] * 3 // 4
    return np.asarray(np.mean([look.run.attention_of(i)[first:].mean(0) for i in look.tokens], 0))


def attention_max(look: Look) -> Map:
    """As `attention`, the largest over layers in place of their mean."""
    return np.asarray(np.mean([look.run.attention_of(i).max(0) for i in look.tokens], 0))


def rollout(look: Look) -> Map:
    """Attention rollout (Abnar & Zuidema 2020)."""
    return _followed(look, weighted=False)


def relevancy(look: Look) -> Map:
    """Gradient-weighted attention, followed through the layers (Chefer et al. 2021); tied to the output."""
    return _followed(look, weighted=True)


def _followed(look: Look, weighted: bool) -> Map:
    rows = states.rolled_out(look.vlm, look.prepared, look.run.answer_ids, look.rows, weighted)
    return np.asarray(rows[:, look.prepared.image_positions].mean(0))


def gradient_input(look: Look) -> Map:
    """Gradient x input: of the answer's log-probability, summed over the embedding; tied to the output."""
    given, slope = states.embedding_gradients(look.vlm, look.prepared, look.run.answer_ids)
    return np.asarray((given * slope).sum(-1))


def logit_lens(look: Look) -> Map:
    """The probability of the word looked for, read off each image token's state after the middle layer."""
    layers = look.hidden
    logs = states.lens(look.vlm, layers[len(layers) // 2][look.prepared.image_positions])
    return np.asarray(logs[:, look.word_ids].max(-1).values.exp().cpu().numpy())


def cosine(look: Look) -> Map:
    """Cosine between each image token's and the text tokens' states after the middle layer."""
    state = look.hidden[len(look.hidden) // 2].float()
    image, text = state[look.prepared.image_positions], state[look.own_rows].mean(0)
    return np.asarray(torch.nn.functional.cosine_similarity(image, text[None], -1).cpu().numpy())


def occlusion(look: Look) -> Map:
    """How much the answer's log-probability falls when a cell is painted over with the picture's mean; tied to the output."""
    return look.occluded()


def sae_attention(look: Look) -> Map:
    """Where the concepts fire that the text tokens' attention weighs most."""
    if look.codes is None:
        raise UserError("SAE-weighted attention needs an SAE; give one with --sae.")
    places = look.run.places
    rows = of_tokens(weigh(look.run, None, places), look.tokens)
    active, score = scores(look.codes, rows)
    best = np.argsort(-score.mean(0), kind="stable")[:CONCEPTS]
    value = sum(float(score.mean(0)[i]) * look.codes.of(int(active[i])) for i in best)
    return look.grid.patch_values_to_tokens(places.to_patches(np.asarray(value)))


METHODS: dict[str, Callable[[Look], Map]] = {
    "attention": attention,
    "attention-late": attention_late,
    "attention-max": attention_max,
    "rollout": rollout,
    "relevancy": relevancy,
    "gradient-input": gradient_input,
    "logit-lens": logit_lens,
    "cosine": cosine,
    "occlusion": occlusion,
    "sae-attention": sae_attention,
    **BASELINES,
}


def named(names: str, available: Iterable[str] = METHODS) -> list[str]:
    """The methods, of those `available`, that a list separated by commas names.

    Raises:
        UserError: one is unknown; lists those there are.
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in [*available]]
    if unknown or not chosen:
        raise UserError(f"The method {(unknown or [''])[0]!r} was asked for; expected some of {', '.join(available)}.")
    return list(dict.fromkeys(chosen))
