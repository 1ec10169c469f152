"""`scratchpad latents`: find latents by a word or by a place in an image, look at one, give it a name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, as_json, placement, show, where_and_how
from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.sae.index import Index


def add(commands: Commands) -> None:
    """Adds `latents`."""
    latents = commands.add_parser("latents", help="find latents by a word, or by a place in an image; rename them")
    latents.add_argument("--model", help="folder or hub id (default: the demo)")
    latents.add_argument("--sae", help="folder (default: the demo's last layer)")
    how = latents.add_mutually_exclusive_group(required=True)
    how.add_argument("--search", metavar="WORDS")
    how.add_argument("--image", help="an image; with --region the part of it")
    how.add_argument("--show", type=int, metavar="LATENT", help="everything the index knows of one")
    how.add_argument("--rename", metavar="LATENT=NAME")
    how.add_argument("--name-with", metavar="ENCODER", help="name every latent by an image-text encoder (CLIP, SigLIP), from --words")
    latents.add_argument("--words", help="a file of words, one a line")
    latents.add_argument("--prompt", default="a photo of a {}", help="what stands around a word (default: %(default)r)")
    latents.add_argument("--region", help="r0,c0,r1,c1 in pixels: rows and columns from the top left")
    where_and_how(latents)
    as_json(latents)
    latents.set_defaults(act=_latents)


def _latents(options: argparse.Namespace) -> None:
    from scratchpad.sae.directory import folder_of
    from scratchpad.sae.index import open_index
    from scratchpad.workbench import DEFAULT_SAE

    folder = folder_of(options.sae or DEFAULT_SAE)
    if options.image:
        return _at_place(options)
    index = open_index(folder)
    if index is None:
        raise UserError(f"{folder} has no index; make one with `scratchpad index`.")
    if options.rename:
        return _rename(folder, options.rename, index.latents.num_rows)
    if options.name_with:
        return _name(options, index, folder)
    if options.show is not None:
        row = index.row(options.show)
        if row is None:
            raise UserError(f"Latent {options.show} was asked for; the index has 0 to {index.latents.num_rows - 1}.")
        shown = [
            {"interval": r.interval, "activation": round(r.activation, 4), "labels": r.labels}
            for r in index.references(options.show, per_interval=3)
        ]
        value = vars(row) | index.detail(options.show) | {"references": shown}
        return show(value, options.json, [f"{name}: {v}" for name, v in value.items()])
    rows = [vars(row) for row in index.search(options.search)]
    lines = [f"{r['id']:>6}  {r['name']}" + (f"  AUROC {r['auroc']:.2f}" if r["auroc"] else f"  ({r['source']})") for r in rows]
    show({"latents": rows}, options.json, lines or [f"no latent is named after {options.search!r}"])


def _rename(folder: Path, text: str, latents: int) -> None:
    from scratchpad.sae.names import rename

    number, equals, name = text.partition("=")
    if not equals or not number.strip().isdigit() or int(number) >= latents:
        raise UserError(f"--rename was {text!r}; expected a latent from 0 to {latents - 1} and a name, for example 12=octopus.")
    rename(folder, int(number), name)
    print(f"latent {int(number)} is now {name.strip()!r}" if name.strip() else f"latent {int(number)} has its own name back")


def _name(options: argparse.Namespace, index: Index, folder: Path) -> None:
    import sys

    from scratchpad.sae.names import add_names
    from scratchpad.sae.naming import load_encoder, named, read_words

    if not options.words:
        raise UserError("--name-with needs words to choose from: give a file of them with --words.")
    if "{}" not in options.prompt:
        raise UserError(f"--prompt was {options.prompt!r}; expected {{}} where the word stands.")
    words, encoder = read_words(options.words), load_encoder(options.name_with)
    say = lambda latent: print(f"\rlatent {latent} of {index.latents.num_rows}", end="", file=sys.stderr)  # noqa: E731
    names = named(index, encoder, words, options.prompt, say)
    print(file=sys.stderr)
    added = add_names(folder, names)
    value = {"encoder": encoder.name, "named": added, "left": len(names) - added}
    show(value, options.json, [f"{added} latents named by {encoder.name}; {value['left']} that people named stay"])


def _at_place(options: argparse.Namespace) -> None:
    """Latents that fire in a part of an image and not elsewhere in it."""
    from scratchpad.cli.testing import box
    from scratchpad.images import load_image
    from scratchpad.records import dump
    from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

    bench = Workbench(options.model or DEFAULT_MODEL, options.sae or DEFAULT_SAE, placement(options))
    placed = bench.at_place(load_image(options.image), box(options.region) if options.region else None)
    lines = [f"{r.id:>6}  {r.name}  {r.inside:.3g} here, {r.outside:.3g} elsewhere" for r in placed.latents]
    show(dump(placed), options.json, lines or ["no latent is active there"])
