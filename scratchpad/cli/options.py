"""Options that several commands share, and how results are printed."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, TypeAlias

from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.records import Analysis
    from scratchpad.records.audit import Repair
    from scratchpad.spread import Cluster
    from scratchpad.vlm.checkpoint import Placement
    from scratchpad.workbench import Workbench

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # what a command is added to


def model_and_sae(parser: argparse.ArgumentParser) -> None:
    """--model and --sae, and where and how they are loaded."""
    parser.add_argument("--model", default=os.environ.get("SCRATCHPAD_MODEL"), help="folder or hub id (default: the demo)")
    which = "folder in SAELens format, or a released SAE: release/sae_id (default: the demo's last layer)"
    parser.add_argument("--sae", default=os.environ.get("SCRATCHPAD_SAE"), help=which)
    where_and_how(parser)


def with_repair(parser: argparse.ArgumentParser) -> None:
    """--repair."""
    parser.add_argument("--repair", metavar="FILE", help="a repair of `scratchpad audit`: an edit under which every answer is given")


def repair(options: argparse.Namespace) -> Repair | None:
    """The repair that --repair names.

    Raises:
        UserError: it can't be read.
    """
    from scratchpad.repairing import read_repair

    return read_repair(options.repair) if getattr(options, "repair", None) else None


def where_and_how(parser: argparse.ArgumentParser) -> None:
    """--device, --dtype, --bits, --pan-and-scan, --trust-remote-code."""
    parser.add_argument("--device", default=os.environ.get("SCRATCHPAD_DEVICE", "cpu"), help="cpu, cuda, cuda:1, mps or auto (accelerate)")
    dtype = os.environ.get("SCRATCHPAD_DTYPE", "auto")
    parser.add_argument("--dtype", default=dtype, help="float64, float32, float16 or bfloat16 (default: the checkpoint's)")
    parser.add_argument("--bits", type=int, choices=(4, 8), help="quantise the language model, not the encoder (bitsandbytes)")
    parser.add_argument("--pan-and-scan", action="store_true", help="Gemma 3: crops of the image beside the whole of it")
    parser.add_argument("--trust-remote-code", action="store_true", help="let code from the model's repository run")


def on_a_cluster(parser: argparse.ArgumentParser) -> None:
    """--ray and --workers."""
    parser.add_argument("--ray", metavar="ADDRESS", help="spread the work over a Ray cluster: auto, host:port or ray://host:port")
    parser.add_argument("--workers", type=int, help="of the cluster (default: as many as it has room for)")


def cluster(options: argparse.Namespace) -> Cluster | None:
    """The Ray cluster that --ray names, a GPU for each worker where the device is one; None where none is named."""
    from scratchpad.spread import Cluster

    if not options.ray:
        return None
    return Cluster(options.ray, options.workers, gpus=1 if options.device.startswith("cuda") else 0)


def as_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def image_and_prompt(parser: argparse.ArgumentParser) -> None:
    """A question: its images, its prompt, the model it is put to, the length of the answer."""
    parser.add_argument("image", nargs="+", help="one image, or several; a prompt may say <image> where each stands")
    parser.add_argument("prompt")
    model_and_sae(parser)
    with_repair(parser)
    parser.add_argument("--max-new-tokens", type=int, default=64, help="of the answer (default 64)")
    parser.add_argument(
        "--attention-layers", help="language-model layers whose attention weights the latents, as 0,3 or 2-5 (default: all)"
    )
    parser.add_argument("--attention-heads", help="heads of each of these layers, as 0,3 or 2-5 (default: all)")
    as_json(parser)


def placement(options: argparse.Namespace) -> Placement:
    """Where and how the weights of the model named, or of the demo's, are kept.

    Raises:
        UserError: none is named, and the demo isn't there: a wheel is the library alone.
    """
    from scratchpad.vlm.checkpoint import Placement
    from scratchpad.workbench import DEFAULT_MODEL

    if not options.model and not DEFAULT_MODEL.is_dir():
        raise UserError(
            "No --model was given, and the demo, which pip doesn't install, isn't there; name a model and an SAE with --model and --sae, "
            "or run from a clone of the repository, where the demo is in examples/ and saes/."
        )
    return Placement(options.device, options.dtype, options.bits, options.trust_remote_code, options.pan_and_scan)


def readable(images: list[str]) -> None:
    """Refuses images that can't be read before torch is imported, which takes seconds.

    Raises:
        UserError: which, and why.
    """
    from scratchpad.images import load_images

    load_images(images)


def workbench(options: argparse.Namespace) -> Workbench:
    """A workbench of the model and SAE named, or of the demo, once the images of `image_and_prompt` are known to be readable.

    Raises:
        UserError: they can't be loaded.
    """
    if isinstance(getattr(options, "image", None), list):
        readable(options.image)
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

    return Workbench(options.model or DEFAULT_MODEL, options.sae or DEFAULT_SAE, placement(options), repair(options))


def analysis_of(bench: Workbench, options: argparse.Namespace) -> Analysis:
    """The question of `image_and_prompt`, asked."""
    from scratchpad.records.reading import numbers

    layers, heads = (
        None if text is None else numbers(text, f"--attention-{what}")
        for what, text in (("layers", options.attention_layers), ("heads", options.attention_heads))
    )
    return bench.analyze(options.image, options.prompt, options.max_new_tokens, True, layers, heads)


def show(value: object, as_json: bool, lines: list[str]) -> None:
    """Prints a record or plain values as one JSON object, or lines for people."""
    if not as_json:
        print("\n".join(lines))
        return
    from dataclasses import is_dataclass

    from scratchpad.records.codec import dumps

    print(dumps(value) if is_dataclass(value) else json.dumps(value, allow_nan=False))
