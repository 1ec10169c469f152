"""`scratchpad needle` and `needle-data`: which saliency map finds the needle."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, as_json, cluster, model_and_sae, on_a_cluster, placement, show
from scratchpad.errors import UserError
from scratchpad.files import write_whole

if TYPE_CHECKING:
    from scratchpad.needle.subject import Subject
    from scratchpad.records.sweep import Plan, SweepSummary
    from scratchpad.vlm.checkpoint import Placement


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    needle = commands.add_parser("needle", help="measure which saliency map finds a needle at every position")
    model_and_sae(needle)
    needle.add_argument("--methods", help="separated by commas (default: most of those the kind of model has)")
    needle.add_argument(
        "--datasets", help="patch, single-word, multi-words, text, symbols (default: all of them for the demo, else the first four)"
    )
    needle.add_argument(
        "--scenes", type=int, default=0, help="measure also on so many scenes of the demo's world, whose things have known masks"
    )
    needle.add_argument("--runs", type=int, default=5)
    needle.add_argument("--prompt", help="what is asked; {needle} stands for the word")
    needle.add_argument("--out", type=Path, required=True)
    _drawn(needle)
    on_a_cluster(needle)
    as_json(needle)
    needle.set_defaults(act=_needle)

    data = commands.add_parser("needle-data", help="write the images and where the needle is")
    data.add_argument("--dataset", default="multi-words", help="patch, single-word, multi-words, text or symbols")
    data.add_argument("--model", help="draw at this model's own resolution, cells on whole image tokens (default: --size alone)")
    data.add_argument("--out", type=Path, required=True)
    _drawn(data)
    as_json(data)
    data.set_defaults(act=_data, device="cpu", dtype="auto", bits=None, trust_remote_code=False, pan_and_scan=False)


def _drawn(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cells", default="7x7", help="rows x columns")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--word", default="Black", help="the needle")
    parser.add_argument("--distractor", default="White")
    parser.add_argument("--small", action="store_true", help="the needle at half its size")
    parser.add_argument("--font", help="a TrueType file (default: the first that is found)")
    parser.add_argument("--size", help="height x width in pixels (default: the model's own)")


def _pair(text: str, what: str) -> tuple[int, int]:
    try:
        a, b = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise UserError(f"{what} was {text!r}; expected two whole numbers such as 7x7.") from error
    if not (0 < a <= 8192 and 0 < b <= 8192):
        raise UserError(f"{what} was {text!r}; expected numbers from 1 to 8192.")
    return a, b


def _needle(options: argparse.Namespace) -> None:
    from scratchpad.needle.live import example, sought
    from scratchpad.needle.report import report
    from scratchpad.needle.sweep import sweep
    from scratchpad.saliency.request import SaliencyRequest
    from scratchpad.saliency.trust import keep

    subject = _subject(options)
    methods = options.methods.split(",") if options.methods else subject.swept
    plan = _plan(options, methods)
    where, load = cluster(options), partial(_load, options.model, options.sae, "sae-attention" in methods, placement(options))
    summary = sweep(subject, plan, options.out, _progress, where, load)
    if options.scenes:
        summary = _on_scenes(subject, summary, options)
    keep(summary)
    picture = example(summary)
    needle = sought(plan)
    stages = subject.stages(SaliencyRequest(picture, subject.asked(plan.datasets[0], needle, plan.prompt), needle))
    write_whole(options.out / "report.html", report(summary, stages))
    show(summary, options.json, [*_lines(summary), f"by chance {100 * summary.chance:.1f}%; report in {options.out / 'report.html'}"])


def _on_scenes(subject: Subject, summary: SweepSummary, options: argparse.Namespace) -> SweepSummary:
    """The summary with the demo's scenes as one more data set."""
    from dataclasses import replace

    from scratchpad.demo.masked import masked_scenes
    from scratchpad.needle.masked import on_masks
    from scratchpad.records.sweep import SCENES, summary_text

    pictures = list(masked_scenes(options.scenes))
    results, winner = on_masks(subject, pictures, summary.plan.methods, options.out, lambda done: _progress(done, 2 * len(pictures)))
    more = {SCENES: results}
    plan = replace(summary.plan, scenes=len(pictures))
    summary = replace(summary, plan=plan, results=dict(summary.results) | more, winner=dict(summary.winner) | {SCENES: winner})
    write_whole(options.out / "summary.json", summary_text(summary))
    return summary


