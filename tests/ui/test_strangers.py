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
VISITORS = 20


def test_twenty_at_once_get_their_own(address: str, bench: Workbench, tmp_path: Path) -> None:
    asked = []
    for n, scene in enumerate(held_out(VISITORS, first=HELD_OUT_START + 95_000_000)):
        path = tmp_path / f"{n}.png"
        picture(scene).save(path)
        asked.append((path, all_questions(scene)[n % 4].text))

    def visit(path: Path, question: str) -> tuple[str, str]:
        client = Client(address, verbose=False)
        told = client.predict(handle_file(str(path)), question, api_name="/ask")
        value = json.loads(told[0])
        return value["analysis"]["run"]["answer"], value["page"]["key"]

    with ThreadPoolExecutor(VISITORS) as pool:
        told = list(pool.map(lambda one: visit(*one), asked))
    for (path, question), (answer, key) in zip(asked, told, strict=True):
        own = bench.analyze(path, question)
        assert answer == own.run.answer
        assert key == key_of(own)


def resident(pid: int) -> int:
    """Bytes in memory of a process."""
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_memory_is_flat_after_five_hundred_requests(tmp_path: Path) -> None:
    """Of every kind, pictures never seen before among them; measured once what is remembered is full."""
    paths = []
    for n, scene in enumerate(held_out(90, first=HELD_OUT_START + 96_000_000)):
        paths.append(tmp_path / f"{n}.png")
        picture(scene).save(paths[-1])
    with running(tmp_path) as (url, pid):
        clients = [Client(url, verbose=False) for _ in range(5)]

        def requests(client: Client, path: Path, every: bool) -> None:
            """Ten: the same picture twice, three that are refused, five that need no model; or the first of them alone."""
            text = base64.b64encode(path.read_bytes()).decode()
            for _ in range(1 + every):
                client.predict(text, "what do you see", 3, "", api_name="/analyze")
            if not every:
                return
            for bad in (("", "what"), (text, ""), (text[:400], "what")):
                with pytest.raises(AppError):
                    client.predict(*bad, api_name="/analyze")
            for _ in range(5):
                client.predict(api_name="/offers")

        def round_of(some: list[Path], every: bool) -> None:
            def visit(n: int) -> None:
                for path in some[n :: len(clients)]:
                    requests(clients[n], path, every)

            with ThreadPoolExecutor(len(clients)) as pool:
                list(pool.map(visit, range(len(clients))))

        round_of(paths[:20], every=True)
        round_of(paths[20:40], every=False)  # fills what is remembered
        before = resident(pid)
        round_of(paths[40:], every=True)
        grown = resident(pid) - before
    print(f"{grown / 2**20:.1f} MiB")
    assert grown < 60 * 2**20, f"{grown / 2**20:.0f} MiB more after 500 requests"
