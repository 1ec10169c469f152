"""The command line: one command per job, each a few lines over the workbench.

`--json` prints one object on standard output and nothing else there. Bad input is one sentence and exit code 2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.records import Op
    from scratchpad.vlm.load import Placement
    from scratchpad.workbench import Analysis, Workbench


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    options = _parser().parse_args(arguments)
    # models are local or named by the user; nothing else is ever fetched
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        options.act(options)
    except UserError as error:
        print(f"scratchpad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scratchpad", description="Which visual concepts a VLM saw, and which its answer used.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    analyze = commands.add_parser("analyze", help="answer a question about an image and show what the answer used")
    _image_and_prompt(analyze)
    analyze.add_argument("--out", type=Path, help="folder for the maps as PNG and the arrays as safetensors")
    analyze.set_defaults(act=_analyze)

    ablate = commands.add_parser("ablate", help="change latents and ask again")
    _image_and_prompt(ablate)
    which = ablate.add_mutually_exclusive_group(required=True)
    which.add_argument("--latents", help="ids, for example 12,57")
    which.add_argument("--cluster", type=int, help="a cluster of the heatmap")
    which.add_argument("--suggested", action="store_true", help="the suggested set")
    how = ablate.add_mutually_exclusive_group()
    how.add_argument("--value", type=float, help="set the activation to this (default 0)")
    how.add_argument("--scale", type=float, help="multiply the activation by this")
    how.add_argument("--add", type=float, help="add this to the activation")
    ablate.set_defaults(act=_ablate)

    suffice = commands.add_parser("suffice", help="the fewest latents whose ablation changes the answer")
    _image_and_prompt(suffice)
    suffice.add_argument("--target", help="what the answer shall begin with instead (default: anything else)")
    suffice.add_argument("--max-latents", type=int, default=32)
    suffice.set_defaults(act=_suffice)

    look = commands.add_parser("inspect", help="a model's family, geometry, hook points and memory")
    look.add_argument("model", help="folder or hub id")
    look.add_argument("--image", help="the picture whose tiles are shown (default: a grey one)")
    look.add_argument("--check", action="store_true", help="prove the geometry by the Jacobian; exit code 1 if it fails")
    _where_and_how(look)
    look.add_argument("--json", action="store_true", help="print one JSON object")
    look.set_defaults(act=_inspect)

    serve = commands.add_parser("serve", help="open the page")
    _model_and_sae(serve)
    serve.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    serve.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
    serve.set_defaults(act=_serve)

    _demo(commands.add_parser("demo", help="the emoji world: scenes, training, evaluation"))
    return parser


def _model_and_sae(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=os.environ.get("SCRATCHPAD_MODEL"), help="folder or hub id (default: the demo)")
    parser.add_argument("--sae", default=os.environ.get("SCRATCHPAD_SAE"), help="folder in SAELens format (default: the demo's last layer)")
    _where_and_how(parser)


def _where_and_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default=os.environ.get("SCRATCHPAD_DEVICE", "cpu"), help="cpu, cuda, cuda:1, mps or auto (accelerate)")
    dtype = os.environ.get("SCRATCHPAD_DTYPE", "auto")
    parser.add_argument("--dtype", default=dtype, help="float32, float16 or bfloat16 (default: the checkpoint's)")
    parser.add_argument("--bits", type=int, choices=(4, 8), help="quantise the weights (bitsandbytes)")
    parser.add_argument("--trust-remote-code", action="store_true", help="let code from the model's repository run")


def _placement(options: argparse.Namespace) -> Placement:
    from scratchpad.vlm.load import Placement

    return Placement(options.device, options.dtype, options.bits, options.trust_remote_code)


def _image_and_prompt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="+", help="one image, or several; a prompt may say <image> where each stands")
    parser.add_argument("prompt")
    _model_and_sae(parser)
    parser.add_argument("--max-new-tokens", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _workbench(options: argparse.Namespace) -> Workbench:
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

    return Workbench(options.model or DEFAULT_MODEL, options.sae or DEFAULT_SAE, _placement(options))


def _show(value: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    print(json.dumps(value) if as_json else "\n".join(lines))


def _analyze(options: argparse.Namespace) -> None:
    from scratchpad import views

    bench = _workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    if options.out:
        views.write_analysis(analysis, options.image, options.out)
    value = views.analysis_json(bench, analysis)
    lines = [value["answer"], "", "  score  latent"]
    lines += [f"  {row['score']:5.2f}  {row['id']:>5}  {row['name']}" for row in value["latents"][:12]]
    _show(value, options.json, [*lines, "", f"suggested: {','.join(map(str, value['suggested']['latents']))}"])


def _ablate(options: argparse.Namespace) -> None:
    from scratchpad import views
    from scratchpad.records import Edit, LatentEdit

    bench = _workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    latents = _latents(options, analysis)
    op, value = _operation(options)
    edit = Edit(tuple(LatentEdit(latent, op, value) for latent in latents))
    comparison = bench.ablate(analysis, edit, options.max_new_tokens)
    shown = views.comparison_json(comparison)
    effect = shown["delta_logprob"]["answer"]
    control = shown["control"] = views.control_json(bench.control(analysis, edit), effect)
    lines = [f"before: {comparison.before_answer}", f"after:  {comparison.after_answer}", f"change of log-probability: {effect:+.3f}"]
    beside = f"control: of {control['n']} random sets of as many latents"
    _show(shown, options.json, [*lines, f"{beside} {control['as_strong']} do as much, {control['flipped']} change the answer"])


def _suffice(options: argparse.Namespace) -> None:
    from scratchpad import views

    bench = _workbench(options)
    analysis = bench.analyze(options.image, options.prompt, options.max_new_tokens)
    shown = views.sufficient_json(bench, bench.suffice(analysis, options.target, options.max_latents, options.max_new_tokens))
    names = ", ".join(f"{row['name']} (#{row['id']})" for row in shown["latents"]) or f"none of up to {options.max_latents}"
    lines = [f"before: {shown['before']}", f"after:  {shown['after']}", f"latents: {names}; {shown['tried']} sets were ablated"]
    lines.append(f"control: {shown['controls']['flipped']} of {shown['controls']['n']} random sets of as many latents do it too")
    _show(shown, options.json, lines)


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


def _inspect(options: argparse.Namespace) -> None:
    from scratchpad.images import load_image
    from scratchpad.vlm.inspect import inspect, lines
    from scratchpad.vlm.load import load_vlm

    picture = load_image(options.image) if options.image else None
    told = inspect(load_vlm(options.model, _placement(options)), picture, options.check)
    _show(told, options.json, lines(told))
    if told["check"] and not told["check"]["holds"]:
        raise SystemExit(1)


def _serve(options: argparse.Namespace) -> None:
    from scratchpad.ui.app import launch

    launch(_workbench(options), options.host, options.port)


def _demo(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="PART")
    scene = parts.add_parser("scene", help="draw a scene and print its ground truth")
    scene.add_argument("--seed", type=int, required=True)
    scene.add_argument("--mode", default="ordinary", choices=["ordinary", "misleading", "two", "uncategorised"])
    scene.add_argument("--out", type=Path, required=True)
    scene.add_argument("--json", action="store_true")
    scene.set_defaults(act=_demo_scene)
    train = parts.add_parser("train", help="train the demo VLM from nothing; resumes")
    train.add_argument("--out", type=Path, default=Path("runs/demo"))
    train.add_argument("--start", type=Path, help="a model folder from whose weights the last stage alone goes on")
    train.set_defaults(act=_demo_train)
    saes = parts.add_parser("saes", help="train, index and judge the demo's SAEs")
    saes.add_argument("--model", type=Path, default=None)
    saes.add_argument("--out", type=Path, default=Path("saes"))
    saes.set_defaults(act=_demo_saes)
    publish = parts.add_parser("publish", help="measure what was trained and put it where the repository ships it")
    publish.add_argument("--run", type=Path, default=Path("runs/demo"))
    publish.set_defaults(act=_demo_publish)
    evaluate = parts.add_parser("evaluate", help="exact answers on held-out scenes")
    evaluate.add_argument("--model", type=Path, default=None)
    evaluate.add_argument("--scenes", type=int, default=2000)
    evaluate.set_defaults(act=_demo_evaluate)


def _demo_scene(options: argparse.Namespace) -> None:
    from scratchpad.demo.commands import scene

    value = scene(options.seed, options.mode, options.out)
    _show(value, options.json, [f"{value['background']}: " + ", ".join(o["name"] for o in value["objects"]), f"written to {options.out}"])


def _demo_train(options: argparse.Namespace) -> None:
    from scratchpad.demo.train import train

    train(options.out, options.start)


def _demo_saes(options: argparse.Namespace) -> None:
    from scratchpad.demo import saes
    from scratchpad.workbench import DEFAULT_MODEL

    model = options.model or DEFAULT_MODEL
    say = lambda line: print(line, file=sys.stderr)  # noqa: E731
    names = list(saes.LAYERS)
    saes.make(model, options.out, names, say=say)
    saes.index_and_judge(model, options.out, names, say=say)


def _demo_publish(options: argparse.Namespace) -> None:
    from scratchpad.demo import publish
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE

    publish.publish_model(options.run, DEFAULT_MODEL)
    publish.publish_scenes(DEFAULT_MODEL.parent / "scenes")
    if all((DEFAULT_SAE.parent / name / "metrics.json").is_file() for name in ("emoji-early", "emoji-middle", "emoji-last")):
        publish.publish_cards(DEFAULT_SAE.parent)


def _demo_evaluate(options: argparse.Namespace) -> None:
    from scratchpad.demo.evaluate import evaluate
    from scratchpad.workbench import DEFAULT_MODEL

    print(json.dumps(evaluate(options.model or DEFAULT_MODEL, options.scenes), indent=1))


def entry() -> None:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
