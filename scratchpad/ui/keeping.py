"""What KEEP does: cases made, opened, replayed, handed out as files. Opening one needs no model.

A visitor says which edits were made; every number in a case is computed here again.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace

from scratchpad.benches import Benches
from scratchpad.cases.bundle import Bundle, pack
from scratchpad.cases.case import MAX_TESTS
from scratchpad.cases.record import record, replay
from scratchpad.cases.shelf import find
from scratchpad.cases.store import Store
from scratchpad.cases.tables import attention_png, tables
from scratchpad.errors import UserError
from scratchpad.records import Analysis, Test, dump
from scratchpad.records.edit import ablation
from scratchpad.ui import export
from scratchpad.ui.envelope import data_url, key_of, opened
from scratchpad.ui.handlers import VERIFIED, Handlers, read_edit, read_sampling, read_target
from scratchpad.ui.held import Asked, Event
from scratchpad.ui.replies import answered
from scratchpad.workbench import Workbench

MAX_SHOWN = 24  # cases in the gallery
THUMB = 160  # px


class Keeping:
    """The functions of KEEP, over the shelf of stores and the workbench, if a model is loaded."""

    def __init__(self, shelf: list[Store], handlers: Handlers):
        self.shelf, self.handlers = shelf, handlers
        self._thumbs: dict[str, str] = {}

    @property
    def benches(self) -> Benches | None:
        """What is offered; None where this server shows cases alone."""
        return self.handlers.benches

    def keep(self, asked: Asked | None, event: Event) -> str:
        """Makes a case of what is on show; {"id", "delete_key"} or {"error"} as JSON text."""

        def act() -> dict[str, object]:
            bench, analysis = self.handlers.analysis(asked, event)
            given = event.get("tests")
            if given is not None and (not isinstance(given, list) or len(given) > MAX_TESTS):
                raise UserError(f"A case holds a list of at most {MAX_TESTS} tests.")
            made = record(
                bench,
                analysis,
                [_tested(bench, analysis, test) for test in given or []],
                _text(event.get("title")),
                _text(event.get("notes")),
                bench.verify(analysis, VERIFIED) if event.get("verified") is True else None,
                bench.diagnose(analysis, read_target(event)) if event.get("diagnosed") is True else None,
            )
            case, key = self.shelf[-1].put(made, event.get("listed") is True)
            return {"id": case, "delete_key": key, "listed": self.listed()}

        return answered(act)

    def open(self, case: str) -> tuple[str, Bundle]:
        """What the panels draw for a case, and the case.

        Raises:
            UserError: there is none, or it is damaged.
        """
        bundle = find(self.shelf, case)
        return json.dumps(opened(bundle)), bundle

    def recorded(self, key: str) -> dict[str, object] | None:
        """The first test, and the grey picture's answer, of a case that ships with the code and is of this very analysis.

        Args:
            key: `key_of` an analysis: model, SAE and question, all by their content.
        """
        for store in self.shelf:
            cases = [] if store.writable else [store.get(row.id).case for row in store.listed()]
            for case in cases:
                if case.tests and key_of(case.analysis) == key:
                    return {"test": dump(case.tests[0]), "blank": dump(case.analysis.blank)}
        return None

    def first(self) -> dict[str, object]:
        """What KEEP knows when a page opens."""
        return {"listed": self.listed(), "runs": self.benches is not None}

    def replay(self, case: str) -> str:
        """Runs a case again; {"again": a `Replay`} or {"error"} as JSON text."""

        def act() -> dict[str, object]:
            if self.benches is None:
                raise UserError("This server has no model loaded; open the case where there is one.")
            bundle = find(self.shelf, _text(case))
            analysis = bundle.case.analysis
            again = replay(bundle, self.benches.of(self.benches.like(analysis.model.name, analysis.sae.name)))
            return {"again": asdict(again) | {"agrees": again.agrees}}

        return answered(act)

    def file(self, wanted: object) -> dict[str, object]:
        """ "id/kind" as a file: {"name", "kind", "data" (base64)}.

        Raises:
            UserError: there is no such case, or it isn't made into such a file.
        """
        case, _, kind = _text(wanted).partition("/")
        bundle = find(self.shelf, case)
        makers: dict[str, tuple[str, Callable[[Bundle], bytes]]] = {
            "case": ("application/zip", pack),
            "html": ("text/html", lambda bundle: export.page(bundle).encode()),
            "png": ("image/png", attention_png),
            "zip": ("application/zip", _zipped),
        }
        if kind not in makers:
            raise UserError(f"{kind!r} was asked for; expected one of {', '.join(makers)}.")
        mime, make = makers[kind]
        return {"name": f"{case[:12]}.{kind}", "kind": mime, "data": base64.b64encode(make(bundle)).decode()}

    def listed(self) -> list[dict[str, str]]:
        """The gallery: id, title and a small picture each."""
        rows = [row for store in self.shelf for row in store.listed()][:MAX_SHOWN]
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


def _tested(bench: Workbench, analysis: Analysis, test: object) -> Test:
    """A test as its page describes it, made again."""
    if not isinstance(test, dict):
        raise UserError("A kept test is an edit; make it again.")
    target = read_target(test)
    if test.get("smallest") is True:
        least = bench.suffice(analysis, target)
        if least.flipped:
            return replace(bench.test(analysis, ablation(least.ids), target), sufficient=least)
    return bench.test(analysis, read_edit(test.get("edit")), target, read_sampling(test))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _zipped(bundle: Bundle) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables(bundle).items():
            archive.writestr(name, text)
    return buffer.getvalue()
