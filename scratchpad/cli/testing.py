"""`scratchpad ablate`, `effects`, `suffice` and `diagnose`: what an answer rests on, tested by changing it."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, analysis_of, image_and_prompt, show, workbench
from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.grid import Box
    from scratchpad.records import Analysis, Edit, Finding, LatentEdit, Op
    from scratchpad.workbench import Workbench

EDIT = re.compile(r"(?P<latent>\d+)(?P<op>[=*+-])(?P<value>[^@]+)(?:@(?P<region>.+))?")
OPS: dict[str, Op] = {"=": "set", "*": "scale", "+": "add", "-": "add"}


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    ablate = commands.add_parser("ablate", help="change latents and ask again")
    image_and_prompt(ablate)
    which = ablate.add_mutually_exclusive_group(required=True)
    which.add_argument("--latents", help="ids, for example 12,57")
    which.add_argument("--cluster", type=int, help="a cluster of the heatmap")
    which.add_argument("--suggested", action="store_true", help="the suggested set")
    which.add_argument("--edit", action="append", help="12=0 sets, 12*0.5 scales, 12+2 adds; @y0,x0,y1,x1 limits it; may be repeated")
    how = ablate.add_mutually_exclusive_group()
    how.add_argument("--value", type=float, help="set the activation to this (default 0)")
    how.add_argument("--scale", type=float, help="multiply the activation by this")
    how.add_argument("--add", type=float, help="add this to the activation")
    ablate.add_argument("--region", help="y0,x0,y1,x1 in pixels of the image: where, instead of everywhere")
    ablate.add_argument("--only-image", type=int, help="which of several images, from 0 (default: all; with --region the first)")
    ablate.add_argument("--drop-error", action="store_true", help="put the SAE's reconstruction in place of the activations first")
    ablate.add_argument("--target", help="also: how much likelier this becomes as the answer")
    ablate.add_argument("--temperature", type=float, help="also draw an answer at this temperature, before and after, from the same chance")
    ablate.add_argument("--seed", type=int, default=0, help="of that chance")
    ablate.set_defaults(act=_ablate, waits=True)

    effects = commands.add_parser("effects", help="predicted effects of ablating each latent, beside real ablations")
    image_and_prompt(effects)
    effects.add_argument("--top", type=int, default=32, help="how many of the likeliest latents are verified (default 32; 0 for all)")
    effects.set_defaults(act=_effects, waits=True)

    suffice = commands.add_parser("suffice", help="the fewest latents whose ablation changes the answer")
    image_and_prompt(suffice)
    suffice.add_argument("--target", help="what the answer shall begin with instead (default: anything else)")
    suffice.add_argument("--keep", action="store_true", help="sufficiency instead: the fewest that keep the answer, all others off")
    suffice.add_argument("--max-latents", type=int, default=32, help="of a set (default 32)")
    suffice.add_argument("--passes", type=int, help="of the model at most, while it searches (default: no limit)")
    suffice.set_defaults(act=_suffice, waits=True)

    diagnose = commands.add_parser("diagnose", help="which of three failure modes a wrong answer fits, with its evidence")
    image_and_prompt(diagnose)
    diagnose.add_argument("--expected", help="what the answer should have said")
    diagnose.add_argument("--explicit", default="is there {x}", help="the prompt that asks for {x} by name (default: %(default)r)")
    diagnose.add_argument("--passes", type=int, default=40, help="of the model, for each search (default 40; 0: no limit)")
    diagnose.set_defaults(act=_diagnose, waits=True)


def _ablate(options: argparse.Namespace) -> None:
    bench = workbench(options)
    from scratchpad.records import Sampling
    from scratchpad.records.reading import checked

    analysis = analysis_of(bench, options)
    edit = checked(lambda: _edit(options, bench, analysis), "the edit")
    sampling = None if options.temperature is None else checked(lambda: Sampling(options.temperature, options.seed), "the sampling")
    test = bench.test(analysis, edit, options.target, sampling)
    comparison, control = test.comparison, test.control
    lines = [f"before: {comparison.before.text}", f"after:  {comparison.after.text}"]
    lines.append(f"change of log-probability: {comparison.effect:+.3f} nats")
    lines += [f"{test.verdict.kind}: {test.verdict.sentence}", *(f"  {_mark(check)}  {check.says}" for check in test.verdict.checks)]
    if edit.items and control.n_random_sets < 20:
        lines.append(f"  only {control.n_random_sets} other sets of latents are like it")
    if comparison.sampled:
        drawn = comparison.sampled
        lines.append(f"drawn at {options.temperature}, seed {options.seed}: {drawn.before!r} -> {drawn.after!r}")
    if comparison.inactive:
        lines.append(f"not active where the edit acts, so no effect: {', '.join(map(str, comparison.inactive))}")
    if comparison.toward:
        lines.append(f"log-probability of {comparison.toward.text!r}: {comparison.toward.before:.3f} -> {comparison.toward.after:.3f}")
    if comparison.risen:
        lines.append("more active now: " + ", ".join(f"{r.name or 'unnamed'} (#{r.latent})" for r in comparison.risen[:4]))
    show(test, options.json, lines)


def _mark(check: Finding) -> str:
    return {True: "yes", False: "no ", None: "?  "}[check.holds]


def _edit(options: argparse.Namespace, bench: Workbench, analysis: Analysis) -> Edit:
    from scratchpad.records import Edit, LatentEdit

    region = None if options.region is None else box(options.region)
    if options.edit:
        items = tuple(_one(text, region, options.only_image) for text in options.edit)
    else:
        op, value = _operation(options)
        items = tuple(LatentEdit(i, op, value, region, options.only_image) for i in _latents(options, bench, analysis))
    return Edit(items, keep_error=not options.drop_error)


def _one(text: str, region: Box | None, image: int | None) -> LatentEdit:
    from scratchpad.records import LatentEdit

    match = EDIT.fullmatch(text.strip())
    try:
        assert match
        value = float(match["value"]) * (-1 if match["op"] == "-" else 1)
    except (AssertionError, ValueError) as error:
        raise UserError(f"--edit was {text!r}; expected for example 12=0, 12*0.5, 12+2 or 12=0@0,0,112,112.") from error
    return LatentEdit(int(match["latent"]), OPS[match["op"]], value, box(match["region"]) if match["region"] else region, image)


def box(text: str) -> Box:
    """A region (y0, x0, y1, x1) in pixels, from text of that form.

    Raises:
        UserError: it isn't of that form.
    """
    try:
        y0, x0, y1, x1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"{text!r} was given as a region; expected y0,x0,y1,x1 in pixels, for example 0,0,112,112.") from error
    return y0, x0, y1, x1


def _effects(options: argparse.Namespace) -> None:
    bench = workbench(options)
    analysis = analysis_of(bench, options)
    verified = bench.verify(analysis, None if options.top == 0 else options.top)
    lines = [f"answer: {analysis.run.answer}", "", "  predicted  actual   latent"]
    lines += [f"  {e.predicted:9.3f} {e.actual:8.3f}  {e.latent:>5}  {e.name or 'unnamed'}" for e in verified.effects]
    spearman, pearson = ("too few to say" if r is None else f"{r:.3f}" for r in (verified.spearman, verified.pearson))
    lines += ["", f"rank correlation over {len(verified.effects)} of {verified.active} active latents: {spearman}"]
    show(verified, options.json, [*lines, f"correlation over those that move the answer by more than 0.01 nats: {pearson}"])


def _suffice(options: argparse.Namespace) -> None:
    bench = workbench(options)
    analysis = analysis_of(bench, options)
    if options.keep and options.target:
        raise UserError("--target was given with --keep, which keeps the answer as it is; give one of the two.")
    if options.keep and options.passes:
        raise UserError("--passes was given with --keep, whose search is short; leave it away.")
    target, most = options.target, options.max_latents
    least = bench.keep(analysis, most) if options.keep else bench.suffice(analysis, target, most, options.passes)
    names = ", ".join(f"{latent.name or 'unnamed'} (#{latent.id})" for latent in least.latents) or f"none of up to {options.max_latents}"
    lines = [
        f"before: {least.before}",
        f"after:  {least.after}" + (" (all other active latents off)" if options.keep and least.flipped else ""),
    ]
    ended = ", as many as the budget of passes holds" if least.spent else ""
    lines.append(f"{least.side}: {names}; {least.tried} sets were run{ended}")
    lines += {
        "none": [],
        "local": ["minimal: none of them can be left out; whether fewer others do it was not shown"],
        "smallest": ["minimal: no smaller set does it, all were tried"],
    }[least.minimality]
    lines.append(f"control: {least.random_flips} of {least.n_random_sets} other sets of as many latents of like activation do it too")
    show(least, options.json, lines)


def _diagnose(options: argparse.Namespace) -> None:
    bench = workbench(options)
    diagnosis = bench.diagnose(analysis_of(bench, options), options.expected, options.explicit, options.passes or None)
    lines = [f"answer: {diagnosis.answer}", f"fits: {diagnosis.mode}", diagnosis.why, ""]
    show(diagnosis, options.json, [*lines, *(f"  {_mark(test)}  {test.says}" for test in diagnosis.tests)])


def _operation(options: argparse.Namespace) -> tuple[Op, float]:
    if options.scale is not None:
        return "scale", options.scale
    if options.add is not None:
        return "add", options.add
    return "set", options.value or 0.0


def _latents(options: argparse.Namespace, bench: Workbench, analysis: Analysis) -> list[int]:
    if options.suggested:
        suggested = bench.suggest(analysis).suggested
        assert suggested is not None, "a suggestion was asked for"
        if not suggested.flipped:
            raise UserError(f"No set of up to 8 latents changes the answer; {suggested.tried} sets were ablated: name them with --latents.")
        return list(suggested.ids)
    if options.cluster is not None:
        clusters = [c for c in analysis.heatmap.clusters if c.id == options.cluster]
        if not clusters:
            raise UserError(f"Cluster {options.cluster} was given, but the heatmap has clusters 0 to {len(analysis.heatmap.clusters) - 1}.")
        return list(clusters[0].latents)
    try:
        return list(dict.fromkeys(int(part) for part in options.latents.split(",")))
    except ValueError as error:
        raise UserError(f"--latents was {options.latents!r}; expected ids separated by commas, for example 12,57.") from error
