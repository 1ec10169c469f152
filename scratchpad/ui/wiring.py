"""Which line calls which handler, and what it fills. Requests that take long tell how far they are and can be stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypedDict

import gradio as gr
from gradio.events import Dependency

from scratchpad.errors import UserError
from scratchpad.images import save_upload
from scratchpad.progress import Step
from scratchpad.records import Settings
from scratchpad.ui.handlers import Handlers, read_settings
from scratchpad.ui.held import Asked, Event
from scratchpad.ui.jobs import Jobs
from scratchpad.ui.keeping import Keeping
from scratchpad.ui.layout import Parts, running
from scratchpad.ui.replies import refusal
from scratchpad.ui.studies import Studies
from scratchpad.ui.upload import Gallery, paths, uploaded
from scratchpad.ui.visitors import Limit, visitor
from scratchpad.ui.zero import on_gpu

DONE = "() => { if (window.Scratchpad) Scratchpad.done('%s'); }"
LOST = "() => { if (window.Scratchpad) Scratchpad.lost('%s'); }"  # what Gradio itself refuses, such as a full queue
STOPPED = "Stopped. Nothing was changed."
STUDIES = ("layers", "heads", "steer", "tree", "place", "stages", "needle", "influence")


class Hidden(TypedDict):
    """How Gradio is told to run an action: one at a time, with none of its own signs of progress."""

    show_progress: Literal["hidden"]
    concurrency_id: str


class Private(Hidden):
    """And that it's no endpoint."""

    api_visibility: Literal["private"]


