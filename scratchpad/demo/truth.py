"""Whether names are true: `scratchpad demo truth`. The names shown behind answers about held-out scenes, against all that is true of them.

In: the demo VLM, its SAEs with their indexes. Out: for each SAE and the first 1, 3, 5 and 10 concepts of `Workbench.analyze(...).latents`,
those that fire on more than half of all pictures left out as the page leaves them out by default: the share of claimed names that are
true, and the share of the concepts that have one. A name is true as it is claimed: at the patch where the latent fires most or, where it
was counted as being anywhere, in the picture; `true_anywhere` counts names that hold somewhere in the picture, however claimed. Intervals
are 95%, by a bootstrap over scenes, as names of one scene aren't independent.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from scratchpad.demo.draw import draw_scene
from scratchpad.demo.evaluate import held_out
from scratchpad.demo.labels import GROUPS, NUMBER, patch_labels
from scratchpad.demo.questions import TYPES, all_questions
from scratchpad.demo.saes import LAYERS
from scratchpad.demo.world import HELD_OUT_START, Scene
from scratchpad.errors import UserError
from scratchpad.progress import step
from scratchpad.records import Codes
from scratchpad.sae.claims import Claim
from scratchpad.sae.index import Index, open_index
from scratchpad.stats import wilson
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.workbench import Workbench

FIRST = HELD_OUT_START + 40_000_000  # scenes that nothing else is made of or measured on
DEPTHS = (1, 3, 5, 10)
COMMON = 0.5  # the page's default: latents that fire on more of all pictures are left out
DRAWS = 2000
GROUP = {name: group for group, names in GROUPS.items() for name in names}


class Share(TypedDict):
    """A share with its 95% interval; None where it is of nothing."""

    share: float | None
    of: int
    low: float | None
    high: float | None


class Depth(TypedDict):
    """Of the first concepts, so many."""

    true: Share  # of the names, as they are claimed
    true_anywhere: Share  # of the names, somewhere in the picture
    named: Share  # of the concepts


class Truth(TypedDict):
    """How true an SAE's names are."""

    at: dict[str, Depth]  # by depth, a number as text
    groups: dict[str, int]  # names among the first five by the kind of their label
    scenes: int
    first: int  # seed


class Truths(TypedDict):
    """How true the names of every SAE are."""

    scenes: int
    seeds: list[int]  # first and last
    saes: dict[str, Truth]
    seconds: int


@dataclass
class Tally:
    """Of every scene and depth: concepts, those with a name, names that are true as claimed, names that hold anywhere."""

    rows: list[list[tuple[int, int, int, int]]] = field(default_factory=list)
    groups: Counter[str] = field(default_factory=Counter)  # what kinds of labels the first five are named by

    def add(self, concepts: Sequence[tuple[Claim, bool, bool]]) -> None:
        """One scene: its concepts, best first, each with whether its name is true as claimed, and anywhere."""
        row = []
        for depth in DEPTHS:
            named = [(there, anywhere) for claim, there, anywhere in concepts[:depth] if claim.name]
            row.append((len(concepts[:depth]), len(named), sum(t for t, _ in named), sum(a for _, a in named)))
        self.rows.append(row)
        self.groups.update(GROUP[claim.name] for claim, *_ in concepts[:5] if claim.name)

    def summary(self) -> Truth:
        """Shares with their intervals, and how many names are of which group."""
        rows = np.array(self.rows)
        at: dict[str, Depth] = {}
        for i, depth in enumerate(DEPTHS):
            concepts, named, there, anywhere = rows[:, i].T
            at[str(depth)] = {
                "true": share(there, named),
                "true_anywhere": share(anywhere, named),
                "named": share(named, concepts),
            }
        return {"at": at, "groups": dict(self.groups.most_common()), "scenes": len(self.rows), "first": FIRST}


