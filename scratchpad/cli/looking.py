"""`scratchpad inspect`: what a model is made of, before anything is asked."""

from __future__ import annotations

import argparse

from scratchpad.cli.options import Commands, as_json, placement, show, where_and_how


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    look = commands.add_parser("inspect", help="a model's family, geometry, hook points and memory")
    look.add_argument("model", help="folder or hub id")
    look.add_argument("--image", help="the picture whose tiles are shown (default: a grey one)")
    look.add_argument("--check", action="store_true", help="prove the geometry by the Jacobian; exit code 1 if it fails")
    where_and_how(look)
    as_json(look)
    look.set_defaults(act=_inspect, waits=True)


def _inspect(options: argparse.Namespace) -> None:
    from scratchpad.images import load_image
    from scratchpad.vlm.inspect import inspect, lines
    from scratchpad.vlm.load import load_vlm

    picture = load_image(options.image) if options.image else None
    inspection = inspect(load_vlm(options.model, placement(options)), picture, options.check)
    show(inspection, options.json, lines(inspection))
    if inspection["check"] and not inspection["check"]["holds"]:
        raise SystemExit(1)
