"""How good the demo retrieval model is, and its card: no number in it is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import numpy as np

from scratchpad.demo.card import FONT
from scratchpad.demo.colpali import PREFIX
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.retrieval import PARTIAL, RETRIEVAL, description
from scratchpad.demo.ship import ship
from scratchpad.demo.world import BACKGROUNDS, HELD_OUT_START, KINDS, WORDS
from scratchpad.vlm.retrieval import load_retriever, page_of, query_of, score

SCENES = 100


class Evaluation(TypedDict):
    """The card's numbers."""

    scenes: int  # of a round
    first_seed: int
    right: list[int]  # queries of each round that score their own scene highest
    parameters: int


def evaluate(folder: Path, rounds: int = 10) -> Evaluation:
    """{"right", "asked"} over `rounds` times SCENES held-out scenes: how often a description scores its own scene highest of SCENES."""
    retriever = load_retriever(folder)
    right = []
    for n in range(rounds):
        scenes = list(held_out(SCENES, first=HELD_OUT_START + 70_000_000 + n * SCENES))
        pages = [page_of(retriever, picture(scene)) for scene in scenes]
        queries = [query_of(retriever, description(scene)) for scene in scenes]
        best = np.array([[score(query, page) for page in pages] for query in queries]).argmax(1)
        right.append(int((best == np.arange(SCENES)).sum()))
    parameters = sum(p.numel() for p in retriever.model.parameters())
    return {"scenes": SCENES, "first_seed": HELD_OUT_START + 70_000_000, "right": right, "parameters": parameters}


def publish(run: Path, out: Path, say: Callable[[str], None] = print) -> None:
    """Copies run/retrieval-model to `out` with its card, evaluated on held-out scenes."""
    ship(run / "retrieval-model", out, evaluate, lambda measured: card(measured, run), say)


def card(measured: Evaluation, run: Path) -> str:
    """The retrieval model's card from what `evaluate` returned and the log of its training in `run`."""
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    last = [row for row in log if row["stage"] == RETRIEVAL.name][-1]
    right, of = sum(measured["right"]), SCENES * len(measured["right"])
    return f"""---
license: mit
pipeline_tag: visual-document-retrieval
library_name: transformers
---
# Emoji ColPali, the demo retrieval model of Visual Scratchpad

A `ColPaliForRetrieval` of {measured["parameters"] / 1e6:.1f} M parameters (SigLIP tower of 6 blocks x 192 with 16 px patches, 14 x 14 image tokens; Gemma of
4 blocks x 256; 64-dimensional vectors). It finds scenes of the emoji world by description and knows nothing else: up to four of
{len(KINDS)} kinds of things, or a sign with one of {len(WORDS)} words, on one of {len(BACKGROUNDS)} backgrounds. Every query begins with "{PREFIX}".

## Quality

Of {SCENES} held-out scenes a description's own scores highest in **{100 * right / of:.1f}%** of {of:,} queries ({len(measured["right"])} x {SCENES} scenes from seed
{measured["first_seed"]:,} on; {min(measured["right"])} to {max(measured["right"])} of {SCENES}). `scratchpad demo evaluate-retrieval` measures it.

## Recipe

`scratchpad demo train-retrieval`: {RETRIEVAL.steps:,} steps of {RETRIEVAL.size} scenes, {last["seconds"] / 60:.0f} minutes on one core. The tower starts from the
demo VLM's encoder, the rest from nothing. Loss: of a step's scenes, each description finds its own, and each of {PARTIAL} queries a scene on
one or two of its names any that shows them (late interaction, mean cosine over the query's tokens, temperature 0.02); a throw-away head
names the patches. Where a thing lies is not part of any query.

## Credits

{FONT}
"""
