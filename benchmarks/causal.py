"""How often causal claims hold on held-out questions of the demo, as a table or JSON: slow, so run apart from the tests.

python -m benchmarks.causal predicted  --count 200   # predicted against actual effects: rank correlation over all active latents
python -m benchmarks.causal linear     --count 20    # the same, the latents turned down by a part: how far the first order reaches
python -m benchmarks.causal sufficient --count 500   # the smallest set against plain rankings and random sets
python -m benchmarks.causal suggested  --count 100   # what "Suggested set" finds, and the verdict on it
python -m benchmarks.causal failures   --count 100   # the three failure modes, found and undone
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions, with_article
from scratchpad.demo.world import BACKGROUNDS, HELD_OUT_START, KINDS, WORDS, Mode
from scratchpad.experiments.diagnose import COMMON, TOP
from scratchpad.records import Analysis, Edit, Verified
from scratchpad.records.edit import ablation, scaling
from scratchpad.vlm.checkpoint import Placement
from scratchpad.workbench import Workbench

FIRST = HELD_OUT_START + 300_000_000
VISIBLE = {*KINDS, *BACKGROUNDS, *WORDS}
ABSENT = {"no", "none", "nowhere"}  # answers that rest on what isn't in the picture
TELLING = 0.01  # nats from which on an ablated latent counts as moving the answer
MOST = 64  # latents of a plain ranking that are ablated at most


def questions(bench: Workbench, count: int) -> Iterator[Analysis]:
    """One question a scene, its type in turn."""
    asked = 0
    for scene in held_out(count * 4, first=FIRST):
        every = all_questions(scene)
        one = every[scene.seed % len(every)]
        if one.type in ("misleading", "two", "uncategorised"):
            continue
        yield bench.analyze(picture(scene), one.text)
        asked += 1
        if asked == count:
            return


def predicted(bench: Workbench, count: int) -> dict[str, Any]:
    """Rank correlation over all active latents and Pearson's over those that matter, a value for each question."""
    verified = [bench.verify(analysis) for analysis in questions(bench, count)]
    return {
        "questions": len(verified),
        "spearman": _spread([v.spearman for v in verified if v.spearman is not None]),
        "pearson over latents that move the answer by more than 0.01 nats": _spread([v.pearson for v in verified if v.pearson is not None]),
        "predicted signs that are right, of such latents": float(np.mean([right for v in verified for right in _signs(v)])),
        "the five largest real effects are among the first 32 that are tried": float(np.mean([_among(v) for v in verified])),
    }


def _among(verified: Verified, first: int = 32, largest: int = 5) -> bool:
    """Whether the latents of largest real effect are among the first that are tried."""
    strongest = sorted(verified.effects, key=lambda effect: -abs(effect.actual))[:largest]
    return {effect.latent for effect in strongest} <= {effect.latent for effect in verified.effects[:first]}


def _signs(verified: Verified) -> list[bool]:
    """Of latents that move the answer by more than TELLING nats, whether the prediction has the sign of what happens."""
    return [effect.predicted * effect.actual > 0 for effect in verified.effects if abs(effect.actual) > TELLING]


def linear(bench: Workbench, count: int) -> dict[str, Any]:
    """Spearman of the one gradient with what happens when each latent loses so much of its activation, and how many latents matter."""
    found: dict[float, list[float]] = {0.01: [], 0.1: [], 0.3: [], 1.0: []}
    active: list[int] = []
    telling: list[int] = []
    for analysis in questions(bench, count):
        latents, plain = list(analysis.by_effect), bench.forced(analysis, [Edit()]).logprobs.sum()
        for part, values in found.items():
            moved = bench.forced(analysis, [scaling([latent], 1 - part) for latent in latents]).logprobs.sum(1) - plain
            values.append(float(spearmanr(list(analysis.by_effect.values()), moved)[0]))
        active.append(len(latents))
        telling.append(int((abs(moved) > TELLING).sum()))
    counts = {"active latents, median": float(np.median(active)), f"of them move it by over {TELLING} nats": float(np.median(telling))}
    return {"questions": count} | {f"{100 * part:.0f}% off": _spread(values) for part, values in found.items()} | counts


