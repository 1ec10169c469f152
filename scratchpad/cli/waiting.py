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
    """What is under way, as heard last: a step, and the outer one that it is a part of."""

    def __init__(self, clock: float) -> None:
        self.began = clock
        self.step = self.main = Step("loading")
        self.stage, self.first = clock, 0  # when what is under way as a whole began, and how much of it was done then

    def hear(self, step: Step, now: float) -> None:
        """A step that came at a time."""
        self.step = step
        if self.main.outer and not step.outer and not 0 < self.main.of <= self.main.done:
            return  # a part
        if step.what != self.main.what or step.done < self.main.done:
            self.stage, self.first = now, step.done
        self.main = step

    def says(self, now: float) -> str:
        """Such as "testing, 3 of 32, 12 s in all, about 40 s left of this"; what is left is said once a part is done."""
        main = self.main
        parts = [*_where(main), f"{_duration(now - self.began)} in all"]
        done = main.done - self.first
        if done > 0 and main.done < main.of:
            parts.append(f"about {_duration((now - self.stage) / done * (main.of - main.done))} left of this")
        within = "" if self.step is main else f" ({' '.join(_where(self.step))})"
        return ", ".join(parts) + within


def _where(step: Step) -> list[str]:
    if step.of:
        return [step.what, f"{step.done} of {step.of}"]
    return [step.what, str(step.done)] if step.done else [step.what]


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
