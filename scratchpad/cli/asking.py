"""`scratchpad analyze`: a question about an image, and what the answer used."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from scratchpad.cli.options import image_and_prompt, show, workbench


def add(commands: Any) -> None:
    analyze = commands.add_parser("analyze", help="answer a question about an image and show what the answer used")
    image_and_prompt(analyze)
    analyze.add_argument("--out", type=Path, help="folder for the maps as PNG and the arrays as safetensors")
    analyze.set_defaults(act=_analyze)


def _analyze(options: argparse.Namespace) -> None:
    from scratchpad import views

    bench = workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    if options.out:
        views.write_analysis(analysis, options.image, options.out)
    value = views.analysis_json(bench, analysis)
    blank = bench.blank(analysis, options.max_new_tokens)
    value["blank"] = vars(blank)
    lines = [value["answer"], "", "  score  latent"]
    lines += [f"  {row['score']:5.2f}  {row['id']:>5}  {row['name']}" for row in value["latents"][:12]]
    if analysis.fidelity and analysis.fidelity.says:
        print(f"scratchpad: {analysis.fidelity.says}", file=sys.stderr)
    lines += ["", f"suggested: {','.join(map(str, value['suggested']['latents']))}", f"with a grey picture instead: {blank.answer}"]
    show(value, options.json, lines)
