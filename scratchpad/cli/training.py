"""`scratchpad train-sae`: an SAE for any model and any folder of images."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, as_json, cluster, on_a_cluster, placement, show, where_and_how
from scratchpad.errors import UserError
from scratchpad.files import write_whole

if TYPE_CHECKING:
    from scratchpad.records.hookpoint import HookPoint
    from scratchpad.sae.afar import Models
    from scratchpad.sae.pictures import Pictures
    from scratchpad.sae.train import Fit, Recipe
    from scratchpad.vlm.load import Vlm

IMAGES = "folder of images with all below it, or a data set: owner/name:split, a Parquet file"
METRICS_ON = 64  # images on which a new SAE's numbers are declared


def add(commands: Commands) -> None:
    """Adds `train-sae`."""
    own = argparse.ArgumentDefaultsHelpFormatter  # every option says its default
    train = commands.add_parser("train-sae", help="train an SAE at a hook point of any model", formatter_class=own)
    train.add_argument("--model", required=True, help="folder or hub id")
    where = train.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--at", help="hook point: vision.N, projector or language.N, layers counted from 0; several with commas share a pass"
    )
    where.add_argument("--layer", help="N or several with commas, for --at vision.N")
    train.add_argument("--images", required=True, help=IMAGES)
    train.add_argument("--prompts", type=Path, help="at language.N: a file of prompts, a line each, one of which stands behind each image")
    train.add_argument("--out", type=Path, required=True, help="for several hook points, a folder for one folder each")
    train.add_argument("--width", default="8x", help="latents: a number, or a multiple of the encoder's width such as 16x")
    train.add_argument("--k", type=int, default=32, help="active latents a patch or token")
    train.add_argument("--architecture", default="batchtopk", help="batchtopk, topk, matryoshka or standard")
    train.add_argument("--l1", type=float, default=5.0, help="of standard: the weight of its penalty")
    train.add_argument(
        "--steps", type=int, default=5000, help="of training; printed before it begins: how many passes over the images that is"
    )
    train.add_argument("--batch", type=int, default=4096, help="activations a step")
    train.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    train.add_argument("--seed", type=int, default=0, help="of the weights and of the order of images")
    train.add_argument("--buffer", type=int, default=1 << 17, help="activations among which a step's are shuffled")
    train.add_argument("--cache", type=Path, help="keep activations in this folder and read them from the second epoch on")
    train.add_argument("--class-token", action="store_true", help="train on the class token too")
    train.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    where_and_how(train)
    on_a_cluster(train)
    as_json(train)
    train.set_defaults(act=_train)


def _train(options: argparse.Namespace) -> None:
    from scratchpad.sae.parallel import joined
    from scratchpad.sae.pictures import pictures
    from scratchpad.sae.stream import Mixer, Source
    from scratchpad.sae.train import Fit, Recipe, fit, read_position
    from scratchpad.vlm.load import load_vlm

    group = joined()
    options.device = group.device(options.device)
    images = pictures(options.images)
    images.set_apart()
    vlm = load_vlm(options.model, placement(options))
    points = _points(options, vlm)
    widths = [vlm.width_at(at) for at in points]
    recipe = Recipe(
        d_sae=_width(options.width, widths[0]),
        k=options.k,
        steps=options.steps,
        size=group.part(options.batch),
        rate=options.lr,
        seed=options.seed,
        architecture=options.architecture,
        l1=options.l1,
        centred=True,
    )
    seed = options.seed + group.rank * 1_000_003  # every process sees the pictures in an order of its own
    cache = options.cache / f"part-{group.rank}" if options.cache and group.size > 1 else options.cache
    outs = [options.out] if len(points) == 1 else [options.out / _folder(at) for at in points]
    epoch, seen = read_position(outs)
    prompts = _prompts(options, points)
    source = Source(models_of(options, vlm), images, points, seed, cache, options.class_token, epoch, seen, prompts)
    mixer = Mixer(source, recipe.size, options.buffer, seed)
    device = "cpu" if options.device == "auto" else options.device
    if group.first:
        print(_outlook(recipe, options, vlm, images, points, device), file=sys.stderr, flush=True)
    position = lambda: (source.epoch, source.seen)  # noqa: E731
    recipes = [replace(recipe, d_sae=_width(options.width, width)) for width in widths]
    of_each = zip(recipes, widths, points, outs, strict=True)
    fits = [Fit(own, width, mixer.batches(at), out, device, group, position) for own, width, at, out in of_each]
    resumed = [training.step for training in fits]
    fit(fits, _Progress(), options.every)
    rows = []
    for training, at in zip(fits if group.first else [], points, strict=False):
        training.finish(_metadata(options, vlm, at, images, prompts))
        rows.append({"sae": str(training.out), "at": str(at), "metrics": _declare(vlm, training.out, images, prompts)})
    group.wait()
    group.leave()
    if group.first:
        value = {"saes": rows, "images": len(images), "skipped": images.skipped, "resumed_at": resumed}
        value["resumed_data"] = {"passes": epoch, "images": seen}
        show(value, options.json, [*(f"{row['sae']}: {json.dumps(row['metrics'])}" for row in rows), *skipped_of(images)])


def _outlook(recipe: Recipe, options: argparse.Namespace, vlm: Vlm, images: Pictures, points: list[HookPoint], device: str) -> str:
    """How many steps and passes over the images a training is and about how long it takes, timed on a few of each."""
    from scratchpad.sae.outlook import outlook

    estimate = outlook(recipe, vlm, images, points, device, options.batch // recipe.size, bool(options.cache))
    if estimate is None:
        return f"{recipe.steps} steps; none of the first images can be read, so it isn't known how long they take"
    return estimate.says


def _points(options: argparse.Namespace, vlm: Vlm) -> list[HookPoint]:
    from scratchpad.records.hookpoint import hook_point, vision

    if options.at is not None:
        points = [hook_point(part) for part in options.at.split(",")]
    else:
        try:
            points = [vision(int(part)) for part in options.layer.split(",")]
        except ValueError as error:
            raise UserError(f"--layer was {options.layer!r}; expected numbers such as 5 or 3,5.") from error
    for at in points:
        vlm.check(at)
    return list(dict.fromkeys(points))


def _prompts(options: argparse.Namespace, points: list[HookPoint]) -> tuple[str, ...]:
    from scratchpad.sae.harvest import PROMPTS

    spoken = any(at.place == "language" for at in points)
    if options.class_token and any(at.place != "vision" for at in points):
        raise UserError("--class-token was given, but there is no class token behind the vision encoder; leave it out.")
    if options.prompts is None:
        return PROMPTS
    if not spoken:
        raise UserError(
            "--prompts was given, but prompts make no difference before the language model; give --at language.N or leave it out."
        )
    try:
        lines = tuple(line.strip() for line in options.prompts.read_text().splitlines() if line.strip())
    except (OSError, ValueError) as error:
        raise UserError(
            f"--prompts was {options.prompts}, which can't be read ({error}); expected a text file, a prompt a line."
        ) from error
    if not lines:
        raise UserError(f"--prompts was {options.prompts}, which is empty; expected a prompt a line.")
    return lines


def _folder(at: HookPoint) -> str:
    """Of one of several SAEs."""
    return f"layer-{at.layer}" if at.place == "vision" else str(at)


def _width(text: str, d_in: int) -> int:
    try:
        return int(float(text[:-1]) * d_in) if text.endswith("x") else int(text)
    except ValueError as error:
        raise UserError(f"--width was {text!r}; expected a number of latents, or a multiple of {d_in} such as 16x.") from error


class _Progress:
    """A line on standard error about every second."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self, training: Fit, n: dict[str, float]) -> None:
        if time.monotonic() - self.last < 1 and n["left"] > 0:
            return
        self.last = time.monotonic()
        print(
            f"\r{training.out.name}: step {n['step']:.0f}  loss {n['loss']:.3g}  L0 {n['l0']:.1f}  "
            f"explained {n['variance_explained']:.3f}  dead {100 * n['dead_share']:.1f}%  "
            f"{n['per_second']:.0f} a second  {n['left']:.0f} s left ",
            end="" if n["left"] > 0 else "\n",
            file=sys.stderr,
            flush=True,
        )