def _spread(values: Sequence[float]) -> dict[str, float]:
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return {"median": round(float(middle), 4), "tenth": round(float(low), 4), "ninetieth": round(float(high), 4)}


def sufficient(bench: Workbench, count: int) -> dict[str, Any]:
    """Answers that name something visible: how many flip, by how many latents, beside plain rankings and random sets."""
    flipped, sizes, seconds, random, minimal = 0, [], [], [], 0
    uniform: list[float] = []
    plain: dict[str, list[int]] = {"attention-weighted score": [], "mean activation": [], "clusters of the heatmap, one by one": []}
    rng = np.random.default_rng(0)
    asked = 0
    for analysis in questions(bench, count * 8):
        if not VISIBLE & set(analysis.run.answer.replace(",", "").split()):
            continue
        asked += 1
        begun = time.perf_counter()
        found = bench.suffice(analysis)
        seconds.append(time.perf_counter() - begun)
        if found.flipped:
            flipped += 1
            minimal += found.minimality != "none"
            sizes.append(len(found.latents))
            random.append(found.random_flips / max(1, found.n_random_sets))
            by_mean = sorted(analysis.latents, key=lambda row: -row.mean_score)
            for name, rows in (("attention-weighted score", analysis.latents), ("mean activation", by_mean)):
                plain[name].append(_needed(bench, analysis, [row.id for row in rows]))
            plain["clusters of the heatmap, one by one"].append(_clusters_needed(bench, analysis))
            uniform.append(_uniform(bench, analysis, len(found.latents), rng))
        if asked % 25 == 0:
            print(
                json.dumps({"asked": asked, "flipped": flipped, "size": float(np.mean(sizes)), "random": float(np.mean(random))}),
                flush=True,
            )
        if asked == count:
            break
    return {
        "questions": asked,
        "flipped": flipped,
        "minimal": minimal,
        "latents, mean": round(float(np.mean(sizes)), 2),
        "random sets of the size that flip": round(float(np.mean(random)), 4),
        "random sets that flip, median question": round(float(np.median(random)), 4),
        "sets drawn without regard to activation that flip": round(float(np.mean(uniform)), 4),
        "seconds, median": round(float(np.median(seconds)), 2),
        "plain rankings, latents needed (mean; MOST where never)": {k: round(float(np.mean(v)), 2) for k, v in plain.items()},
    }


def _needed(bench: Workbench, analysis: Analysis, ranking: list[int]) -> int:
    """How many of a ranking's first latents must go until the answer changes."""
    heads = [ablation(ranking[: n + 1]) for n in range(min(MOST, len(ranking)))]
    for start in range(0, len(heads), 16):
        kept = bench.forced(analysis, heads[start : start + 16]).unchanged
        if not kept.all():
            return start + int(np.argmin(kept)) + 1
    return MOST


def _clusters_needed(bench: Workbench, analysis: Analysis) -> int:
    """How many latents must go when whole clusters of the heatmap go, those of the highest score first (VisualScratchpad, steering)."""
    score = {row.id: row.score for row in analysis.latents}
    order = sorted(analysis.heatmap.clusters, key=lambda cluster: -max(score.get(i, 0.0) for i in cluster.latents))
    gone: list[int] = []
    for cluster in order:
        gone += cluster.latents
        if not bench.forced(analysis, [ablation(gone)]).unchanged[0]:
            return len(gone)
    return len(gone)


def _uniform(bench: Workbench, analysis: Analysis, size: int, rng: np.random.Generator, sets: int = 32) -> float:
    """Share of random sets of active latents, drawn without regard to their activation, that change the answer."""
    active = analysis.codes.active()
    drawn = [ablation([int(i) for i in rng.choice(active, min(size, len(active)), replace=False)]) for _ in range(sets)]
    return float((~bench.forced(analysis, drawn).unchanged).mean())


