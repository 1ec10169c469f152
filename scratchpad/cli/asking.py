"""`scratchpad analyze`: a question about an image, and what the answer used."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, analysis_of, image_and_prompt, show, workbench

if TYPE_CHECKING:
    from scratchpad.records import Ranked


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    analyze = commands.add_parser("analyze", help="answer a question about an image and show what the answer used")
    image_and_prompt(analyze)
    analyze.add_argument("--out", type=Path, help="folder for the maps as PNG and the arrays as safetensors")
    analyze.set_defaults(act=_analyze, waits=True)


def _analyze(options: argparse.Namespace) -> None:
    from dataclasses import replace

    bench = workbench(options)
    analysis = analysis_of(bench, options)
    analysis = replace(bench.suggest(analysis), blank=bench.blank(analysis))
    if options.out:
        from scratchpad.draw.files import write_analysis

        write_analysis(analysis, options.out)
    lines = [analysis.run.answer, "", "  score  latent"]
    lines += [f"  {latent.score:5.2f}  {latent.id:>5}  {said(latent)}" for latent in analysis.latents[:12]]
    lines += [] if analysis.latents else ["  no latent is active on this picture"]
    if analysis.fidelity.sentence:
        print(f"scratchpad: {analysis.fidelity.sentence}", file=sys.stderr)
    assert analysis.suggested is not None, "a suggestion was asked for"
    assert analysis.blank is not None, "a grey picture was asked about"
    suggested = analysis.suggested
    names = (
        ",".join(map(str, suggested.ids)) + f" (without: {suggested.after})"
        if suggested.flipped
        else "no set of up to 8 changes the answer"
    )
    lines += ["", f"suggested: {names}", f"with a grey picture instead: {analysis.blank.answer}"]
    show(analysis, options.json, lines)


def said(latent: Ranked) -> str:
    """A latent's claim on this picture with its counts, or its guess, marked as one."""
    counts = "" if latent.precision is None or not latent.support else f"{round(latent.precision * latent.support)} of {latent.support}"
    if latent.name:
        return latent.name + (f"  ({counts} pictures where it fires this strongly)" if counts else "")
    return "unnamed" + (f"  ({latent.guess}?{' ' + counts if counts else ''})" if latent.guess else "")
