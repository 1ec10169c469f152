"""`scratchpad train-sae`, `index`, `eval-sae` and `import-sae`: SAEs for any model and any folder of images."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchpad.cli.options import as_json, cluster, on_a_cluster, placement, show, where_and_how
from scratchpad.errors import UserError
from scratchpad.files import write_whole

if TYPE_CHECKING:
    from scratchpad.sae.afar import Models
    from scratchpad.sae.load import Sae
    from scratchpad.sae.pictures import Pictures
    from scratchpad.vlm.load import Vlm

IMAGES = "folder of images with all below it, or a data set: owner/name:split, a Parquet file"
METRICS_ON = 64  # images on which a new SAE's numbers are declared


def add(commands: Any) -> None:
    train = commands.add_parser("train-sae", help="train an SAE on a vision layer of any model")
    train.add_argument("--model", required=True, help="folder or hub id")
    train.add_argument("--layer", required=True, help="vision block, counted from 0; several with commas share one pass over the images")
    train.add_argument("--images", required=True, help=IMAGES)
    train.add_argument("--out", type=Path, required=True, help="for several layers, a folder for one folder each")
    train.add_argument("--width", default="8x", help="latents: a number, or a multiple of the encoder's width such as 16x")
    train.add_argument("--k", type=int, default=32, help="active latents a patch")
    train.add_argument("--architecture", default="batchtopk", help="batchtopk, topk, matryoshka or standard")
    train.add_argument("--l1", type=float, default=5.0, help="of standard: the weight of its penalty")
    train.add_argument("--steps", type=int, default=5000)
    train.add_argument("--batch", type=int, default=4096, help="activations a step")
    train.add_argument("--lr", type=float, default=1e-3)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--buffer", type=int, default=1 << 17, help="activations among which a step's are shuffled")
    train.add_argument("--cache", type=Path, help="keep activations in this folder and read them from the second epoch on")
    train.add_argument("--class-token", action="store_true", help="train on the class token too")
    train.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    where_and_how(train)
    on_a_cluster(train)
    as_json(train)
    train.set_defaults(act=_train)

    index = commands.add_parser("index", help="statistics, names and reference images of every latent")
    _on_images(index)
    index.add_argument("--labels", help="CSV lines file,label;label or JSON; default: the folder each image lies in, if there are several")
    index.add_argument(
        "--masks", help="folder of masks named as the images, a class a pixel, or a data set's column of them: name latents by patch"
    )
    index.add_argument("--classes", help="names of the classes: a line each, the first for 0, or JSON {number: name}")
    index.set_defaults(act=_index)

    judge = commands.add_parser("eval-sae", help="how well an SAE stands in for the activations, and what the answers say to it")
    _on_images(judge)
    judge.add_argument("--prompt", action="append", help="asked of the images in turn; may be repeated")
    judge.add_argument("--most", type=int, default=100, help="images at most")
    judge.set_defaults(act=_evaluate)

    take = commands.add_parser("import-sae", help="an SAE of another project's format, as SAELens format")
    take.add_argument("source", type=Path)
    take.add_argument("--format", required=True, help="patchsae, saev, prisma, sae-for-vlm or saelens")
    take.add_argument("--layer", type=int, help="the vision block it reads, where the file doesn't say")
    how = ("yes", "no")
    take.add_argument("--subtract-b-dec", choices=how, help="whether the decoder's bias is subtracted before encoding, where it isn't said")
    take.add_argument("--k", type=int, help="active latents a patch, where the file doesn't say")
    take.add_argument("--out", type=Path, required=True)
    as_json(take)
    take.set_defaults(act=_import)


def _on_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="folder or hub id")
    parser.add_argument("--sae", type=Path, required=True, help="folder in SAELens format")
    parser.add_argument("--images", required=True, help=IMAGES)
    where_and_how(parser)
    on_a_cluster(parser)
    as_json(parser)


def _train(options: argparse.Namespace) -> None:
    from scratchpad.sae.parallel import joined
    from scratchpad.sae.pictures import pictures
    from scratchpad.sae.stream import Mixer, Source
    from scratchpad.sae.train import Fit, Recipe, fit
    from scratchpad.vlm.load import load_vlm

    group = joined()
    options.device = group.device(options.device)
    found = pictures(options.images)
    vlm = load_vlm(options.model, placement(options))
    layers = _layers(options.layer, vlm)
    recipe = Recipe(
        d_sae=_width(options.width, vlm.width),
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
    source = Source(_models(options, vlm), found, layers, seed, cache, options.class_token)
    mixer = Mixer(source, recipe.size, options.buffer, seed)
    outs = [options.out] if len(layers) == 1 else [options.out / f"layer-{layer}" for layer in layers]
    device = "cpu" if options.device == "auto" else options.device
    fits = [Fit(recipe, vlm.width, mixer.batches(layer), out, device, group) for layer, out in zip(layers, outs, strict=True)]
    resumed = [one.step for one in fits]
    fit(fits, _Progress(), options.every)
    rows = []
    for one, layer in zip(fits if group.first else [], layers, strict=False):
        one.finish(_metadata(options, vlm, layer, found))
        rows.append({"sae": str(one.out), "layer": layer, "metrics": _declare(vlm, one.out, found)})
    group.wait()
    group.leave()
    if group.first:
        value = {"saes": rows, "images": len(found), "skipped": found.skipped, "resumed_at": resumed}
        show(value, options.json, [*(f"{row['sae']}: {json.dumps(row['metrics'])}" for row in rows), *_skipped(found)])


def _layers(text: str, vlm: Vlm) -> list[int]:
    try:
        layers = [int(part) for part in str(text).split(",")]
    except ValueError as error:
        raise UserError(f"--layer was {text!r}; expected numbers such as 5 or 3,5.") from error
    for layer in layers:
        vlm.block(layer)
    return list(dict.fromkeys(layers))


def _width(text: str, d_in: int) -> int:
    try:
        return int(float(text[:-1]) * d_in) if text.endswith("x") else int(text)
    except ValueError as error:
        raise UserError(f"--width was {text!r}; expected a number of latents, or a multiple of {d_in} such as 16x.") from error


class _Progress:
    """A line on standard error about every second."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self, one: Any, n: dict[str, float]) -> None:
        if time.monotonic() - self.last < 1 and n["left"] > 0:
            return
        self.last = time.monotonic()
        print(
            f"\r{one.out.name}: step {n['step']:.0f}  loss {n['loss']:.3g}  L0 {n['l0']:.1f}  explained {n['variance_explained']:.3f}  "
            f"dead {100 * n['dead_share']:.1f}%  {n['per_second']:.0f} a second  {n['left']:.0f} s left ",
            end="" if n["left"] > 0 else "\n",
            file=sys.stderr,
            flush=True,
        )


