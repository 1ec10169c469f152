"""`scratchpad index`, `eval-sae` and `import-sae`, beside `train-sae` (`training`): SAEs for any model and any folder of images."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from scratchpad.cli import certifying, training
from scratchpad.cli.options import Commands, as_json, on_a_cluster, placement, show, where_and_how
from scratchpad.cli.training import IMAGES, models_of, skipped_of
from scratchpad.errors import UserError
from scratchpad.files import write_whole

if TYPE_CHECKING:
    from scratchpad.records.hookpoint import HookPoint
    from scratchpad.sae.load import Sae
    from scratchpad.sae.observe import Observed
    from scratchpad.sae.pictures import Pictures
    from scratchpad.vlm.load import Vlm


T = TypeVar("T")

FORMATS = "patchsae, saev, prisma, sae-for-vlm, dictionary-learning, bussmann, sparsify, overcomplete, openai or saelens"


def add(commands: Commands) -> None:
    """Adds `train-sae`, `index`, `eval-sae` and `import-sae`."""
    training.add(commands)

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
    judge.add_argument("--most", type=int, help="images at most (default: 100; with --sanity 500)")
    certifying.add(judge)
    judge.set_defaults(act=_evaluate)

    take = commands.add_parser("import-sae", help="an SAE of another project's format, as SAELens format")
    take.add_argument("source", type=Path)
    take.add_argument("--format", required=True, help=FORMATS)
    where = take.add_mutually_exclusive_group()
    where.add_argument("--at", help="where it reads, if the file doesn't say: vision.N, projector or language.N, layers counted from 0")
    where.add_argument("--layer", type=int, help="N, for --at vision.N")
    how = ("yes", "no")
    take.add_argument("--subtract-b-dec", choices=how, help="whether the decoder's bias is subtracted before encoding, where it isn't said")
    take.add_argument("--k", type=int, help="active latents a patch, where the file doesn't say; 0: all above 0")
    take.add_argument("--threshold", type=float, help="of a BatchTopK, where the file doesn't say")
    take.add_argument("--input-scale", type=float, help="by what activations were multiplied in training, where that isn't in the weights")
    take.add_argument("--out", type=Path, required=True)
    as_json(take)
    take.set_defaults(act=_import)


def _on_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="folder or hub id")
    parser.add_argument("--sae", required=True, help="folder in SAELens format, or a released SAE: release/sae_id")
    parser.add_argument("--images", required=True, help=IMAGES)
    where_and_how(parser)
    on_a_cluster(parser)
    as_json(parser)


def _loaded(options: argparse.Namespace) -> tuple[Vlm, Sae, Pictures]:
    from scratchpad.reader import check_fit
    from scratchpad.sae.load import load_sae
    from scratchpad.sae.pictures import pictures
    from scratchpad.vlm.load import load_vlm

    images, sae = pictures(options.images), load_sae(options.sae)
    vlm = load_vlm(options.model, placement(options))
    check_fit(vlm, sae)
    return vlm, sae, images


def _index(options: argparse.Namespace) -> None:
    from scratchpad.sae.afar import observations
    from scratchpad.sae.build import build_index
    from scratchpad.sae.index import open_index
    from scratchpad.sae.masks import open_masks
    from scratchpad.sae.pictures import labels_of

    if options.classes and not options.masks:
        raise UserError("--classes was given without --masks; it names the numbers in masks.")

    vlm, sae, images = _loaded(options)
    labels = labels_of(images, options.labels)
    masks = open_masks(options.masks, options.classes, images) if options.masks else None
    order: list[int] = []

    def seen() -> Iterator[Observed]:
        for number, observed in observations(models_of(options, vlm), sae, images):
            order.append(number)
            yield observed

    # labels and names by the number among the readable ones, known as they come
    read_labels, read_names = _Followed(order, labels), _Followed(order, [Path(name).name for name in images.names])
    said = [0.0]

    def say(done: int) -> None:
        if time.monotonic() - said[0] > 1:
            said[0] = time.monotonic()
            print(f"\r{done} of {len(images)} images", end="", file=sys.stderr, flush=True)

    done = build_index(
        sae, seen(), read_labels if any(labels) else (), read_names, say, masks, lambda at: order[at], encoder=vlm.encoder_identity
    )
    print(file=sys.stderr)
    if not done:
        raise UserError(f"No image in {options.images} can be read; {len(images.skipped)} were tried.")
    index = open_index(sae.folder, sae)
    counted = index.about["counted"] if index else 0
    value = {"sae": str(sae.folder), "images": done, "counted": counted, "skipped": images.skipped, "labels": len(set().union(*labels))}
    left = _counted_on(sae, images, counted)
    value["counts"] = left[0]
    if masks:
        value["masks_skipped"] = masks.skipped
        left += [f"{len(masks.skipped)} masks were left out: {'; '.join(masks.skipped[:5])}"] if masks.skipped else []
    show(value, options.json, [f"indexed {done} images, {value['labels']} labels, in {sae.folder / 'index'}", *skipped_of(images), *left])


def _counted_on(sae: Sae, images: Pictures, counted: int) -> list[str]:
    """What names may claim, in one sentence."""
    if not counted:
        return ["no image was set aside for counting: names are guesses (give labels or masks, and more images)"]
    trained = sae.metadata.get("training_images")
    trained = trained if isinstance(trained, dict) else {}
    same = trained.get("folder") == Path(images.source).name and trained.get("count") == len(images)
    if same and not trained.get("set_aside"):
        return [f"names are counted on {counted} images that weren't used to choose them, but that the SAE seems to be trained on"]
    return [f"names are counted on {counted} images that are used for nothing else"]


class _Followed(list[T]):
    """A list looked into by the number among the readable images."""

    def __init__(self, order: list[int], values: list[T]):
        super().__init__(values)
        self.order = order

    def __getitem__(self, number: int) -> T:  # type: ignore[override]  # nobody takes slices of it
        return super().__getitem__(self.order[number])


def _evaluate(options: argparse.Namespace) -> None:
    from scratchpad.sae.afar import judgements
    from scratchpad.sae.judge import beside_declared, declared, verdict

    if options.most is not None and options.most < 1:
        raise UserError(f"{options.most} images were asked for; expected at least 1.")
    vlm, sae, images = _loaded(options)
    if options.sanity:
        certifying.certify_on_images(options, vlm, sae, images)
        return
    most = options.most or 100
    declaration = declared(sae)
    order = list(range(0, len(images), max(1, -(-len(images) // most))))
    judged = list(judgements(models_of(options, vlm), sae, images, order, options.prompt or ["Describe the image."]))
    if not judged:
        raise UserError(f"No image in {options.images} can be read; {len(images.skipped)} were tried.")
    metrics = verdict(judged)
    fits = beside_declared(sae, metrics["variance_explained"], metrics["l0"])
    value = metrics | {"declared": declaration, "fits": fits.fits, "says": fits.sentence, "skipped": images.skipped}
    saved = value | {"images": Path(images.source).name, "prompts": options.prompt or ["Describe the image."]}
    write_whole(sae.folder / "evaluation.json", json.dumps(saved, indent=1))
    lines = [f"{name}: {metrics[name]}" for name in ("variance_explained", "l0", "dead_share", "cosine")]
    same = metrics["answers_unchanged"]
    lines.append(
        f"answers unchanged: {100 * same['share']:.1f}% of {same['of']}, log-probability {same['mean_change_of_logprob']:+.3f} nats"
    )
    show(value, options.json, [*lines, *([value["says"]] if value["says"] else []), *skipped_of(images)])


def _at(options: argparse.Namespace) -> HookPoint | None:
    from scratchpad.records.hookpoint import hook_point

    if options.at is not None:
        return hook_point(options.at)
    return None if options.layer is None else hook_point(f"vision.{options.layer}")


def _import(options: argparse.Namespace) -> None:
    from scratchpad.sae.foreign import import_sae
    from scratchpad.sae.normalise import AVERAGE, UNSCALED

    subtract = None if options.subtract_b_dec is None else options.subtract_b_dec == "yes"
    given = (_at(options), options.k, subtract, options.threshold, options.input_scale)
    imported = import_sae(options.source, options.format, options.out, *given)
    lines = [f"{imported['architecture']}, {imported['d_in']} x {imported['d_sae']}, at {imported['at']}, written to {options.out}"]
    show(imported, options.json, [*lines, *([UNSCALED] if imported["normalize_activations"] == AVERAGE else [])])