def share(hits: Int[np.ndarray, " s"], of: Int[np.ndarray, " s"], seed: int = 0) -> Share:
    """A ratio of sums over scenes with its 95% interval, scenes drawn with replacement.

    Where every scene agrees a bootstrap can't vary; then the bounds are Wilson's over scenes.
    """
    total = int(of.sum())
    if not total:
        return {"share": None, "of": 0, "low": None, "high": None}
    value = float(hits.sum() / total)
    if value in (0.0, 1.0):
        scenes = int((of > 0).sum())
        low, high = (float(bound) for bound in wilson(value * scenes, scenes))
    else:
        picked = np.random.default_rng(seed).integers(0, len(of), (DRAWS, len(of)))
        drawn: Float[np.ndarray, " n"] = hits[picked].sum(1) / np.maximum(of[picked].sum(1), 1)
        low, high = (float(bound) for bound in np.quantile(drawn, (0.025, 0.975)))
    return {"share": round(value, 4), "of": total, "low": round(low, 4), "high": round(high, 4)}


def truth(model: Path, saes: Path, scenes: int, say: Callable[[str], None] = print) -> Truths:
    """Measures every SAE of LAYERS in `saes`.

    Raises:
        UserError: an SAE, its index or the font is missing.
    """
    begun = time.monotonic()
    vlm = load_vlm(model)
    measured: dict[str, Truth] = {}
    for name in LAYERS:
        measured[name] = truth_of(vlm, saes / name, scenes, say)
        say(f"{name}: {measured[name]['at']['5']}")
    return {"scenes": scenes, "seeds": [FIRST, FIRST + scenes - 1], "saes": measured, "seconds": round(time.monotonic() - begun)}


def truth_of(vlm: Vlm, folder: Path, scenes: int, say: Callable[[str], None] = print) -> Truth:
    """Measures one SAE.

    Raises:
        UserError: the SAE, its index or the font is missing.
    """
    bench = Workbench(vlm, folder)
    index = open_index(folder, bench.sae)
    if index is None:
        raise UserError(f"{folder} has no index; make one with `scratchpad demo saes`.")
    if index.why_no_claims:
        say(f"{folder.name}: {index.why_no_claims}")
    tally = Tally()
    for n, scene in enumerate(held_out(scenes, first=FIRST)):
        step(f"naming by {folder.name}", n, scenes, outer=True)
        tally.add(concepts(bench, index, scene))
    return tally.summary()


def concepts(bench: Workbench, index: Index, scene: Scene) -> list[tuple[Claim, bool, bool]]:
    """The first concepts behind an answer about a scene: what each may be called, whether that is true as claimed, and anywhere in it."""
    drawn = draw_scene(scene)
    questions = [question for question in all_questions(scene) if question.type in TYPES]
    analysis = bench.analyze(Image.fromarray(drawn.pixels), questions[scene.seed % len(questions)].text)
    rows = [row.id for row in analysis.latents if row.score > 0 and (row.sparsity is None or row.sparsity <= COMMON)]
    like = index.likeness
    unlike = like.unlike(bench.sae, analysis.run.states(), analysis.codes) if like else ""
    return judged(index, analysis.codes, rows, patch_labels(scene, drawn), unlike)


def judged(
    index: Index, codes: Codes, ranked: Sequence[int], held: Bool[np.ndarray, "p l"], unlike: str = ""
) -> list[tuple[Claim, bool, bool]]:
    """The first of some ranked latents: what each may be called, whether that is true as claimed, and anywhere in it.

    Args:
        held: which of LABELS hold in each patch.
    """
    claims = index.claims_of(codes, unlike)
    out = []
    for latent in ranked[: max(DEPTHS)]:
        claim = claims[latent]
        column = held[:, NUMBER[claim.name]] if claim.name in NUMBER else np.zeros(len(held), bool)
        anywhere = bool(column.any())
        out.append((claim, anywhere if claim.anywhere else bool(column[codes.of(latent).argmax()]), anywhere))
    return out
