"""Which concepts of two analyses are the same: the latent itself where one SAE read both, else a name that both sides claim.

In: two analyses. Out: `Matched`. Knows nothing of the index: a guess, or a label that isn't claimed on a picture, matches nothing.
"""

from __future__ import annotations

from scratchpad.records import Analysis
from scratchpad.records.beside import Matched, Shared


def matched(left: Analysis, right: Analysis) -> Matched:
    """The concepts that fire on both sides, the left's best first."""
    if left.sae.identity == right.sae.identity:
        there = {latent.id: latent.name for latent in right.latents}
        both = [latent for latent in left.latents if latent.id in there]
        return Matched("latent", tuple(Shared(_same(row.name, there[row.id]), (row.id,), (row.id,)) for row in both))
    here, there_by = _by_name(left), _by_name(right)
    return Matched("name", tuple(Shared(name, ids, there_by[name]) for name, ids in here.items() if name in there_by))


def _same(name: str, other: str) -> str:
    return name if name == other else ""


def _by_name(analysis: Analysis) -> dict[str, tuple[int, ...]]:
    """The latents of every claimed name, in the order of their scores."""
    out: dict[str, tuple[int, ...]] = {}
    for latent in analysis.latents:
        if latent.name:
            out[latent.name] = (*out.get(latent.name, ()), latent.id)
    return out
