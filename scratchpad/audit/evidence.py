"""What of a group's explained rows speaks for or against what it says. In: explained rows. Out: findings. Runs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from scratchpad.experiments.diagnose import HIDDEN, LIMITED, MISLEADING
from scratchpad.records import Finding, Named
from scratchpad.records.audit import Explained, Kind

FITS = {"cue": MISLEADING, "rival": HIDDEN, "missing": LIMITED}  # the failure mode that a kind of group is of


def evidence(
    kind: Kind, latents: Sequence[Named], rows: Sequence[Explained], beside: Sequence[Explained], name: Callable[[int], str]
) -> Iterator[Finding]:
    """Findings, the one that the group's cause rests on first.

    Args:
        rows: the group's own, explained.
        beside: right rows, explained.
        name: what the index calls a latent.
    """
    rows = [row for row in rows if row.diagnosis is not None]
    if not rows:
        yield Finding("none of its rows was explained in the budget: what it rests on was not tested", None)
        return
    modes: Counter[str] = Counter(row.diagnosis.mode for row in rows if row.diagnosis)
    fits = FITS[kind]
    others = ", ".join(f"{mode} {count}" for mode, count in modes.most_common() if mode != fits)
    yield Finding(
        f"{modes[fits]} of {len(rows)} explained rows fit {fits}" + (f" ({others})" if others else ""), 2 * modes[fits] > len(rows)
    )
    searched = [row.sufficient for row in rows if row.sufficient is not None]
    flipped = [search for search in searched if search.flipped]
    if searched:
        used = Counter(latent.id for search in flipped for latent in search.latents)
        own = {latent.id for latent in latents}
        hits = sum(bool(own & set(search.ids)) for search in flipped)
        random, sets = sum(search.random_flips for search in flipped), sum(search.n_random_sets for search in flipped)
        says = f"an ablation brings the expected answer out in {len(flipped)} of {len(searched)} explained rows"
        if flipped:
            most = ", ".join(f"{name(i) or 'unnamed'} (#{i}) {count}" for i, count in used.most_common(3))
            says += f", by {most}; matched random sets do in {random} of {sets}"
        yield Finding(says, (not flipped) if kind == "missing" else bool(flipped))
        if kind == "cue" and flipped:
            yield Finding(f"what is ablated there is what parts the group, in {hits} of {len(flipped)}", 2 * hits > len(flipped))
    own = {latent.id for latent in latents}
    if own and beside:
        rests = sum(bool(row.sufficient and own & set(row.sufficient.ids)) for row in beside)
        yield Finding(f"of {len(beside)} explained right rows, {rests} rest on these latents", None)
