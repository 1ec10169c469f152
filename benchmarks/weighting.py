"""Does weighting latents by attention help, and which attention? How many of a ranking's first latents must go until the answer changes.

python -m benchmarks.weighting --count 60 --choose 20

Held-out questions of the demo whose answer names something visible, the same for every ranking; fewer is better, MOST where it never
changes. Heads are many, so the best are chosen on `--choose` other questions. Intervals: 95%, a bootstrap over questions; differences are
paired.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float

from benchmarks.causal import FIRST, VISIBLE
from scratchpad.analysis.rank import mean_scores, scores
from scratchpad.analysis.weigh import of_tokens, weigh
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import FAILURES, all_questions
from scratchpad.needle.intervals import of_mean
from scratchpad.records import Analysis, Run, Weights, ablation
from scratchpad.vlm.run import run
from scratchpad.workbench import Workbench

MOST = 32  # latents of a ranking that are ablated at most
CHOOSE = 8  # the same where heads are chosen
SINK = 3.0  # deviations above the mean patch from which on a patch is one that every token attends to
USUAL = "mean over all layers"
BEST = 3  # heads that go on
Attended = Mapping[str, Float[np.ndarray, "t p"]]  # by ranking: what the answer's tokens attend to


def asked(bench: Workbench, count: int) -> Iterator[Analysis]:
    """Questions whose answer names something visible, one a scene, its type in turn."""
    left = count
    for scene in held_out(20 * count, first=FIRST):
        every = all_questions(scene)
        question = every[scene.seed % len(every)]
        if question.type in FAILURES or not _visible(question.answer):
            continue
        analysis = bench.analyze(picture(scene), question.text)
        if _visible(analysis.run.answer):
            yield analysis
            left -= 1
        if not left:
            return


def _visible(answer: str) -> bool:
    return bool(VISIBLE & set(answer.replace(",", "").split()))


def of_head(bench: Workbench, analysis: Analysis, head: int) -> Run:
    """The answer again, the attention rows those of one head."""
    return run(bench.vlm, bench.trial(analysis).prepared, analysis.sae.at, analysis.question.settings.max_new_tokens, [head])


def of_answer(weights: Weights, analysis: Analysis) -> Float[np.ndarray, "t p"]:
    """The rows of the answer's tokens."""
    return of_tokens(weights, [token.index for token in analysis.run.outputs()])


def by_head(bench: Workbench, analysis: Analysis, pairs: Sequence[tuple[int, int]]) -> Attended:
    """Some heads, each as (layer, head), alone."""
    runs = {head: of_head(bench, analysis, head) for head in {head for _, head in pairs}}
    return {f"layer {y}, head {h}": of_answer(weigh(runs[h], [y]), analysis) for y, h in pairs}