def suggested(bench: Workbench, count: int) -> dict[str, Any]:
    """Questions of every type: how often a suggested set was found, what the verdict on it is, how often its controls flip."""
    sizes: list[int] = []
    verdicts: dict[str, int] = {}
    flips: list[float] = []
    there = changed = 0
    for analysis in questions(bench, count):
        suggestion = bench.suggest(analysis).suggested
        assert suggestion is not None, "a suggestion was asked for"
        if analysis.run.answer not in ABSENT:
            there, changed = there + 1, changed + suggestion.flipped
        if not suggestion.flipped:
            continue
        sizes.append(len(suggestion.ids))
        test = bench.test(analysis, ablation(suggestion.ids))
        verdicts[test.verdict.kind] = verdicts.get(test.verdict.kind, 0) + 1
        if test.verdict.kind == "supported":
            flips.append(test.control.random_flips / max(1, test.control.n_random_sets))
    return {
        "questions": count,
        "with a suggested set, which changes the answer": len(sizes),
        "answers that say something is there": there,
        "of them with a suggested set": changed,
        "its latents, mean": round(float(np.mean(sizes)), 2),
        "verdicts": verdicts,
        "control sets that change the answer too, mean over the supported": round(float(np.mean(flips)), 4) if flips else None,
    }


def failures(bench: Workbench, count: int) -> dict[str, Any]:
    """For each mode, of `count` scenes in which the model fails so, in how many the tests of the mode hold."""
    return {mode: _failure(bench, mode, count) for mode in ("misleading", "uncategorised", "two")}


def _failure(bench: Workbench, mode: Mode, count: int) -> dict[str, Any]:
    failed = holds = random = shown = explicit = 0
    for scene in held_out(count * 4, mode, FIRST):
        asked = [q for q in all_questions(scene) if q.type == mode and " on " not in q.answer]
        if not asked:
            continue
        image, text = picture(scene), asked[0].text
        found = bench.analyze(image, text)
        if mode == "two":
            rivals = [t.name for t in scene.things if t.category in text]
            if found.run.answer not in rivals:
                continue  # not this failure: it names neither
            truth = next(name for name in rivals if name != found.run.answer)
        else:
            truth = scene.background if mode == "misleading" else asked[0].answer
        if found.run.answer == truth:
            continue
        failed += 1
        if mode == "uncategorised":
            top, yes = _limited(bench, found, image, truth)
            shown, explicit, holds = shown + top, explicit + yes, holds + (top and yes)
        elif mode == "misleading":
            least = bench.suffice(found, truth)
            holds += least.after == truth
            random += least.random_flips > 0.1 * least.n_random_sets
        else:
            own = [int(i) for i in found.codes.active() if bench.name(int(i)) == found.run.answer]
            named = bench.ablate(found, ablation(own)).after.text if own else found.run.answer
            least = bench.suffice(found, truth)
            holds += named == truth
            shown += least.after == truth
            random += least.random_flips > 0.1 * least.n_random_sets
        if failed == count:
            break
    told: dict[str, Any] = {"failed": failed, "tests hold": holds}
    if mode == "uncategorised":
        return told | {"latent among the first ten": shown, "asked by name it's found": explicit}
    if mode == "two":
        told |= {"by searching for the other (suffice --target)": shown}
    return told | {"of them more than a tenth of random sets do it too": random}


def _limited(bench: Workbench, found: Analysis, image: Image.Image, truth: str) -> tuple[bool, bool]:
    rows = [row for row in found.latents if (row.sparsity or 0) <= COMMON]
    by_mean = sorted(rows, key=lambda row: -row.mean_score)
    top = any(row.name == truth for row in (*rows[:TOP], *by_mean[:TOP]))
    return top, bench.answer(image, f"is there {with_article(truth)}") == "yes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("predicted", "linear", "sufficient", "suggested", "failures"))
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    begun = time.monotonic()
    parts = {"predicted": predicted, "linear": linear, "sufficient": sufficient, "suggested": suggested, "failures": failures}
    exact = Placement(dtype="float64") if options.part == "linear" else None  # what rounding does is not asked there
    told = parts[options.part](Workbench(placement=exact), options.count)
    print(json.dumps(told | {"wall seconds": round(time.monotonic() - begun)}, indent=1))


if __name__ == "__main__":
    main()
