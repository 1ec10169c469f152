"""`scratchpad demo`: the emoji world and the recipe of the shipped model."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli import certifying
from scratchpad.cli.options import Commands, show
from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.demo.truth import Share


def add(commands: Commands) -> None:
    """Adds `demo` and its parts."""
    parser = commands.add_parser("demo", help="the emoji world: scenes, training, evaluation")
    parts = parser.add_subparsers(required=True, metavar="PART")
    scene = parts.add_parser("scene", help="draw a scene and print its ground truth")
    scene.add_argument("--seed", type=int, required=True)
    scene.add_argument("--mode", default="ordinary", choices=["ordinary", "misleading", "two", "uncategorised"])
    scene.add_argument("--out", type=Path, required=True)
    scene.add_argument("--json", action="store_true")
    scene.set_defaults(act=_demo_scene)
    questions = parts.add_parser("audit-set", help="write a set of questions for `scratchpad audit`, and apart what is planted in it")
    questions.add_argument("--scenes", type=int, default=300, help="a question each (default: %(default)s)")
    questions.add_argument("--seed", type=int, default=0)
    questions.add_argument("--form", default="all", choices=("all", "pope"), help="pope: whether something is there, yes or no")
    questions.add_argument("--out", type=Path, required=True, help="a file ending in .parquet")
    questions.set_defaults(act=_demo_audit_set)
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
    truth = parts.add_parser("truth", help="whether the names shown behind answers are true, on held-out scenes")
    truth.add_argument("--scenes", type=int, default=200, help="how many (default: %(default)s)")
    truth.add_argument("--model", type=Path, default=None, help="folder (default: the demo VLM)")
    truth.add_argument("--saes", type=Path, default=None, help="folder of the demo's three SAEs (default: those shipped)")
    truth.add_argument("--json", action="store_true")
    truth.set_defaults(act=_demo_truth, waits=True)
    sanity = parts.add_parser("sanity", help="an SAE's recipe trained anew beside baselines of the same budget, over seeds")
    sanity.add_argument("--model", type=Path, default=None, help="folder (default: the demo VLM)")
    sanity.add_argument("--sae", type=Path, default=None, help="folder (default: the demo's last layer)")
    sanity.add_argument("--scenes", type=int, default=500, help="held out, a question each (default: %(default)s)")
    sanity.add_argument("--training-scenes", type=int, default=4000, help="whose activations are trained on (default: %(default)s)")
    certifying.budget(sanity)
    sanity.add_argument("--json", action="store_true")
    sanity.set_defaults(act=_demo_sanity)
    retrieval = parts.add_parser("train-retrieval", help="train the demo retrieval model from the demo VLM's encoder; resumes")
    retrieval.add_argument("--out", type=Path, default=Path("runs/retrieval"))
    retrieval.set_defaults(act=_demo_train_retrieval)
    ships = parts.add_parser("publish-retrieval", help="measure what was trained and put it where the repository ships it")
    ships.add_argument("--run", type=Path, default=Path("runs/retrieval"))
    ships.set_defaults(act=_demo_publish_retrieval)
    finds = parts.add_parser("evaluate-retrieval", help="how often a description finds its own of 100 held-out scenes")
    finds.add_argument("--model", type=Path, default=None)
    finds.add_argument("--rounds", type=int, default=10)
    finds.set_defaults(act=_demo_evaluate_retrieval)


def _demo_scene(options: argparse.Namespace) -> None:
    from scratchpad.demo.commands import scene

    value = scene(options.seed, options.mode, options.out)
    show(value, options.json, [f"{value['background']}: " + ", ".join(o["name"] for o in value["objects"]), f"written to {options.out}"])


def _demo_audit_set(options: argparse.Namespace) -> None:
    from scratchpad.demo.audit_set import write

    if options.out.suffix != ".parquet" or not 1 <= options.scenes <= 1_000_000 or not 0 <= options.seed < 100:
        raise UserError("demo audit-set takes --out FILE.parquet, --scenes from 1 to 1,000,000 and --seed from 0 to 99; given was another.")
    try:
        plan = write(options.out, options.scenes, options.seed, options.form)
    except OSError as error:
        raise UserError(f"{options.out} could not be written ({error}); expected a path in an existing folder.") from error
    print(f"{options.scenes} questions in {options.out}; what is planted, apart from it, in {plan}")


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


def _demo_truth(options: argparse.Namespace) -> None:
    from scratchpad.demo.truth import truth
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE

    if options.scenes < 1:
        raise UserError(f"--scenes was {options.scenes}; expected at least 1.")
    say = lambda line: print(line, file=sys.stderr)  # noqa: E731
    value = truth(options.model or DEFAULT_MODEL, options.saes or DEFAULT_SAE.parent, options.scenes, say)
    lines = []
    for name, measured in value["saes"].items():
        for depth, row in measured["at"].items():
            shares = f"true {_percent(row['true'])}, true anywhere {_percent(row['true_anywhere'])}, named {_percent(row['named'])}"
            lines.append(f"{name}, first {depth}: {shares}")
    show(value, options.json, lines)


def _demo_sanity(options: argparse.Namespace) -> None:
    from scratchpad.demo.sanity import plan_of
    from scratchpad.sae.load import load_sae
    from scratchpad.vlm.load import load_vlm
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE

    if options.scenes < 1 or options.training_scenes < 1:
        raise UserError("--scenes and --training-scenes are at least 1.")
    seeds, sae = certifying.seeds_of(options), load_sae(options.sae or DEFAULT_SAE)
    plan = plan_of(sae, seeds, options.steps, options.scenes, options.edited, options.training_scenes)
    plan = plan if options.asked is None else replace(plan, asked=options.asked)
    certifying.certify_and_show(options, load_vlm(options.model or DEFAULT_MODEL), sae, plan)


def _percent(share: Share) -> str:
    if share["share"] is None or share["low"] is None or share["high"] is None:
        return "of nothing"
    return f"{100 * share['share']:.1f}% of {share['of']} ({100 * share['low']:.1f} to {100 * share['high']:.1f})"


def _demo_publish(options: argparse.Namespace) -> None:
    from scratchpad.cases.shelf import SHIPPED
    from scratchpad.demo import publish
    from scratchpad.demo.casebook import publish_cases
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

    publish.publish_model(options.run, DEFAULT_MODEL)
    publish.publish_scenes(DEFAULT_MODEL.parent / "scenes")
    if all((DEFAULT_SAE.parent / name / "metrics.json").is_file() for name in ("emoji-early", "emoji-middle", "emoji-last")):
        publish.publish_cards(DEFAULT_SAE.parent)
        publish_cases(Workbench(), SHIPPED)


def _demo_evaluate(options: argparse.Namespace) -> None:
    from scratchpad.demo.evaluate import evaluate
    from scratchpad.workbench import DEFAULT_MODEL

    print(json.dumps(evaluate(options.model or DEFAULT_MODEL, options.scenes), indent=1))


def _demo_train_retrieval(options: argparse.Namespace) -> None:
    from scratchpad.demo.retrieval import train
    from scratchpad.workbench import DEFAULT_MODEL

    train(options.out, DEFAULT_MODEL)


def _demo_publish_retrieval(options: argparse.Namespace) -> None:
    from scratchpad.demo.retrieval_card import publish
    from scratchpad.workbench import DEFAULT_RETRIEVER

    publish(options.run, DEFAULT_RETRIEVER)


def _demo_evaluate_retrieval(options: argparse.Namespace) -> None:
    from scratchpad.demo.retrieval_card import evaluate
    from scratchpad.workbench import DEFAULT_RETRIEVER

    print(json.dumps(evaluate(options.model or DEFAULT_RETRIEVER, options.rounds), indent=1))
