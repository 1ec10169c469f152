"""`scratchpad compare`: two answers side by side, and which concepts they share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, analysis_of, image_and_prompt, placement, readable, repair, show, workbench
from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.records import Analysis
    from scratchpad.records.beside import Shared, SideBySide
    from scratchpad.workbench import Workbench

ROWS = 12  # concepts that are printed


def add(commands: Commands) -> None:
    """Puts this module's command on the command line."""
    both = commands.add_parser("compare", help="two answers side by side: of other images, to another prompt, by another SAE or model")
    image_and_prompt(both)
    both.add_argument(
        "--other-image", action="append", metavar="FILE", help="of the second answer; may be repeated (default: the same images)"
    )
    both.add_argument("--other-prompt", metavar="PROMPT", help="of the second answer (default: the same)")
    both.add_argument("--other-model", metavar="MODEL", help="of the second answer (default: the same)")
    both.add_argument("--other-sae", metavar="SAE", help="by which the second answer is read (default: the same)")
    both.set_defaults(act=_compare, waits=True)


def _compare(options: argparse.Namespace) -> None:
    others = (options.other_image, options.other_prompt, options.other_model, options.other_sae)
    if all(other is None for other in others):
        raise UserError("Nothing was given to compare with; give --other-image, --other-prompt, --other-model or --other-sae.")
    image, prompt = options.other_image or options.image, options.prompt if options.other_prompt is None else options.other_prompt
    model, sae = options.other_model or options.model, options.other_sae or options.sae
    if (image, prompt, model, sae) == (options.image, options.prompt, options.model, options.sae):
        raise UserError("What was given to compare with is the same question, model and SAE; give another image, prompt, model or SAE.")
    if options.other_image:
        readable(options.other_image)
    bench = workbench(options)
    from scratchpad.workbench import side_by_side

    left = analysis_of(bench, options)
    right = analysis_of(_other(bench, options), argparse.Namespace(**vars(options) | {"image": image, "prompt": prompt}))
    both = side_by_side(left, right)
    show(both, options.json, _lines(both))


def _other(bench: Workbench, options: argparse.Namespace) -> Workbench:
    """The second answer's workbench; a model that is the same is not loaded again."""
    from scratchpad.workbench import DEFAULT_SAE, Workbench

    sae = options.other_sae or options.sae or DEFAULT_SAE
    if options.other_model:
        return Workbench(options.other_model, sae, placement(options), repair(options))
    return Workbench(bench.vlm, sae, placement(options)) if options.other_sae else bench


def _lines(both: SideBySide) -> list[str]:
    by, shared = both.matched.by, both.matched.concepts
    how = "one SAE reads both: a latent is itself" if by == "latent" else "two SAEs read them: claimed names are matched, guesses are not"
    lines = [f"{side}: {_said(analysis)}" for side, analysis in (("left", both.left), ("right", both.right))]
    lines += ["", f"{len(shared)} on both sides ({how})"]
    lines += [f"  {_concept(both, row)}" for row in shared[:ROWS]]
    return lines + ([f"  and {len(shared) - ROWS} more"] if len(shared) > ROWS else [])


def _said(analysis: Analysis) -> str:
    answer = f"“{analysis.run.answer}”" if analysis.run.answer.strip() else "nothing"
    return f"{answer} to {analysis.question.prompt!r}, {analysis.model.name} read by {analysis.sae.name} at {analysis.sae.at}"


def _concept(both: SideBySide, row: Shared) -> str:
    sides = [", ".join(f"#{latent}" for latent in side) for side in (row.left, row.right)]
    return f"{_called(both, row)}  " + (sides[0] if sides[0] == sides[1] else f"{sides[0]}  |  {sides[1]}")


def _called(both: SideBySide, row: Shared) -> str:
    """The name, or each side's where only one claims it."""
    here, there = both.left.latent(row.left[0]), both.right.latent(row.right[0])
    names = [latent.name if latent else "" for latent in (here, there)]
    return row.name or (" | ".join(name or "unnamed" for name in names) if any(names) else "unnamed")
