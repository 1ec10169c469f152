"""What panels ask past the queue: to look something up, which runs no model, or to stop a job.

Each lookup counts against its visitor's limit, apart from the requests that run the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gradio as gr

from scratchpad.ui.replies import answered
from scratchpad.ui.visitors import Limit, visitor

READS = 40  # lookups a minute to one request that runs the model: a page that opens makes some twenty
Call = Callable[..., str]


def lookups(limit: Limit, proxies: int, *functions: Callable[[object], Mapping[str, object]]) -> list[Call]:
    """The functions as a panel calls them, by their names: one value in, JSON text out; {"error"} for bad input or one too many."""

    def counted(function: Callable[[object], Mapping[str, object]]) -> Call:
        def call(given: object, request: gr.Request) -> str:
            def act() -> Mapping[str, object]:
                limit.check(visitor(request, proxies))
                return function(given)

            return answered(act)

        call.__name__ = function.__name__
        return call

    return [counted(function) for function in functions]


def stopping(stop: Callable[[object], bool]) -> list[Call]:
    """The function that ends a job; nobody is kept from stopping what they began."""

    def call(given: object) -> str:
        return str(stop(given))

    call.__name__ = "stop"
    return [call]
