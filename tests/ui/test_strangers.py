"""Many visitors at once: each gets the answer to their own picture and question."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.workbench import Workbench

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
        return value["answer"], value["key"]

    with ThreadPoolExecutor(VISITORS) as pool:
        told = list(pool.map(lambda one: visit(*one), asked))
    for (path, question), (answer, key) in zip(asked, told, strict=True):
        own = bench.analyze(path, question).run
        assert answer == own.answer
        assert own.image_sha256 in key
