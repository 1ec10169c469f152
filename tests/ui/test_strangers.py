"""Many visitors at once: each gets the answer to their own picture and question."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.ui.envelope import key_of
from scratchpad.workbench import Workbench
from tests.ui.conftest import running

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("visitors", [8, pytest.param(20, marks=pytest.mark.slow)])
def test_many_at_once_get_their_own(address: str, bench: Workbench, tmp_path: Path, visitors: int) -> None:
    asked = []
    for n, scene in enumerate(held_out(visitors, first=HELD_OUT_START + 95_000_000)):
        path = tmp_path / f"{n}.png"
        picture(scene).save(path)
        asked.append((path, all_questions(scene)[n % 4].text))

    def visit(path: Path, question: str) -> tuple[str, str]:
        client = Client(address, verbose=False)
        told = client.predict(handle_file(str(path)), question, api_name="/ask")
        value = json.loads(told[0])
        return value["analysis"]["run"]["answer"], value["page"]["key"]

    with ThreadPoolExecutor(visitors) as pool:
        told = list(pool.map(lambda one: visit(*one), asked))
    for (path, question), (answer, key) in zip(asked, told, strict=True):
        own = bench.analyze(path, question)
        assert answer == own.run.answer
        assert key == key_of(own)


def resident(pid: int) -> int:
    """Bytes in memory of a process."""
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@pytest.mark.slow  # what is remembered is bounded in bytes by tests/test_caching.py in make test
def test_memory_stops_growing(tmp_path: Path) -> None:
    """Growth over batches of pictures never seen before, each beside a control: as many requests with pictures that are remembered.

    All come after a warm-up in which allocator, threads and caches grow to their size. What belongs to a request and stays, grows in
    every batch, so the least of three is judged: what the machine gives and takes by itself (tens of MB either way where it's short of
    memory) doesn't come in all of them. A picture and what is made of it take some 2 MB, so 12 that stayed would be 24.
    """
    paths = []
    for n, scene in enumerate(held_out(52, first=HELD_OUT_START + 96_000_000)):
        paths.append(tmp_path / f"{n}.png")
        picture(scene).save(paths[-1])
    with pytest.MonkeyPatch.context() as set_up:
        set_up.setenv("SCRATCHPAD_MEMORY", "8")  # full after a few pictures
        with running(tmp_path) as (url, pid):
            clients = [Client(url, verbose=False) for _ in range(4)]

            def ask(n: int, some: list[Path]) -> None:
                for path in some[n :: len(clients)]:
                    text = base64.b64encode(path.read_bytes()).decode()
                    clients[n].predict(text, "what do you see", 3, "", api_name="/analyze")
                    for bad in (("", "what"), (text[:400], "what")):
                        with pytest.raises(AppError):
                            clients[n].predict(*bad, api_name="/analyze")

            def grown(some: list[Path]) -> float:
                """MiB."""
                before = resident(pid)
                with ThreadPoolExecutor(len(clients)) as pool:
                    list(pool.map(lambda n: ask(n, some), range(len(clients))))
                return (resident(pid) - before) / 2**20

            grown(paths[:16])  # warm-up
            new, control = [], []
            for begin in (16, 28, 40):
                new.append(grown(paths[begin : begin + 12]))
                control.append(grown(paths[begin + 10 : begin + 12] * 6))
    print("MiB more with new pictures and with old ones:", [f"{a:.1f}, {b:.1f}" for a, b in zip(new, control, strict=True)])
    assert min(new) - max(0.0, min(control)) < 16, (new, control)
