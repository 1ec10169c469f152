"""The whole attack: `python -m tests.attack [--scale 1]`. Prints what was tried and what went wrong; exit code 1 if anything did.

Watches the server by an audit hook: no program is started, nothing is connected to. Takes a machine of its own for half an hour.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.attack.hostile import Attack, event
from tests.attack.visitors import crosstalk, memory
from tests.attack.watched import watched
from tests.ui.conftest import free_port

TRIED = {"routes": 2000, "events": 1500, "lookups": 2000, "bodies": 1500, "pictures": 1000, "files": 4000}  # of each kind


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="of how much is tried; 1 is the whole")
    scale = parser.parse_args().scale
    begin, wrong, port = time.monotonic(), [], free_port()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begin:6.0f} s  {text}", flush=True)

    def many(count: int) -> int:
        return max(2, int(count * scale))

    with tempfile.TemporaryDirectory() as folder:
        with watched(Path(folder), port) as server:
            strangers = crosstalk(server)
            say(f"20 visitors at once, {len(strangers)} told of another's picture")
            attack = Attack(server)
            for act, count in (
                ("routes", 2000),
                ("events", 1500),
                ("lookups", 2000),
                ("bodies", 1500),
                ("pictures", 1000),
                ("files", 4000),
            ):
                getattr(attack, act)(many(count))
                say(f"{act}: {dict(attack.counts)}, {len(attack.wrong)} wrong")
            said = server.tracebacks()
            say(f"{sum(attack.counts.values())} hostile inputs; tracebacks in the log: {len(said)}")
            wrong += strangers + attack.wrong + [f"traceback: {line}" for line in said]
            held = memory(server, many(2000), every=max(1, many(2000) // 10))
            say("memory after each tenth of the requests, MiB: " + " ".join(f"{one / 2**20:.0f}" for one in held))
            if held[-1] > 1.1 * max(held[2:5]):
                wrong.append(f"memory grew from {max(held[2:5]) / 2**20:.0f} to {held[-1] / 2**20:.0f} MiB")
            strangers = crosstalk(server)
            say(f"20 visitors at once after all of it, {len(strangers)} told of another's picture")
            wrong += strangers + [f"forbidden: {what}" for what in server.forbidden()]
            say(f"programs started and connections opened: {len(server.forbidden())}")
            keep = next(d["id"] for d in server.config["dependencies"] if len(d["outputs"]) == 9 and len(d["inputs"]) == 1)
            box = next(c for c in server.config["components"] if c["props"].get("elem_id") == "sp-asked")
            before = [str(box["props"]["value"])]
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
        with watched(Path(folder), port) as server:  # under a page that is still open
            told = event(server, keep, before, {"key": "what the page shows", "title": "x", "runs": []})
            say("a page from before a restart is told to ask again: " + str(b"ask the question again" in told))
            if b"ask the question again" not in told:
                wrong.append(f"restart: {told[-300:]!r}")
    kills = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/cases", "tests/test_files.py", "tests/sae/test_damaged.py"], check=False
    )
    say(f"kills while saving, full disk, two servers, damaged files (pytest): exit code {kills.returncode}")
    wrong += ["pytest failed"] if kills.returncode else []
    for one in wrong[:50]:
        print(f"WRONG {one}")
    say(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
