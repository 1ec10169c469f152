"""The attack in small: a few hundred hostile inputs over all doors of a real server under watch. `python -m tests.attack` is the whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scratchpad.reader import question_of
from scratchpad.ui.held import Asked, Seal
from tests.attack.hostile import POSTSCRIPT, Attack, event, uploaded
from tests.attack.restart import opened, remembered
from tests.attack.visitors import asked, crosstalk, memory, png
from tests.attack.watched import Watched, watched
from tests.ui.conftest import free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(tmp_path_factory.mktemp("attack"), free_port()) as one:
        yield one


def test_hostile_inputs_over_all_doors(server: Watched) -> None:
    attack = Attack(server, seed=1)
    for act, count in (("routes", 60), ("events", 40), ("lookups", 60), ("bodies", 60), ("pictures", 20), ("files", 100)):
        getattr(attack, act)(count)
    assert attack.wrong == []
    assert sum(attack.counts.values()) >= 340
    assert server.tracebacks() == []
    assert server.alive()
    assert crosstalk(server, 4) == []
    assert server.forbidden() == []


def test_a_page_of_another_process_is_told_to_ask_again_and_memory_is_read(server: Watched) -> None:
    """The rest of the attack, so that it goes on running through; too few requests to judge growth by."""
    assert len(opened(server)) > 64
    another = Seal().sealed(Asked(("/x.png",), "what animal is there", "0", "what the page shows"))
    assert remembered(server, another) == []
    assert all(size > 2**24 for size in memory(server, 4, largest=2e6, every=2))


def test_postscript_is_no_picture_whatever_it_is_called(server: Watched) -> None:
    ask = next(d["id"] for d in server.config["dependencies"] if d["api_name"] == "ask")
    for name in ("a.eps", "a.png", "a.jpg"):
        given = {"path": uploaded(server, POSTSCRIPT, name), "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        assert b"is not an image" in event(server, ask, [given, "what", "0", "", None])
    assert server.forbidden() == []


def test_the_watch_sees_what_it_should() -> None:
    """A hook that saw nothing would pass everything."""
    import os
    import subprocess
    import sys
    import tempfile

    from tests.attack.watched import HOOK

    with tempfile.NamedTemporaryFile() as log:
        act = "import socket, subprocess; subprocess.run(['true']); s = socket.socket(); s.connect_ex(('127.0.0.1', 9))"
        subprocess.run([sys.executable, "-c", act], env=os.environ | {"PYTHONPATH": str(HOOK), "SCRATCHPAD_WATCH": log.name}, check=True)
        seen = log.read().decode()
    assert "subprocess.Popen" in seen
    assert "('127.0.0.1', 9)" in seen


def test_an_honest_question_is_answered(server: Watched, scene_image: object) -> None:
    data = png(scene_image)  # type: ignore[arg-type]
    told = asked(server, data, "what animal is there")
    assert told["key"].endswith(question_of(data, "what animal is there").key)
    assert told["answer"]
