"""Honest visitors under attack: each gets the answer to their own picture; memory is flat over many requests."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import HELD_OUT_START
from scratchpad.reader import question_of
from tests.attack.hostile import event, uploaded
from tests.attack.watched import Watched


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def asked(server: Watched, data: bytes, question: str) -> dict[str, str]:
    """What a page is told: the key of what it shows, and the answer."""
    ask = next(d["id"] for d in server.config["dependencies"] if d["api_name"] == "ask")
    given = {"path": uploaded(server, data), "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}
    said = event(server, ask, [given, question, "0", "", None]).decode()
    for line in said.splitlines():
        told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
        if told.get("msg") in ("process_generating", "process_completed"):
            for one in told["output"].get("data") or []:
                if isinstance(one, str) and one.startswith("{"):
                    value = json.loads(one)
                    if "page" in value:  # and not how far it is
                        return {"key": str(value["page"]["key"]), "answer": str(value["analysis"]["run"]["answer"])}
    return {"key": "", "answer": said[-300:]}


def crosstalk(server: Watched, visitors: int = 20) -> list[str]:
    """Visitors at once, each with a picture of their own; what any of them was told that isn't theirs."""
    scenes = held_out(visitors, first=HELD_OUT_START + 97_000_000)
    own = [(png(picture(scene)), all_questions(scene)[n % 4].text) for n, scene in enumerate(scenes)]
    with ThreadPoolExecutor(visitors) as pool:
        told = list(pool.map(lambda one: asked(server, *one), own))
    wrong = []
    for (data, question), said in zip(own, told, strict=True):
        if not said["key"].endswith(question_of(data, question).key):  # of these pixels and this prompt
            wrong.append(f"{question}: {said}")
    return wrong


def memory(server: Watched, requests: int, largest: float = 40e6, every: int = 100) -> list[int]:
    """Bytes held after each `every` requests with pictures of 1 to 40 million pixels, never the same twice; two visitors at a time.

    As many are of 1 to 2 million pixels as of 20 to 40.
    """
    rng, seen = np.random.default_rng(0), []
    sides = [int(np.sqrt(min(1e6, largest) * (largest / min(1e6, largest)) ** rng.random())) for _ in range(requests)]

    def ask(n: int) -> None:
        tile = Image.fromarray(np.random.default_rng(n).integers(0, 255, (16, 16), np.uint8))  # grey, which is quicker to pack
        told = asked(server, png(tile.resize((sides[n], sides[n]), Image.Resampling.NEAREST)), f"what is number {n}")
        assert told["key"], told

    with ThreadPoolExecutor(2) as pool:
        for begin in range(0, requests - every + 1, every):
            list(pool.map(ask, range(begin, begin + every)))
            seen.append(server.resident())
    return seen
