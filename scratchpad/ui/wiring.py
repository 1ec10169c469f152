"""Which action calls which handler, and what it fills. Requests that take long tell how far they are and can be stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from scratchpad.errors import UserError
from scratchpad.images import save_upload
from scratchpad.progress import Step
from scratchpad.ui.export import title
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import Asked
from scratchpad.ui.jobs import Jobs
from scratchpad.ui.keeping import Keeping
from scratchpad.ui.layout import Parts, header, running, trouble
from scratchpad.ui.studies import Studies
from scratchpad.ui.told import refusal
from scratchpad.ui.upload import paths
from scratchpad.ui.visitors import Limit, visitor
from scratchpad.ui.zero import on_gpu

BUSY = """(...values) => {
  if (window.Scratchpad) { Scratchpad.set({ busy: true }); values[3] = Scratchpad.next('ask'); }
  return values;
}"""
TESTED = "() => { if (window.Scratchpad) Scratchpad.set({ testing: false, progress: null }); }"
KEPT = "() => { const kept = window.Scratchpad && Scratchpad.state.kept; if (kept) document.title = kept.title; }"
READY = "() => { if (window.Scratchpad) Scratchpad.set({ busy: false }); }"
LOST = "() => { if (window.Scratchpad) Scratchpad.lost('%s'); }"  # what Gradio itself refuses: a full queue, a file that is no picture
Gallery = list[tuple[str, str | None]] | None  # what gr.Gallery hands over
STOPPED = "Stopped. Nothing was changed."


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

    def ask(self, path: str | None, text: str, choice: str, ticket: str, more: Gallery, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """(analysis, status line, what was asked), again and again until it's there."""
        act = on_gpu(self.handlers.ask)
        try:
            self.limit.check(visitor(request, self.proxies))
        except UserError as error:
            yield gr.skip(), trouble(str(error)), gr.skip()
            return
        for told in self.jobs.follow(ticket, lambda: act([*([path] if path else []), *paths(more)], text, choice)):
            if isinstance(told, Step):
                yield gr.skip(), running(told), gr.skip()
            elif told.value is None:
                yield gr.skip(), trouble(STOPPED), gr.skip()
            else:
                found, said, now = told.value
                yield (found, "", now) if found else (gr.skip(), trouble(said), gr.skip())

    def example(self, choice: str, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """As `ask`, of an example: its picture and question first."""
        data = event._data or {}
        path, text = self.examples[int(data.get("example", 0)) % len(self.examples)]
        for told in self.ask(path, text, choice, str(data.get("ticket", "")), None, request):
            yield path, None, text, *told

    def test(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """The comparison as JSON text, {"progress"} before it."""
        yield from self._followed(self.handlers.test, now, event, request)

    def stages(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """What PROCESSING shows, as JSON text."""
        yield from self._followed(self.studies.stages, now, event, request)

    def layers(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """What LAYERS shows, as JSON text."""
        yield from self._followed(self.studies.layers, now, event, request)

    def needle(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        """What NEEDLE shows, as JSON text."""
        yield from self._followed(self.studies.needle, now, event, request)

    def _followed(
        self, handler: Callable[[Asked | None, dict[str, Any]], str], now: Asked | None, event: gr.EventData, request: gr.Request
    ) -> Iterator[str]:
        data, act = dict(event._data or {}), on_gpu(handler)
        try:
            self.limit.check(visitor(request, self.proxies))
        except UserError as error:
            yield refusal(str(error))
            return
        for told in self.jobs.follow(str(data.get("ticket", "")), lambda: str(act(now, data))):
            if isinstance(told, Step):
                yield json.dumps({"progress": asdict(told)})
            else:
                yield told.value or refusal(STOPPED)

    def open(self, request: gr.Request) -> tuple[Any, ...]:
        """What a page shows when it opens: /?case=ID, or the first example."""
        first = self.keeping.first()
        case = request.query_params.get("case", "")
        if not case:
            said = "" if self.handlers.benches else "No model is loaded here; open a case from the gallery."
            return gr.skip(), gr.skip(), json.dumps(first | ({"error": said} if said else {}))
        try:
            drawn, made = self.keeping.open(case)
            return title(made), drawn, json.dumps(first)
        except UserError as error:
            return gr.skip(), gr.skip(), json.dumps(first | {"error": str(error)})

    def keep(self, now: Asked | None, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Keeps what is on show, runs a case again, or goes on from one; {"progress"} before it."""
        wanted, same = dict(event._data or {}), [gr.skip()] * 8
        act = {"fork": self._fork, "replay": self._again}.get(str(wanted.get("do")), self._keep)
        try:
            self.limit.check(visitor(request, self.proxies))
            for told in self.jobs.follow(str(wanted.get("ticket", "")), lambda: act(now, wanted)):
                if isinstance(told, Step):
                    yield *same, json.dumps({"progress": asdict(told)})
                else:
                    yield told.value or (*same, refusal(STOPPED))
        except UserError as error:
            yield *same, refusal(str(error))

    def _keep(self, now: Asked | None, wanted: dict[str, Any]) -> tuple[Any, ...]:
        return *[gr.skip()] * 8, on_gpu(self.keeping.keep)(now, wanted)

    def _again(self, now: Asked | None, wanted: dict[str, Any]) -> tuple[Any, ...]:
        return *[gr.skip()] * 8, on_gpu(self.keeping.replay)(str(wanted.get("case")))

    def _fork(self, now: Asked | None, wanted: dict[str, Any]) -> tuple[Any, ...]:
        _, made = self.keeping.open(str(wanted.get("case")))
        benches = self.handlers.benches
        choice = benches.like(made.case.analysis.model.name, made.case.analysis.sae.name) if benches else ""
        files = [str(save_upload(image)) for image in made.images]
        found, said, asked = on_gpu(self.handlers.ask)(files, made.case.analysis.question.prompt, choice)
        if found is None:
            raise UserError(said)
        head = header(self.handlers.bench(choice))
        further, rest = gr.Accordion(open=len(files) > 1), files[1:]
        return head, choice, files[0], further, rest, made.case.analysis.question.prompt, found, asked, json.dumps({"forked": True})


def wire(actions: Actions, parts: Parts, page: gr.Blocks) -> None:
    """Binds actions to components. Where Gradio itself fails, it tells `failure` and not `then`."""
    ask = parts.ask
    queued: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": [ask.status], "concurrency_id": "model"}
    shown = [parts.look, ask.status, parts.asked]
    given = [ask.image, ask.prompt, ask.choice, ask.ticket, ask.more]

    def head(choice: str) -> str:
        return header(actions.handlers.bench(choice))

    def asks(on: Callable[..., Any], **how: Any) -> Any:
        return settled(on(actions.ask, given, shown, js=BUSY, **how, **queued), "look", READY)

    def settled(event: Any, panel: str, done: str | None = None) -> Any:
        event.failure(None, js=LOST % panel)
        return event.then(None, js=done) if done else event

    asks(ask.go.click, api_name="ask")
    asks(ask.prompt.submit, api_visibility="private")
    chosen = asks(ask.choice.input, api_visibility="private")
    chosen.then(head, [ask.choice], [parts.head], show_progress="hidden", api_visibility="private")
    filled: list[Any] = [ask.image, ask.more, ask.prompt, *shown]
    settled(ask.strip.select(actions.example, [ask.choice], filled, api_visibility="private", **queued), "look", READY)
    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    settled(parts.test.select(actions.test, [parts.asked], [parts.test], concurrency_id="model", **hidden), "test", TESTED)
    for name in ("layers", "stages", "needle"):
        part = getattr(parts, name)
        settled(part.select(getattr(actions, name), [parts.asked], [part], concurrency_id="model", **hidden), name)
    page.load(actions.open, None, [parts.head, parts.look, parts.keep], **hidden).then(None, js=KEPT)
    filled = [parts.head, ask.choice, ask.image, ask.further, ask.more, ask.prompt, parts.look, parts.asked, parts.keep]
    settled(parts.keep.select(actions.keep, [parts.asked], filled, concurrency_id="model", **hidden), "keep")
