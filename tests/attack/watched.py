"""A server under watch: what it starts, what it connects to, what it says on its error stream, how much memory it holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AROUND = ("ui/door.py", "ui/headers.py", "ui/server.py")  # which stand around Gradio, and so in every traceback
HOOK = Path(__file__).parent / "hook"


@dataclass
class Watched:
    """One server. `forbidden` says what it did that it never should."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    errors: Path
    begin: int = 0  # of the log: what it did to start is its own
    config: dict[str, Any] = field(default_factory=dict)

    def forbidden(self) -> list[str]:
        """Programs started and connections opened since it answered first, but those to itself."""
        own = repr(("127.0.0.1", int(self.url.rsplit(":", 1)[1])))
        rows = [json.loads(line) for line in self.log.read_text()[self.begin :].splitlines()]
        return [f"{event} {what}" for event, what in rows if not (event == "socket.connect" and what == own)]

    def tracebacks(self) -> list[str]:
        """What failed in the project's own code, from its error stream: the last place in it, and the last line.

        Gradio logs a traceback of its own for data that isn't of a component's form, before anything of the project is called.
        """
        blocks = self.errors.read_text(errors="replace").split("Traceback (most recent call last):")[1:]
        found = []
        for block in blocks:
            places = [line.strip() for line in block.splitlines() if "/scratchpad/" in line and not any(one in line for one in AROUND)]
            last = next((line for line in block.splitlines() if line and not line.startswith((" ", "+", "|"))), "")
            if places:
                found.append(f"{places[-1]}: {last}")
        return found

    def resident(self) -> int:
        """Bytes in memory."""
        rows = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(row for row in rows if row.startswith("VmRSS")).split()[1]) * 1024

    def alive(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/", timeout=60) as answer:
            return self.process.poll() is None and answer.status == 200


@contextmanager
def watched(folder: Path, port: int, *flags: str, **environment: str) -> Iterator[Watched]:
    """A server with its store and logs in a folder."""
    log, errors = folder / f"watch-{port}.jsonl", folder / f"errors-{port}.txt"
    log.touch()
    env = os.environ | {"SCRATCHPAD_STORE": str(folder / "store"), "SCRATCHPAD_WATCH": str(log), "HF_HUB_OFFLINE": "1"} | environment
    env["PYTHONPATH"] = f"{HOOK}{os.pathsep}{env.get('PYTHONPATH', '')}"
    command = [sys.executable, "-m", "scratchpad.cli", "serve", "--port", str(port), *flags]
    with open(errors, "ab") as stream:
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=stream)
    one = Watched(f"http://127.0.0.1:{port}", process, log, errors)
    try:
        for _ in range(480):
            assert process.poll() is None, errors.read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"{one.url}/config", timeout=5) as answer:
                    one.config = json.load(answer)
                break
            except OSError:
                time.sleep(0.25)
        one.begin = len(log.read_text())
        yield one
    finally:
        process.terminate()
        process.wait(30)
