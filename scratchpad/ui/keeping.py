"""What KEEP does: cases made, opened, replayed, handed out as files. Opening one needs no model.

A visitor says which edits were made; every number in a case is computed here again.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from scratchpad.analysis.edit import ablation
from scratchpad.benches import Benches
from scratchpad.cases.bundle import Bundle, pack
from scratchpad.cases.record import Experiment, record, replay
from scratchpad.cases.shelf import find
from scratchpad.cases.store import Store
from scratchpad.cases.tables import attention_png, tables
from scratchpad.errors import UserError
from scratchpad.images import load_images
from scratchpad.panels import data_url
from scratchpad.records import Edit, LatentEdit
from scratchpad.ui import export
from scratchpad.ui.held import same
from scratchpad.ui.texts import short
from scratchpad.ui.told import told
from scratchpad.workbench import Workbench

SHELF = 24  # cases in the gallery
THUMB = 160  # px
EDITS = 4096  # latents in one edit


class Keeping:
    """The functions of KEEP, over the shelf of stores and the workbench, if a model is loaded."""

    def __init__(self, shelf: list[Store], benches: Benches | None):
        self.shelf, self.benches = shelf, benches
        self._thumbs: dict[str, str] = {}

    def keep(self, asked: dict[str, Any] | None, event: dict[str, Any]) -> str:
        """Makes a case of what is on show; {"id", "key"} or {"error"} as JSON text."""

        def act() -> dict[str, Any]:
            if self.benches is None:
                raise UserError("Nothing was asked yet; ask a question about an image first.")
            shown = same(asked, event)
            bench, pictures = self.benches.of(shown.get("choice")), load_images(shown["images"])
            found = bench.analyze(pictures, shown["prompt"])
            tests = [_tested(bench, found, run) for run in _listed(event.get("runs"))]
            made = record(bench, pictures, found, tests, _text(event.get("title")), _text(event.get("notes")))
            case, key = self.shelf[-1].put(made, event.get("listed") is True)
            return {"id": case, "key": key, "listed": self.listed()}

        return told(act)

    def open(self, case: str) -> tuple[str, Bundle]:
        """What the panels draw for a case, and the case.

        Raises:
            UserError: there is none, or it is damaged.
        """
        made = find(self.shelf, case)
        return json.dumps(export.shown(made)), made

    def first(self) -> dict[str, Any]:
        """What KEEP knows when a page opens."""
        return {"listed": self.listed(), "runs": self.benches is not None}

    def replay(self, case: str) -> str:
        """Runs a case again; {"again": a `Replay`} or {"error"} as JSON text."""

        def act() -> dict[str, Any]:
            if self.benches is None:
                raise UserError("This server has no model loaded; open the case where there is one.")
            made = find(self.shelf, _text(case))
            found = replay(made, self.benches.of(self.benches.like(made.case.model.name, made.case.sae.name)))
            return {"again": asdict(found) | {"agrees": found.agrees}}

        return told(act)

    def file(self, wanted: str) -> dict[str, Any]:
        """ "id/kind" as a file: {"name", "kind", "data" (base64)}.

        Raises:
            UserError: there is no such case, or it isn't made into such a file.
        """
        case, _, kind = _text(wanted).partition("/")
        made = find(self.shelf, case)
        makers: dict[str, tuple[str, Callable[[Bundle], bytes]]] = {
            "case": ("application/zip", pack),
            "html": ("text/html", lambda made: export.page(made).encode()),
            "png": ("image/png", attention_png),
            "zip": ("application/zip", _zipped),
        }
        if kind not in makers:
            raise UserError(f"{kind!r} was asked for; expected one of {', '.join(makers)}.")
        mime, make = makers[kind]
        return {"name": f"{case[:12]}.{kind}", "kind": mime, "data": base64.b64encode(make(made)).decode()}

    def listed(self) -> list[dict[str, str]]:
        """The gallery: id, title and a small picture each."""
        rows = [row for store in self.shelf for row in store.listed()][:SHELF]
        return [{"id": row.id, "title": row.title, "image": self._thumb(row.id)} for row in rows]

    def _thumb(self, case: str) -> str:
        if case not in self._thumbs:
            try:
                picture = find(self.shelf, case).pictures()[0]
            except UserError:
                return ""
            picture.thumbnail((THUMB, THUMB))
            self._thumbs[case] = data_url(picture)
        return self._thumbs[case]


def _tested(bench: Workbench, found: Any, run: Any) -> Experiment:
    if not isinstance(run, dict):
        raise UserError("A kept test is an edit; make it again.")
    target = short(run.get("target"), "An expected answer")
    if run.get("smallest") is True:
        least = bench.suffice(found, target)
        if least.flipped:
            return Experiment(ablation(least.latents), least, target)
    items = _listed(run.get("items"))
    if len(items) > EDITS:
        raise UserError(f"An edit of {len(items)} latents was given; at most {EDITS} are kept.")
    return Experiment(Edit(tuple(_item(item) for item in items), keep_error=run.get("keep_error") is not False), None, target)


def _item(item: Any) -> LatentEdit:
    try:
        region = None if item["region"] is None else tuple(float(x) for x in item["region"])
        if item["op"] not in ("set", "scale", "add") or (region is not None and len(region) != 4):
            raise ValueError
        image = None if item.get("image") is None else int(item["image"])
        return LatentEdit(int(item["latent"]), item["op"], float(item["value"]), region, image)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UserError("A kept test is an edit of latents; make it again.") from error


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _zipped(made: Bundle) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables(made).items():
            archive.writestr(name, text)
    return buffer.getvalue()
