"""`scratchpad influence`: which latents at a later hook point change when latents at an earlier one are ablated."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, analysis_of, image_and_prompt, placement, show, workbench

if TYPE_CHECKING:
    from scratchpad.records import Named
    from scratchpad.records.influence import Influence

PAIRS = 20  # that are printed


def add(commands: Commands) -> None:
    """Puts this module's command on the command line."""
    onto = commands.add_parser("influence", help="which latents at a later point change when latents at an earlier one are ablated")
    image_and_prompt(onto)
    onto.add_argument("--onto", required=True, metavar="SAE", help="of a later point of the same model; its latents are watched")
    onto.add_argument("--top", type=int, default=10, help="latents on each side, those of the best score (default: %(default)s)")
    onto.add_argument("--controls", type=int, default=40, help="others of like mass for each, at most (default: %(default)s)")
    onto.set_defaults(act=_influence, waits=True)


def _influence(options: argparse.Namespace) -> None:
    bench = workbench(options)
    from scratchpad.workbench import Workbench

    other = Workbench(bench.vlm, options.onto, placement(options))
    measured = bench.influence(analysis_of(bench, options), other, options.top, options.controls)
    show(measured, options.json, _lines(measured))


def _lines(measured: Influence) -> list[str]:
    alone, pairs = measured.alone(), len(measured.sources) * len(measured.targets)
    anywhere = set(measured.alone_anywhere())
    lines = [
        f"answer: {measured.answer}",
        f"ablated: {measured.sae.name} at {measured.sae.at}; watched: {measured.onto.name} at {measured.onto.at}",
    ]
    lines += [f"  {source.effect:+8.3f} nats  without {_called(source.latent)}" for source in measured.sources]
    lines += ["", f"{len(alone)} of {pairs} pairs that no other latent of like mass equals (by chance {measured.expected:.1f}),"]
    lines += [
        f"* of {len({s for s, _ in anywhere})} of {len(measured.sources)} ablated latents: no other moves any watched one by as much "
        f"(by chance {measured.expected_sources:.1f} latents)"
    ]
    for s, t in alone[:PAIRS]:
        source, target = measured.sources[s], measured.targets[t]
        share = f"{100 * measured.effects[s][t]:+7.1f}%"
        mark = "*" if (s, t) in anywhere else " "
        lines.append(
            f"{mark} {share}  {_called(target.latent)} without {_called(source.latent)}  (0 of {len(source.others)} others as much)"
        )
    return lines + ([f"  and {len(alone) - PAIRS} more"] if len(alone) > PAIRS else [])


def _called(latent: Named) -> str:
    return f"{latent.name or 'unnamed'} #{latent.id}"
