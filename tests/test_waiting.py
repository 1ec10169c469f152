"""Signs of life on standard error: what they say, and where they go. No time is waited for, only what is said."""

from __future__ import annotations

import io
import time

from scratchpad.cli.waiting import Waiting, waiting
from scratchpad.progress import Step, heard, step


class Terminal(io.StringIO):
    """Standard error of someone who looks."""

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """A pipe whose reader has left."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    def write(self, text: str) -> int:
        self.tried += 1
        raise BrokenPipeError


def until(out: io.StringIO, said: str) -> None:
    while said not in out.getvalue():
        time.sleep(0.001)


def test_what_is_left_is_of_the_stage_under_way() -> None:
    state = Waiting(100.0)
    assert state.says(109.0) == "loading, 9 s in all"
    state.hear(Step("answering", 3, text="a black c"), 150.0)
    assert state.says(151.0) == "answering, 3, 51 s in all"
    state.hear(Step("testing", 0, 32), 160.0)
    assert state.says(170.0) == "testing, 0 of 32, 1 min 10 s in all"
    state.hear(Step("testing", 8, 32), 180.0)
    assert state.says(180.0) == "testing, 8 of 32, 1 min 20 s in all, about 1 min 0 s left of this"
    state.hear(Step("testing", 0, 4), 190.0)  # another round, which has its own pace
    state.hear(Step("testing", 2, 4), 192.0)
    assert state.says(192.0).endswith("about 2 s left of this")


def test_a_part_is_said_beside_the_whole_and_takes_nothing_of_its_pace() -> None:
    state = Waiting(0.0)
    state.hear(Step("answering rows", 10, 30, outer=True), 100.0)  # a third was there from before
    state.hear(Step("ablating", 3, 8), 105.0)
    assert state.says(110.0) == "answering rows, 10 of 30, 1 min 50 s in all (ablating 3 of 8)"
    state.hear(Step("answering rows", 20, 30, outer=True), 150.0)
    assert state.says(150.0) == "answering rows, 20 of 30, 2 min 30 s in all, about 50 s left of this"
    state.hear(Step("answering rows", 30, 30, outer=True), 200.0)
    state.hear(Step("grouping"), 201.0)  # the whole is over
    assert state.says(202.0) == "grouping, 3 min 22 s in all"


def test_a_pipe_gets_lines_and_nothing_once_it_is_over() -> None:
    out = io.StringIO()
    with waiting(out, 0.001):
        until(out, "scratchpad: loading, ")
        step("testing", 3, 32)
        until(out, "scratchpad: testing, 3 of 32, ")
        assert heard()
    assert not heard()
    whole = out.getvalue()
    assert whole.endswith("\n")
    assert "\r" not in whole


def test_a_terminal_has_one_line_that_is_wiped() -> None:
    out = Terminal()
    with waiting(out, 0.001):
        step("testing", 3, 32)
        until(out, "testing, 3 of 32")
    assert "\n" not in out.getvalue()
    assert out.getvalue().rsplit("\r", 2)[1:] == [" " * max(map(len, out.getvalue().split("\r"))), ""]


def test_who_does_not_read_ends_nothing() -> None:
    out = Gone()
    with waiting(out, 0.001):
        while not out.tried:
            step("testing", 1, 100)
            time.sleep(0.001)
    assert out.tried == 1