def _metadata(options: argparse.Namespace, vlm: Vlm, layer: int, found: Pictures) -> dict[str, Any]:
    return {
        "model_name": vlm.name,
        "model_identity": vlm.identity,
        "model_revision": getattr(vlm.model.config, "_commit_hash", None),  # the hub's, for a model that comes from there
        "encoder_identity": vlm.encoder_identity,
        "layer": layer,
        "hook_name": f"vision block {layer}, output",
        "class_token": options.class_token,
        "training_images": {"folder": Path(found.source).name, "count": len(found), "skipped": len(found.skipped)},
        "training_seed": options.seed,
        "training_steps": options.steps,
        "training_batch": options.batch,
    }


def _declare(vlm: Vlm, out: Path, found: Pictures) -> dict[str, float]:
    """Measures a new SAE as it will be used, class token left out, and writes what it declares of itself, there and in cfg.json."""
    from scratchpad.sae.evaluate import reconstruction_metrics
    from scratchpad.sae.harvest import harvest
    from scratchpad.sae.load import load_sae

    sae = load_sae(out)
    order = range(0, len(found), max(1, len(found) // METRICS_ON))
    some = (picture for _, picture in found.in_order(order))
    metrics = {
        k: round(v, 4) for k, v in reconstruction_metrics(sae, (r[sae.layer].numpy() for r in harvest(vlm, some, [sae.layer]))).items()
    }
    told = metrics | {"measured_on": "images it was trained on"}
    write_whole(out / "metrics.json", json.dumps(told, indent=1))
    config = json.loads((out / "cfg.json").read_text())
    write_whole(out / "cfg.json", json.dumps(config | {"metadata": config.get("metadata", {}) | {"metrics": told}}))
    return metrics


def _models(options: argparse.Namespace, vlm: Vlm) -> Models:
    from scratchpad.sae.afar import Models

    return Models(vlm, options.model, placement(options), cluster(options))


def _skipped(found: Pictures) -> list[str]:
    if not found.skipped:
        return []
    return [f"{len(found.skipped)} images could not be read and were left out: {', '.join(found.skipped[:10])}"]


def _loaded(options: argparse.Namespace) -> tuple[Vlm, Sae, Pictures]:
    from scratchpad.reader import check_fit
    from scratchpad.sae.load import load_sae
    from scratchpad.sae.pictures import pictures
    from scratchpad.vlm.load import load_vlm

    found, sae = pictures(options.images), load_sae(options.sae)
    vlm = load_vlm(options.model, placement(options))
    check_fit(vlm, sae)
    return vlm, sae, found


def _index(options: argparse.Namespace) -> None:
    from scratchpad.sae.afar import observations
    from scratchpad.sae.build import build_index
    from scratchpad.sae.masks import open_masks
    from scratchpad.sae.pictures import labels_of

    if options.classes and not options.masks:
        raise UserError("--classes was given without --masks; it names the numbers in masks.")

    vlm, sae, found = _loaded(options)
    labels = labels_of(found, options.labels)
    masks = open_masks(options.masks, options.classes, found) if options.masks else None
    order: list[int] = []

    def seen() -> Any:
        for number, one in observations(_models(options, vlm), sae, found):
            order.append(number)
            yield one

    # labels and names by the number among the readable ones, known as they come
    read_labels, read_names = _Followed(order, labels), _Followed(order, [Path(name).name for name in found.names])
    said = [0.0]

    def say(done: int) -> None:
        if time.monotonic() - said[0] > 1:
            said[0] = time.monotonic()
            print(f"\r{done} of {len(found)} images", end="", file=sys.stderr, flush=True)

    done = build_index(sae, seen(), read_labels if any(labels) else (), read_names, say, masks, lambda at: order[at])
    print(file=sys.stderr)
    if not done:
        raise UserError(f"No image in {options.images} can be read; {len(found.skipped)} were tried.")
    value = {"sae": str(options.sae), "images": done, "skipped": found.skipped, "labels": len(set().union(*labels))}
    left = []
    if masks:
        value["masks_skipped"] = masks.skipped
        left = [f"{len(masks.skipped)} masks were left out: {'; '.join(masks.skipped[:5])}"] if masks.skipped else []
    show(value, options.json, [f"indexed {done} images, {value['labels']} labels, in {options.sae / 'index'}", *_skipped(found), *left])


class _Followed(list[Any]):
    """A list looked into by the number among the readable images."""

    def __init__(self, order: list[int], values: list[Any]):
        super().__init__(values)
        self.order = order

    def __getitem__(self, number: Any) -> Any:
        return super().__getitem__(self.order[number])


def _evaluate(options: argparse.Namespace) -> None:
    from scratchpad.sae.afar import judgements
    from scratchpad.sae.judge import beside_declared, declared, verdict

    vlm, sae, found = _loaded(options)
    if options.most < 1:
        raise UserError(f"{options.most} images were asked for; expected at least 1.")
    told = declared(sae)
    order = list(range(0, len(found), max(1, -(-len(found) // options.most))))
    metrics = verdict(judgements(_models(options, vlm), sae, found, order, options.prompt or ["Describe the image."]))
    fits = beside_declared(sae, metrics["variance_explained"], metrics["l0"])
    value = metrics | {"declared": told, "fits": fits.fits, "says": fits.sentence, "skipped": found.skipped}
    kept = value | {"images": Path(found.source).name, "prompts": options.prompt or ["Describe the image."]}
    write_whole(sae.folder / "evaluation.json", json.dumps(kept, indent=1))
    lines = [f"{name}: {metrics[name]}" for name in ("variance_explained", "l0", "dead_share", "cosine")]
    same = metrics["answers_unchanged"]
    lines.append(
        f"answers unchanged: {100 * same['share']:.1f}% of {same['of']}, log-probability {same['mean_change_of_logprob']:+.3f} nats"
    )
    show(value, options.json, [*lines, *([value["says"]] if value["says"] else []), *_skipped(found)])


def _import(options: argparse.Namespace) -> None:
    from scratchpad.sae.foreign import import_sae

    subtract = None if options.subtract_b_dec is None else options.subtract_b_dec == "yes"
    told = import_sae(options.source, options.format, options.out, options.layer, options.k, subtract)
    show(told, options.json, [f"{told['architecture']}, {told['d_in']} x {told['d_sae']}, layer {told['layer']}, written to {options.out}"])
