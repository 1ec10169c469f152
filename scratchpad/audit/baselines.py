"""What a repair is held against: other latents, the SAE's reconstruction, raw neurons, a steering vector, a question that warns.

In: answers, what was learnt on the half that an edit is chosen on. Out: changes of activations, or of the question. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from scratchpad.audit.answers import Answers
from scratchpad.audit.asking import Asking
from scratchpad.errors import UserError
from scratchpad.records import Edit
from scratchpad.records.audit import Group
from scratchpad.sae.load import Sae
from scratchpad.vlm.points import Change

SETS = 3  # of random latents
NEAR = 16  # latents of nearest activation, of which random ones are drawn


@dataclass(frozen=True)
class Vectors:
    """Mean activations over patches, of wrong rows and of right ones."""

    wrong: Float[np.ndarray, "w d"]
    right: Float[np.ndarray, "r d"]


def matched(answers: Answers, edit: Edit, seed: int = 0) -> list[Edit]:
    """The same operations on other latents, each of about as much activation over the set as the one that it stands for."""
    mass = np.asarray(answers.peaks.sum(0)).ravel()
    own, rng = edit.latents(), np.random.default_rng(seed)
    pool = np.array([latent for latent in np.flatnonzero(mass) if latent not in own])
    out: list[Edit] = []
    for _ in range(SETS if len(pool) >= NEAR + len(own) else 0):
        taken: list[int] = []
        for latent in own:
            near = pool[np.argsort(np.abs(np.log(mass[pool]) - np.log(max(mass[latent], 1e-9))), kind="stable")[: NEAR + len(own)]]
            taken.append(int(rng.choice([i for i in near if i not in taken])))
        stands = dict(zip(own, taken, strict=True))
        out.append(replace(edit, items=tuple(replace(item, latent=stands[item.latent]) for item in edit.items)))
    return list(dict.fromkeys(out))


def reconstruction(sae: Sae) -> Change:
    """Puts the SAE's reconstruction in place of the activations."""

    def change(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        rows = x.detach().float().cpu().numpy()
        return torch.from_numpy(sae.reconstruct(sae.encode(rows), rows) - rows).to(x.device)

    return change


def vectors(asking: Asking, wrong: Sequence[int], right: Sequence[int]) -> Vectors | None:
    """Of the rows chosen on, and of as many right ones; None where there are none of a kind."""
    means = [[_mean(asking, number) for number in rows[: len(wrong)]] for rows in (wrong, right)]
    there = [np.stack([row for row in rows if row is not None]) if any(row is not None for row in rows) else None for rows in means]
    return None if there[0] is None or there[1] is None else Vectors(there[0], there[1])


def neurons(learnt: Vectors, count: int) -> Change:
    """Sets the `count` dimensions that part wrong from right rows most to their mean over right ones."""
    apart = np.abs(learnt.wrong.mean(0) - learnt.right.mean(0)) / (learnt.wrong.std(0) + learnt.right.std(0) + 1e-6)
    chosen = torch.from_numpy(np.argsort(-apart, kind="stable")[:count].copy())
    target = torch.from_numpy(learnt.right.mean(0))

    def change(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        out = torch.zeros_like(x)
        out[:, chosen] = target[chosen].to(x) - x[:, chosen]
        return out

    return change


def steering(learnt: Vectors) -> Change:
    """Adds the difference of the means, right minus wrong, to every patch."""
    difference = torch.from_numpy(learnt.right.mean(0) - learnt.wrong.mean(0))
    return lambda x: difference.to(x).expand_as(x)


def warning(group: Group) -> Callable[[str], str]:
    """A question that names what misleads."""
    concept = (group.latents[0].name.rstrip("?") if group.latents else "") or "what is usual"  # a guess is warned of too
    return lambda asked: f"{asked} (look closely: don't be misled by {concept})"


def _mean(asking: Asking, number: int) -> Float[np.ndarray, " d"] | None:
    try:
        mean: np.ndarray = asking.explainer.analysis(number).run.states().mean(0)
    except UserError:
        return None
    return mean
