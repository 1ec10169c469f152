"""Long requests under way: each tells how far it is, and ends when its visitor says so.

A job is known by a ticket that its page drew at random, another for each job, so that nobody can stop another's and a job
can be stopped while it waits in the queue.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from scratchpad.progress import Step, Stopped, listening

T = TypeVar("T")
APART = 0.12  # seconds between two signs of life that are passed on
MAX_REMEMBERED = 1000  # tickets of jobs that were stopped before they began
MAX_TICKET = 100  # characters of a ticket


@dataclass(frozen=True)
class Done(Generic[T]):
    """A job's end: its value, or None where it was stopped."""

    value: T | None


class Jobs:
    """The jobs of one server."""

    def __init__(self) -> None:
        self._stops: dict[str, threading.Event] = {}
        self._early: OrderedDict[str, None] = OrderedDict()  # tickets of jobs stopped before they began

    def follow(self, ticket: str, act: Callable[[], T]) -> Iterator[Step | Done[T]]:
        """Runs `act` in a thread of its own; yields its steps and, last, its end. Its errors are raised here.

        Whoever stops listening (a visitor who left) stops the job.
        """
        stop, messages = threading.Event(), queue.SimpleQueue[Step | Done[T] | BaseException]()

        def listen(step: Step) -> None:
            if stop.is_set():
                raise Stopped
            messages.put(step)

        def work() -> None:
            try:
                with listening(listen):
                    messages.put(Done(act()))
            except Stopped:
                messages.put(Done(None))
            except BaseException as error:
                messages.put(error)

        if ticket in self._early:
            yield Done(None)
            return
        if ticket:
            self._stops[ticket] = stop
        thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
        thread.start()
        try:
            yield from _newest(messages)
        finally:
            stop.set()
            thread.join()  # so that the next one doesn't wait for the model without being told
            if self._stops.get(ticket) is stop:
                del self._stops[ticket]

    def stop(self, ticket: object) -> bool:
        """Ends a visitor's own job at its next step, or before it begins; whether it was under way."""
        if not isinstance(ticket, str) or not 0 < len(ticket) <= MAX_TICKET:
            return False
        event = self._stops.get(ticket)
        if event is not None:
            event.set()
            return True
        self._early[ticket] = None
        while len(self._early) > MAX_REMEMBERED:
            self._early.popitem(last=False)
        return False


def _newest(messages: queue.SimpleQueue[Step | Done[T] | BaseException]) -> Iterator[Step | Done[T]]:
    """What a job tells, steps thinned out."""
    last = 0.0
    while True:
        item = messages.get()
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, Done):
            yield item
            return
        if time.monotonic() - last >= APART:
            last = time.monotonic()
            yield item