def _metadata(options: argparse.Namespace, vlm: Vlm, at: HookPoint, images: Pictures, prompts: tuple[str, ...]) -> dict[str, object]:
    from scratchpad.sae.config import said_of

    return {
        "model_name": vlm.name,
        "model_identity": vlm.identity,
        "model_revision": getattr(vlm.model.config, "_commit_hash", None),  # the hub's, for a model that comes from there
        "encoder_identity": vlm.encoder_identity,
        **({"hook_name": f"vision block {at.layer}, output"} | said_of(at)),
        "class_token": options.class_token,
        "training_images": {
            "folder": Path(images.source).name,
            "count": len(images),
            "skipped": len(images.skipped),
            "set_aside": len(images.apart),
        },
        "training_seed": options.seed,
        "training_steps": options.steps,
        "training_batch": options.batch,
        **({"training_prompts": list(prompts)} if at.place == "language" else {}),
        "training_rate": options.lr,
    }


def _declare(vlm: Vlm, out: Path, images: Pictures, prompts: tuple[str, ...]) -> dict[str, float]:
    """Measures a new SAE as it will be used, class token left out, and writes what it declares of itself, there and in cfg.json."""
    from scratchpad.sae.evaluate import reconstruction_metrics
    from scratchpad.sae.harvest import harvest
    from scratchpad.sae.load import load_sae

    sae = load_sae(out)
    trained_on = [i for i in range(len(images)) if i not in images.apart]
    order = trained_on[:: max(1, len(trained_on) // METRICS_ON)]
    some = (picture for _, picture in images.in_order(order))
    metrics = {
        k: round(v, 4)
        for k, v in reconstruction_metrics(sae, (r[sae.at].numpy() for r in harvest(vlm, some, [sae.at], prompts=prompts))).items()
    }
    declared = metrics | {"measured_on": "images it was trained on"}
    write_whole(out / "metrics.json", json.dumps(declared, indent=1))
    config = json.loads((out / "cfg.json").read_text())
    write_whole(out / "cfg.json", json.dumps(config | {"metadata": config.get("metadata", {}) | {"metrics": declared}}))
    return metrics


def models_of(options: argparse.Namespace, vlm: Vlm) -> Models:
    """The loaded model, and how the workers of the cluster that the options name, if any, load theirs."""
    from scratchpad.sae.afar import Models

    return Models(vlm, options.model, placement(options), cluster(options))


def skipped_of(images: Pictures) -> list[str]:
    """A line about the images that could not be read, the first ten by name; none where all could."""
    if not images.skipped:
        return []
    return [f"{len(images.skipped)} images could not be read and were left out: {', '.join(images.skipped[:10])}"]
