"""What `scratchpad inspect` tells of a model: its family, its geometry for one image, where an SAE can be hooked, what it needs.

In: a `Vlm`, a picture. Out: an `Inspection`, which is what `--json` prints.
"""

from __future__ import annotations

from typing import TypedDict

from PIL import Image

from scratchpad.records.hookpoint import PROJECTOR, language, vision
from scratchpad.vlm.check import check
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.memory import needed_bytes, readable
from scratchpad.vlm.prepare import prepare


class ImageFacts(TypedDict):
    """The picture that was looked at."""

    size: list[int]  # h, w in pixels
    given: bool  # False: a grey one


class TileFacts(TypedDict):
    """A tile of patches."""

    box: list[float]  # (y0, x0, y1, x1) in pixels of the picture
    rows: int
    cols: int


class HookModule(TypedDict):
    """A hook point at which an SAE can read, and the module that puts out what passes there (the projector: that takes it in)."""

    at: str
    module: str


class Checked(TypedDict):
    """What the Jacobian says of the geometry."""

    tokens: int  # image tokens checked
    of: int
    wrong: list[int]  # those made of other patches than declared
    holds: bool


class Inspection(TypedDict):
    """A model and its geometry for one picture."""

    model: str
    family: str
    model_type: str
    vision_layers: int
    width: int  # d
    read_layer: int  # the last whose output has an effect
    read_layers: list[int]
    image: ImageFacts
    tiles: list[TileFacts]
    rows: int  # of the first tile
    cols: int
    patches: int
    image_tokens: int
    hook_points: list[HookModule]
    memory_bytes: int
    set_aside: list[str]  # of its generation config: answers are greedy, without it
    check: Checked | None  # None: not asked for


BLANK = (480, 640)  # h, w of the picture used when none is given


def inspect(vlm: Vlm, image: Image.Image | None = None, checked: bool = False) -> Inspection:
    """Geometry of one image (a grey one of BLANK pixels if none is given); with `checked`, proved by the Jacobian.

    Raises:
        UserError: the geometry of such an image can't be known.
    """
    picture = image or Image.new("RGB", (BLANK[1], BLANK[0]), (127, 127, 127))
    prepared = prepare(vlm, picture, "What is in the picture?")
    grid = prepared.grid
    read = vlm.adapter.read_layers
    out: Inspection = {
        "model": vlm.name,
        "family": vlm.adapter.family,
        "model_type": vlm.model.config.model_type,
        "vision_layers": len(vlm.blocks),
        "width": vlm.width,
        "read_layer": vlm.read_layer,
        "read_layers": list(read),
        "image": {"size": [picture.height, picture.width], "given": image is not None},
        "tiles": [{"box": list(tile.box), "rows": tile.rows, "cols": tile.cols} for tile in grid.tiles],
        "rows": grid.tiles[0].rows,
        "cols": grid.tiles[0].cols,
        "patches": grid.patches,
        "image_tokens": grid.image_tokens,
        "hook_points": _hook_points(vlm),
        "memory_bytes": needed_bytes(vlm.model.config, vlm.model.dtype),
        "set_aside": list(vlm.aside),
        "check": None,
    }
    if checked:
        result = check(vlm, prepared)
        out["check"] = {"tokens": result.tokens, "of": result.of, "wrong": list(result.wrong), "holds": result.holds}
    return out


def _hook_points(vlm: Vlm) -> list[HookModule]:
    names = {module: name for name, module in vlm.model.named_modules()}
    modules = [(vision(i), vlm.blocks[i]) for i in range(vlm.read_layer + 1)]
    modules += [(PROJECTOR, vlm.adapter.language_model)]
    modules += [(language(i), block) for i, block in enumerate(vlm.adapter.language_blocks)]
    return [{"at": str(at), "module": names[module]} for at, module in modules]


def lines(report: Inspection) -> list[str]:
    """What `inspect` returns, a line for each fact, for people."""
    tiles, hooks = report["tiles"], report["hook_points"]
    shape = f"{report['rows']} x {report['cols']}"
    size = "{} x {} px".format(*report["image"]["size"])
    also = [layer for layer in report["read_layers"] if layer != report["read_layer"]]
    out = [
        f"family          {report['family']} ({report['model_type']})",
        f"vision layers   {report['vision_layers']}, width {report['width']}",
        f"layer read      {report['read_layer']}" + (f", and on the way {', '.join(map(str, also))}" if also else ""),
        f"image           {size}" + ("" if report["image"]["given"] else " (a grey one: give --image to see yours)"),
        f"tiles           {len(tiles)} of {shape} patches (rows x cols), {report['patches']} patches",
        f"image tokens    {report['image_tokens']}",
        f"hook points     {hooks[0]['at']} ({hooks[0]['module']}) to vision.{report['read_layer']}, later ones have no effect; projector; "
        f"language.0 to {hooks[-1]['at']} ({hooks[-1]['module']})",
        f"memory          about {readable(report['memory_bytes'])}",
    ]
    if report["set_aside"]:
        out.append(f"answers         greedy, without what its generation config asks for: {', '.join(report['set_aside'])}")
    if report["check"]:
        result = report["check"]
        verdict = "holds" if result["holds"] else f"FAILS at image tokens {result['wrong'][:10]}"
        out.append(f"geometry        {verdict}, checked by the Jacobian on {result['tokens']} of {result['of']} image tokens")
    return out