def _lines(summary: SweepSummary) -> list[str]:
    """A table: a line for every map, a column for every data set; then what only known masks say."""
    from scratchpad.needle.chart import MASKS, ordered
    from scratchpad.records.sweep import SCENES

    wide = max(len(method) for method in ordered(summary))
    lines = [" " * wide + "".join(f"{dataset:>22}" for dataset in summary.results)]
    for method in ordered(summary):
        cells = []
        for rows in summary.results.values():
            a = rows[method].accuracy if method in rows else None
            cells.append(f"{100 * a.mean:.1f}% ({100 * a.low:.0f} to {100 * a.high:.0f})" if a else "-")
        lines.append(f"{method:<{wide}}" + "".join(f"{cell:>22}" for cell in cells))
    masks = {method: row.masks for method, row in summary.results.get(SCENES, {}).items() if row.masks}
    if masks:
        lines += ["", " " * wide + "".join(f"{name:>20}" for name in MASKS)]
        for method, row in masks.items():
            line = f"{method:<{wide}}" + "".join(f"{take(row).mean:>20.3f}" for _, take in MASKS.values())
            lines.append(line + ("  hardly changes with the weights" if row.unmoved else ""))
    return lines


def _plan(options: argparse.Namespace, methods: Sequence[str]) -> Plan:
    from scratchpad.records.reading import checked
    from scratchpad.records.sweep import DATASETS, PAPER, Plan

    cells, size = _pair(options.cells, "--cells"), _pair(options.size, "--size") if options.size else None
    return checked(
        lambda: Plan(
            methods=tuple(dict.fromkeys(method.strip() for method in methods)),
            datasets=tuple(name.strip() for name in options.datasets.split(","))
            if options.datasets
            else PAPER
            if options.model
            else DATASETS,
            cells=cells,
            runs=options.runs,
            seed=options.seed,
            needle=options.word,
            distractor=options.distractor,
            small=options.small,
            font=options.font,
            size=size,
            prompt=options.prompt,
        ),
        "the sweep",
    )


def _subject(options: argparse.Namespace) -> Subject:
    """The model named, as the benchmark takes it: one that answers, or one that retrieves."""
    wants = "sae-attention" in (getattr(options, "methods", None) or "")
    return _load(options.model, getattr(options, "sae", None), wants, placement(options))


def _load(model: str | None, sae: str | None, wants_sae: bool, placed: Placement) -> Subject:
    from scratchpad.needle.subject import Answering, Retrieving
    from scratchpad.sae.load import load_sae
    from scratchpad.vlm.load import load_vlm
    from scratchpad.vlm.retrieval import is_retriever, load_retriever
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE

    source = model or DEFAULT_MODEL
    if is_retriever(source):
        return Retrieving(load_retriever(source, placed))
    chosen = sae or (DEFAULT_SAE if not model and wants_sae else None)
    return Answering(load_vlm(source, placed), load_sae(chosen) if chosen else None)


def _progress(done: int, of: int) -> None:
    if done % 10 == 0 or done == of:
        print(f"\r{done} of {of} images", end="\n" if done == of else "", file=sys.stderr, flush=True)


def _data(options: argparse.Namespace) -> None:
    import json

    from scratchpad.needle.datasets import DATASETS, Haystack, check_letters, draw, every_position, font_file
    from scratchpad.needle.own import own_size
    from scratchpad.needle.symbols import needle_of

    cells = _pair(options.cells, "--cells")
    if options.model:
        size = own_size(_subject(options), cells)
    else:
        size = _pair(options.size, "--size") if options.size else (cells[0] * 64, cells[1] * 64)
    if options.dataset not in DATASETS:
        raise UserError(f"The data set {options.dataset!r} was asked for; expected one of {', '.join(DATASETS)}.")
    for word in (options.word, options.distractor):
        check_letters(word, options.font)
    needle = needle_of(options.word, options.seed) if options.dataset == "symbols" else options.word
    base = Haystack(
        options.dataset, cells, size, None, needle, options.distractor, small=options.small, font=options.font, seed=options.seed
    )
    rows = []
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for stack in [*every_position(base), base]:
            name = f"{stack.at[0]}-{stack.at[1]}.png" if stack.at else "none.png"
            draw(stack).save(options.out / name)
            row: dict[str, object] = {"file": name, "at": stack.at}
            rows.append(row | ({"box": stack.box(stack.at)} if stack.at else {"box": None}))
        about = {"dataset": base.dataset, "cells": cells, "size": size, "needle": base.needle, "font": Path(font_file(base.font)).name}
        (options.out / "truth.json").write_text(json.dumps(about | {"seed": base.seed, "images": rows}, indent=1))
    except OSError as error:
        raise UserError(f"{options.out} can't be written to: {error.strerror}.") from error
    show(
        about | {"images": rows},
        options.json,
        [f"{len(rows)} images in {options.out}, one of them without a needle; truth.json beside them"],
    )
