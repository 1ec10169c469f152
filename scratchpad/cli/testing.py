"""`scratchpad ablate`, `effects`, `suffice` and `diagnose`: what an answer rests on, tested by changing it."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from scratchpad.cli.options import image_and_prompt, show, workbench
from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.grid import Box
    from scratchpad.records import Edit, LatentEdit, Op
    from scratchpad.workbench import Analysis

EDIT = re.compile(r"(?P<latent>\d+)(?P<op>[=*+-])(?P<value>[^@]+)(?:@(?P<region>.+))?")
OPS: dict[str, Op] = {"=": "set", "*": "scale", "+": "add", "-": "add"}


def add(commands: Any) -> None:
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
    ablate.set_defaults(act=_ablate)

    effects = commands.add_parser("effects", help="predicted effects of ablating each latent, beside real ablations")
    image_and_prompt(effects)
    effects.add_argument("--top", type=int, default=32, help="how many of the largest are verified (default 32; 0 for all)")
    effects.add_argument("--integrated", type=int, default=1, metavar="STEPS", help="integrated gradients over so many steps")
    effects.set_defaults(act=_effects)

    suffice = commands.add_parser("suffice", help="the fewest latents whose ablation changes the answer")
    image_and_prompt(suffice)
    suffice.add_argument("--target", help="what the answer shall begin with instead (default: anything else)")
    suffice.add_argument("--max-latents", type=int, default=32)
    suffice.set_defaults(act=_suffice)

    diagnose = commands.add_parser("diagnose", help="which of three failure modes a wrong answer fits, with its evidence")
    image_and_prompt(diagnose)
    diagnose.add_argument("--expected", help="what the answer should have said")
    diagnose.add_argument("--explicit", default="is there {x}", help="the prompt that asks for {x} by name (default: %(default)r)")
    diagnose.set_defaults(act=_diagnose)


def _ablate(options: argparse.Namespace) -> None:
    from scratchpad import views
    from scratchpad.records import Sampling

    bench = workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    edit = _edit(options, analysis)
    sampling = None if options.temperature is None else Sampling(options.temperature, options.seed)
    comparison = bench.ablate(analysis, edit, options.max_new_tokens, options.target, sampling)
    shown = views.comparison_json(bench, comparison)
    effect = shown["delta_logprob"]["answer"]
    control = shown["control"] = views.control_json(bench.control(analysis, edit), effect)
    lines = [f"before: {comparison.before_answer}", f"after:  {comparison.after_answer}", f"change of log-probability: {effect:+.3f}"]
    if edit.items:
        beside = f"control: of {control['n']} random sets of as many latents {control['as_strong']} do as much"
        lines.append(f"{beside}, {control['flipped']} change the answer")
    lines += [f"  no evidence: {control['verdict']}"] if control["verdict"] else []
    if comparison.sampled:
        lines.append(f"drawn at {options.temperature}, seed {options.seed}: {comparison.sampled.before!r} -> {comparison.sampled.after!r}")
    if comparison.inactive:
        lines.append(f"not active where the edit acts, so no effect: {', '.join(map(str, comparison.inactive))}")
    if comparison.toward:
        lines.append(f"log-probability of {comparison.toward.text!r}: {comparison.toward.before:.3f} -> {comparison.toward.after:.3f}")
    if comparison.risen:
        lines.append("more active now: " + ", ".join(f"{row['name']} (#{row['id']})" for row in shown["risen"][:4]))
    show(shown, options.json, lines)


def _edit(options: argparse.Namespace, analysis: Analysis) -> Edit:
    from scratchpad.records import Edit, LatentEdit

    region = None if options.region is None else box(options.region)
    if options.edit:
        items = tuple(_one(text, region, options.only_image) for text in options.edit)
    else:
        op, value = _operation(options)
        items = tuple(LatentEdit(i, op, value, region, options.only_image) for i in _latents(options, analysis))
    return Edit(items, keep_error=not options.drop_error)


def _one(text: str, region: Box | None, image: int | None) -> LatentEdit:
    from scratchpad.records import LatentEdit

    found = EDIT.fullmatch(text.strip())
    try:
        assert found
        value = float(found["value"]) * (-1 if found["op"] == "-" else 1)
    except (AssertionError, ValueError) as error:
        raise UserError(f"--edit was {text!r}; expected for example 12=0, 12*0.5, 12+2 or 12=0@0,0,112,112.") from error
    return LatentEdit(int(found["latent"]), OPS[found["op"]], value, box(found["region"]) if found["region"] else region, image)


def box(text: str) -> Box:
    try:
        y0, x0, y1, x1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UserError(f"{text!r} was given as a region; expected y0,x0,y1,x1 in pixels, for example 0,0,112,112.") from error
    return y0, x0, y1, x1


def _effects(options: argparse.Namespace) -> None:
    from scratchpad import views

    bench = workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    most = None if options.top == 0 else options.top
    shown = views.verified_json(bench, bench.verify(analysis, most, options.integrated))
    lines = [f"answer: {analysis.run.answer}", "", "  predicted  actual   latent"]
    lines += [f"  {row['predicted']:9.3f} {row['actual']:8.3f}  {row['id']:>5}  {row['name']}" for row in shown["effects"]]
    rank = "too few to say" if shown["spearman"] is None else f"{shown['spearman']:.3f}"
    show(shown, options.json, [*lines, "", f"rank correlation over {len(shown['effects'])} of {shown['active']} active latents: {rank}"])


def _suffice(options: argparse.Namespace) -> None:
    from scratchpad import views

    bench = workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    shown = views.sufficient_json(bench, bench.suffice(analysis, options.target, options.max_latents, options.max_new_tokens))
    names = ", ".join(f"{row['name']} (#{row['id']})" for row in shown["latents"]) or f"none of up to {options.max_latents}"
    lines = [f"before: {shown['before']}", f"after:  {shown['after']}", f"latents: {names}; {shown['tried']} sets were ablated"]
    lines.append(f"control: {shown['controls']['flipped']} of {shown['controls']['n']} random sets of as many latents do it too")
    show(shown, options.json, lines)


def _diagnose(options: argparse.Namespace) -> None:
    from scratchpad.diagnose import as_json, diagnose

    bench = workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    shown = as_json(bench, diagnose(bench, analysis, options.image, options.expected, options.explicit))
    lines = [f"answer: {shown['answer']}", f"fits: {shown['verdict']}", shown["why"], ""]
    lines += [f"  {'yes' if test['holds'] else 'no '}  {test['says']}" for test in shown["tests"]]
    show(shown, options.json, lines)


def _operation(options: argparse.Namespace) -> tuple[Op, float]:
    if options.scale is not None:
        return "scale", options.scale
    if options.add is not None:
        return "add", options.add
    return "set", options.value or 0.0


def _latents(options: argparse.Namespace, analysis: Analysis) -> list[int]:
    if options.suggested:
        return list(analysis.suggested)
    if options.cluster is not None:
        found = [c for c in analysis.heatmap.clusters if c.id == options.cluster]
        if not found:
            raise UserError(f"Cluster {options.cluster} was given, but the heatmap has clusters 0 to {len(analysis.heatmap.clusters) - 1}.")
        return list(found[0].latents)
    try:
        return list(dict.fromkeys(int(part) for part in options.latents.split(",")))
    except ValueError as error:
        raise UserError(f"--latents was {options.latents!r}; expected ids separated by commas, for example 12,57.") from error