def by_layers(analysis: Analysis) -> Attended:
    """The mean over all layers, over the last third, sinks taken out, and every layer alone."""
    run, layers = analysis.run, analysis.run.rows().shape[1]
    everywhere = weigh(run)
    out = {
        USUAL: of_answer(everywhere, analysis),
        "last third of the layers": of_answer(weigh(run, range(2 * layers // 3, layers)), analysis),
    }
    rows = out[USUAL] * ~sinks(everywhere)
    out["mean over all layers, sinks removed"] = rows / np.maximum(rows.sum(1, keepdims=True), 1e-12)
    return out | {f"layer {y}": of_answer(weigh(run, [y]), analysis) for y in range(layers)}


def sinks(weights: Weights) -> np.ndarray:
    """Patches that text tokens attend to whichever they are: bool[p]."""
    mean = weights.values[weights.values.sum(1) > 0].mean(0)
    return np.asarray(mean > mean.mean() + SINK * mean.std())


def order(analysis: Analysis, rows: Float[np.ndarray, "t p"]) -> list[int]:
    """Latents by attention-weighted activation, best first, as the workbench ranks them."""
    active, score = scores(analysis.codes, rows)
    return [int(active[i]) for i in np.argsort(-score.mean(0), kind="stable")]


def plainly(analysis: Analysis) -> list[int]:
    """Latents by mean activation."""
    active, mean = mean_scores(analysis.codes)
    return [int(active[i]) for i in np.argsort(-mean, kind="stable")]


def needed(bench: Workbench, analysis: Analysis, rankings: Mapping[str, Sequence[int]], most: int = MOST) -> dict[str, int]:
    """For each ranking, how many of its first latents must go until the answer changes; a set that several share is ablated once."""
    out = dict.fromkeys(rankings, most)
    changes: dict[frozenset[int], bool] = {}
    left = dict(rankings)
    for n in range(1, most + 1):
        heads = {name: frozenset(ranking[:n]) for name, ranking in left.items() if len(ranking) >= n}
        fresh = list(dict.fromkeys(latents for latents in heads.values() if latents not in changes))
        if fresh:
            same = bench.forced(analysis, [ablation(sorted(latents)) for latents in fresh]).unchanged
            changes |= {latents: not kept for latents, kept in zip(fresh, same, strict=True)}
        out |= {name: n for name, latents in heads.items() if changes[latents]}
        left = {name: left[name] for name, latents in heads.items() if not changes[latents]}
    return out


def measured(
    bench: Workbench, analyses: Iterator[Analysis], attended: Callable[[Analysis], Attended], most: int = MOST
) -> dict[str, list[int]]:
    """How many latents each ranking needs, a number for each question."""
    out: dict[str, list[int]] = {}
    for analysis in analyses:
        rankings = {name: order(analysis, rows) for name, rows in attended(analysis).items()} | {"plain mean activation": plainly(analysis)}
        for name, count in needed(bench, analysis, rankings, most).items():
            out.setdefault(name, []).append(count)
        print(
            json.dumps({"asked": len(out[name]), "last": {name: counts[-1] for name, counts in out.items() if "head" not in name}}),
            flush=True,
        )
    return out


def table(counts: Mapping[str, Sequence[int]]) -> list[dict[str, object]]:
    """Each ranking's mean and its difference to the usual one, with intervals; best first."""
    usual = np.array(counts[USUAL], float)
    places = np.arange(len(usual))
    rows: list[dict[str, object]] = []
    for name in sorted(counts, key=lambda name: float(np.mean(counts[name]))):
        values = np.array(counts[name], float)
        row: dict[str, object] = {"ranking": name, "mean": round(float(values.mean()), 2), "interval": _rounded(of_mean(values, places))}
        row |= {"median": float(np.median(values)), "never": int((values >= MOST).sum())}
        if name != USUAL:
            row |= {
                "less than usual": round(float((usual - values).mean()), 2),
                "of it the interval": _rounded(of_mean(usual - values, places)),
            }
        rows.append(row)
    return rows


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(bound, 2) for bound in interval]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--choose", type=int, default=20, help="questions on which the best heads are chosen; 0 for no heads")
    options = parser.parse_args()
    begun = time.monotonic()
    bench = Workbench()
    every = asked(bench, options.choose + options.count)
    layers = bench.vlm.model.config.get_text_config().num_hidden_layers
    pairs = [(y, h) for y in range(layers) for h in range(bench.vlm.heads)]
    choosing = measured(bench, islice(every, options.choose), lambda a: by_head(bench, a, pairs), CHOOSE) if options.choose else {}
    means = {pair: float(np.mean(choosing[f"layer {pair[0]}, head {pair[1]}"])) for pair in pairs} if choosing else {}
    best = sorted(means, key=lambda pair: means[pair])
    counts = measured(bench, every, lambda a: {**by_layers(a), **by_head(bench, a, best[:BEST])})
    chosen = {f"layer {pair[0]}, head {pair[1]}": round(means[pair], 2) for pair in [*best[:10], *best[-1:]]}
    told = {"questions": options.count, "most": MOST, "heads, on the choosing questions": chosen, "rankings": table(counts)}
    print(json.dumps(told | {"wall seconds": round(time.monotonic() - begun)}, indent=1))


if __name__ == "__main__":
    main()