@dataclass(frozen=True)
class Actions:
    """The page's actions, over the handlers; those that run the model count against their visitor's limit."""

    handlers: Handlers
    keeping: Keeping
    studies: Studies
    examples: list[tuple[str, str]]
    jobs: Jobs
    limit: Limit
    proxies: int

    def ask(self, before: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[tuple[object, ...]]:
        """(analysis, status, what was asked), again and again until it's there."""
        data = dict(event._data or {})
        try:
            images = [self._picture(ref, before, data.get("key")) for ref in _listed(data.get("images"))]
            settings = read_settings(data)
        except UserError as error:
            yield gr.skip(), refusal(str(error)), gr.skip()
            return
        asked = _text(data.get("prompt")), _text(data.get("choice")), settings
        yield from self._ask(images, asked, _text(data.get("ticket")), request)

    def ask_page(
        self, path: str | None, text: str, choice: str, ticket: str, more: Gallery, request: gr.Request
    ) -> Iterator[tuple[object, ...]]:
        """As `ask`, of uploaded pictures: what /ask calls."""
        for value, status, _ in self._ask([*([path] if path else []), *paths(more)], (text, choice, None), ticket, request):
            yield value, status

    def _ask(
        self, images: list[str], asked: tuple[str, str, Settings | None], ticket: str, request: gr.Request
    ) -> Iterator[tuple[object, ...]]:
        """`asked` is question, choice and settings."""
        act = on_gpu(self.handlers.ask)
        try:
            self.limit.check(visitor(request, self.proxies))
        except UserError as error:
            yield gr.skip(), refusal(str(error)), gr.skip()
            return
        for message in self.jobs.follow(ticket, lambda: act(images, *asked)):
            if isinstance(message, Step):
                yield gr.skip(), running(message), gr.skip()
            elif message.value is None:
                yield gr.skip(), refusal(STOPPED), gr.skip()
            else:
                value, sentence, now = message.value
                yield (value, "", now) if value else (gr.skip(), refusal(sentence), gr.skip())

    def _picture(self, ref: object, before: Asked | None, key: object) -> str:
        """The file of a picture in the question bar: an upload, an example, or one of the answer on show.

        Raises:
            UserError: it is none of them.
        """
        ref = ref if isinstance(ref, dict) else {}
        known = before if before and before.key == key else None
        for name, files in (("example", [path for path, _ in self.examples]), ("shown", known.images if known else ())):
            n = ref.get(name)
            if type(n) is int and 0 <= n < len(files):
                return files[n]
        if "shown" in ref:
            raise UserError("The server no longer has this picture (it was started anew, or your session ended): add it again.")
        return uploaded(ref.get("upload"))

    def test(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """What TEST shows, as JSON text, {"progress"} before it."""
        yield from self._followed(self.handlers.test, now, event, request)

    def study(self, name: str) -> Callable[..., Iterator[str]]:
        """What LAYERS, ATTENTION, LATENT, CLUSTERS, a region, PROCESSING, NEEDLE or from layer to layer shows, as JSON text."""
        handler = getattr(self.studies, name)

        def follow(now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
            yield from self._followed(handler, now, event, request)

        return follow

    def beside(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """What COMPARE shows, as JSON text: what is on show beside an answer to other pictures, another question, or by another SAE."""

        def act(asked: Asked | None, data: Event) -> str:
            try:
                images = [self._picture(ref, asked, data.get("key")) for ref in _listed(data.get("images"))]
            except UserError as error:
                return refusal(str(error))
            return self.studies.compare(asked, data, images)

        yield from self._followed(act, now, event, request)

    def _followed(
        self, handler: Callable[[Asked | None, Event], str], now: Asked | None, event: gr.EventData, request: gr.Request
    ) -> Iterator[str]:
        data, act = dict(event._data or {}), on_gpu(handler)
        try:
            self.limit.check(visitor(request, self.proxies))
        except UserError as error:
            yield refusal(str(error))
            return
        for message in self.jobs.follow(_text(data.get("ticket")), lambda: str(act(now, data))):
            yield running(message) if isinstance(message, Step) else message.value or refusal(STOPPED)

    def open(self, request: gr.Request) -> tuple[object, ...]:
        """(analysis, KEEP) as a page opens: /?case=ID, or what it shows first."""
        first = self.keeping.first()
        case = request.query_params.get("case", "")
        if not case:
            return gr.skip(), json.dumps(first)
        try:
            drawn, _ = self.keeping.open(case)
            return drawn, json.dumps(first)
        except UserError as error:
            return gr.skip(), json.dumps(first | {"error": str(error)})

    def keep(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[tuple[object, ...]]:
        """(analysis, what was asked, KEEP): keeps what is on show, runs a case again, or goes on from one."""
        wanted, same = dict(event._data or {}), [gr.skip()] * 2
        acts = {"fork": self._fork, "replay": self._again, "keep": self._keep}
        act = acts.get(_text(wanted.get("do")), self._keep)
        try:
            self.limit.check(visitor(request, self.proxies))
            for message in self.jobs.follow(_text(wanted.get("ticket")), lambda: act(now, wanted)):
                if isinstance(message, Step):
                    yield *same, running(message)
                else:
                    yield message.value or (*same, refusal(STOPPED))
        except UserError as error:
            yield *same, refusal(str(error))

    def _keep(self, now: Asked | None, wanted: Event) -> tuple[object, ...]:
        return *[gr.skip()] * 2, on_gpu(self.keeping.keep)(now, wanted)

    def _again(self, now: Asked | None, wanted: Event) -> tuple[object, ...]:
        return *[gr.skip()] * 2, on_gpu(self.keeping.replay)(_text(wanted.get("case")))

    def _fork(self, now: Asked | None, wanted: Event) -> tuple[object, ...]:
        _, made = self.keeping.open(_text(wanted.get("case")))
        benches = self.handlers.benches
        choice = benches.like(made.case.analysis.model.name, made.case.analysis.sae.name) if benches else ""
        files = [str(save_upload(image)) for image in made.images]
        question = made.case.analysis.question
        value, sentence, asked = on_gpu(self.handlers.ask)(files, question.prompt, choice, question.settings)
        if value is None:
            raise UserError(sentence)
        return value, asked, json.dumps({"forked": True})


def wire(actions: Actions, parts: Parts, page: gr.Blocks) -> None:
    """Binds actions to lines. Where Gradio itself fails, it tells `failure` and not `then`."""
    lines, ask, asked = parts.lines, parts.ask, parts.asked
    hidden: Hidden = {"show_progress": "hidden", "concurrency_id": "model"}
    private: Private = {**hidden, "api_visibility": "private"}

    def settled(event: Dependency, line: str) -> None:
        event.failure(None, js=LOST % line)
        event.then(None, js=DONE % line)

    # before the page's own, whose function has the name that programs call it by
    given = [ask.image, ask.prompt, ask.choice, ask.ticket, ask.more]
    ask.go.click(actions.ask_page, given, [ask.analysis, ask.status], api_name="ask", **hidden)
    settled(lines["ask"].select(actions.ask, [asked], [lines["look"], lines["ask"], asked], **private), "ask")
    settled(lines["test"].select(actions.test, [asked], [lines["test"]], **private), "test")
    for name in STUDIES:
        settled(lines[name].select(actions.study(name), [asked], [lines[name]], **private), name)
    settled(lines["compare"].select(actions.beside, [asked], [lines["compare"]], **private), "compare")
    settled(lines["keep"].select(actions.keep, [asked], [lines["look"], asked, lines["keep"]], **private), "keep")
    page.load(actions.open, None, [lines["look"], lines["keep"]], show_progress="hidden", api_visibility="private")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
