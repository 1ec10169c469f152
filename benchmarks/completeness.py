"""How many steps integrated gradients need: what they add up to, and whether twice the steps give the same map.

python -m benchmarks.completeness --scenes 2

Held-out scenes of the demo, the first question of each. The gap is |sum - d| / |d|, d the change of the answer's log-probability from a
grey picture's image tokens to these (Sundararajan et al. 2017, completeness); the correlation is with the map of half the steps.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from PIL import Image

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.saliency.look import Look, look
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.forcing import force
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.states import embedding_gradients
from scratchpad.workbench import Workbench

FIRST = HELD_OUT_START + 40_000_001
STEPS = (8, 16, 32, 64, 128)


def change(seen: Look) -> float:
    """Of the answer's log-probability from the grey picture to this one, in nats."""
    grey = prepare(seen.vlm, Image.new("RGB", seen.request.picture.size, (128, 128, 128)), seen.prepared.prompt)
    here, there = (float(force(seen.vlm, prompt, seen.run.answer_ids).logprobs.sum()) for prompt in (seen.prepared, grey))
    return here - there


def attributed(seen: Look, steps: int) -> Float[np.ndarray, " v"]:
    """Integrated gradients of every image token, in nats."""
    blank = seen.blank_embeddings
    given, slope = embedding_gradients(seen.vlm, seen.prepared, seen.run.answer_ids, blank, steps)
    tokens: np.ndarray = ((given - blank.float().cpu().numpy()) * slope).sum(-1)
    return tokens


def measured(seen: Look) -> list[dict[str, float | None]]:
    """Of each number of steps: the gap, and the correlation with the map of half of them, which the first lacks."""
    total = change(seen)
    maps = [attributed(seen, steps) for steps in STEPS]
    gaps = [abs(float(tokens.sum()) - total) / abs(total) for tokens in maps]
    alike = [None, *(float(np.corrcoef(a, b)[0, 1]) for a, b in pairwise(maps))]
    return [{"steps": n, "gap": gap, "correlation": r} for n, gap, r in zip(STEPS, gaps, alike, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    bench, rows = Workbench(), []
    for scene in held_out(options.scenes, first=FIRST):
        request = SaliencyRequest(picture(scene), all_questions(scene)[0].text, "picture")
        rows += [{"scene": scene.seed} | row for row in measured(look(bench.vlm, request, bench.sae.at))]
    if options.json:
        print(json.dumps({"benchmark": "completeness", "rows": rows}))
        return
    print("| scene | steps | gap | correlation with half the steps |\n|---|---|---|---|")
    for row in rows:
        alike = "" if row["correlation"] is None else f"{row['correlation']:.2f}"
        print(f"| {row['scene']} | {row['steps']} | {row['gap']:.0%} | {alike} |")


if __name__ == "__main__":
    main()
