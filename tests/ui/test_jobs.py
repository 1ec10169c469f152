"""Long requests: told step by step, stopped by their own visitor alone; and how much a visitor may ask."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from scratchpad.errors import UserError
from scratchpad.progress import Step, step
from scratchpad.ui.jobs import Done, Jobs
from scratchpad.ui.visitors import Limit, logins, visitor
from scratchpad.workbench import Workbench


def slow(steps: int) -> int:
    for n in range(steps):
        step("testing", n, steps)
        time.sleep(0.02)
    return steps


def test_steps_come_before_the_end() -> None:
    seen = threading.Event()

    def act() -> int:
        for n in range(5000):
            step("testing", n, 5000)
        seen.wait()
        return 5000

    told: list[Any] = []
    for message in Jobs().follow("a", act):
        told.append(message)
        seen.set()
    assert told[-1] == Done(5000)
    assert 1 <= len(told) - 1 < 5000  # thinned out
    assert all(isinstance(message, Step) for message in told[:-1])


def test_a_job_is_stopped_by_its_ticket_alone() -> None:
    jobs, begun = Jobs(), threading.Event()
    told: list[Any] = []

    def act() -> None:
        while True:  # until it's stopped
            begun.set()
            step("testing", 1, 2)

    thread = threading.Thread(target=lambda: told.extend(jobs.follow("mine", act)), daemon=True)
    thread.start()
    begun.wait()
    assert not jobs.stop("another")
    assert not jobs.stop({"not": "a ticket"})
    assert jobs.stop("mine")
    thread.join(300)
    assert not thread.is_alive()
    assert told[-1] == Done(None)
    assert not jobs.stop("mine")


def test_a_job_is_stopped_while_it_waits() -> None:
    jobs = Jobs()
    assert not jobs.stop("p/1")
    assert list(jobs.follow("p/1", lambda: slow(3))) == [Done(None)]
    assert list(jobs.follow("p/2", lambda: slow(3)))[-1] == Done(3)


def test_who_leaves_stops_the_job() -> None:
    going = threading.Event()

    def act() -> None:
        try:
            slow(500)
        finally:
            going.set()

    follow = Jobs().follow("", act)
    next(follow)
    follow.close()  # type: ignore[attr-defined]
    assert going.is_set()


def test_errors_come_out() -> None:
    def fail() -> None:
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        list(Jobs().follow("", fail))


def hooks(bench: Workbench) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in bench.vlm.model.modules())


def test_a_stopped_answer_leaves_the_model_as_it_was(bench: Workbench, scene_image: Any) -> None:
    jobs, question = Jobs(), "how many things do you see"
    bench.analyze(scene_image, "what is the background")  # transformers places hooks of its own in its first run
    before = hooks(bench)
    follow = jobs.follow("t", lambda: [bench.analyze(scene_image, f"{question} {n}") for n in range(9999)])  # longer than anyone waits
    first = next(follow)
    assert isinstance(first, Step)
    assert first.what == "answering"
    jobs.stop("t")
    assert list(follow)[-1] == Done(None)
    assert hooks(bench) == before
    assert bench.analyze(scene_image, question).run.answer == bench.answer(scene_image, question)


def test_a_limit_counts_a_minute_of_each_visitor() -> None:
    now = [0.0]
    limit = Limit(2, lambda: now[0])
    limit.check("a")
    now[0] = 30
    limit.check("a")
    limit.check("b")
    with pytest.raises(UserError, match="ask again in 31 s"):
        limit.check("a")
    now[0] = 60
    limit.check("a")
    Limit(0).check("a")


@pytest.mark.parametrize(("proxies", "seen"), [(0, "9.9.9.9"), (1, "3.3.3.3"), (2, "2.2.2.2"), (5, "9.9.9.9")])
def test_a_visitor_is_whom_the_owners_outermost_proxy_saw(proxies: int, seen: str) -> None:
    class Request:
        headers = {"x-forwarded-for": "1.1.1.1, 2.2.2.2, 3.3.3.3"}
        client = type("Client", (), {"host": "9.9.9.9"})

    assert visitor(Request(), proxies) == seen


def test_logins_are_pairs() -> None:
    assert logins("ann:a:b,bob:c") == [("ann", "a:b"), ("bob", "c")]
    assert logins("") is None
    with pytest.raises(UserError, match="NAME:PASSWORD"):
        logins("ann")
