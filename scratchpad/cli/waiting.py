"""Signs of life of a command that takes long, on standard error: what is under way, how far, for how long, and how long it will take.

On a terminal one line that is written over; elsewhere, such as in a pipe or a log, a line every EVERY seconds. Quick commands are
over before the first. A thread of its own says it, as a single step of a large model may take longer than that.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from scratchpad.progress import Step, listening

EVERY = 8.0  # s
ON_TERMINAL = 1.0  # s


class Waiting:
    """What is under way, as heard last."""

    def __init__(self, clock: float) -> None:
        self.began = self.stage = clock  # of the command and of the step's kind
        self.step = Step("loading")

    def hear(self, step: Step, now: float) -> None:
        """A step that came at a time."""
        if step.what != self.step.what or step.done < self.step.done:
            self.stage = now
        self.step = step

    def says(self, now: float) -> str:
        """Such as "testing, 3 of 32, 12 s in all, about 40 s left of this"; what is left is said once a part is done."""
        step, parts = self.step, [self.step.what]
        if step.of:
            parts.append(f"{step.done} of {step.of}")
        elif step.done:
            parts.append(str(step.done))
        parts.append(f"{_duration(now - self.began)} in all")
        if 0 < step.done < step.of:
            parts.append(f"about {_duration((now - self.stage) / step.done * (step.of - step.done))} left of this")
        return ", ".join(parts)


@contextmanager
def waiting(out: TextIO | None = None, every: float | None = None) -> Iterator[None]:
    """Within, signs of life go to `out` (standard error) every so many seconds."""
    stream = out or sys.stderr
    over = stream.isatty()
    pause = every or (ON_TERMINAL if over else EVERY)
    state, ended, width = Waiting(time.monotonic()), threading.Event(), 0

    def tell() -> None:
        nonlocal width
        while not ended.wait(pause):
            line = f"scratchpad: {state.says(time.monotonic())}"
            try:
                stream.write(f"\r{line:<{width}}" if over else f"{line}\n")
                stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                return
            width = max(width, len(line))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        with listening(lambda step: state.hear(step, time.monotonic())):
            yield
    finally:
        ended.set()
        teller.join()
        if over and width:  # what the command prints begins at the edge
            stream.write(f"\r{'':<{width}}\r")
            stream.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
