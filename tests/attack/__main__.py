"""The whole attack: `python -m tests.attack [--scale 1]`. Prints what was tried and what went wrong; exit code 1 if anything did.

Watches the server by an audit hook: no program is started, nothing is connected to. Takes two cores of their own for about an hour.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.attack.hostile import Attack
from tests.attack.restart import killed, opened, remembered
from tests.attack.visitors import crosstalk, memory
from tests.attack.watched import Watched, watched
from tests.ui.conftest import free_port

TRIED = {"routes": 2000, "events": 1500, "lookups": 2000, "bodies": 1500, "pictures": 1000, "files": 4000}  # of each kind
REQUESTS = 2000  # with pictures of 1 to 40 million pixels
DAMAGE = ["tests/cases", "tests/test_files.py", "tests/sae/test_damaged.py"]
Say = Callable[[str], None]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="of how much is tried; 1 is the whole")
    scale, begin = parser.parse_args().scale, time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begin:6.0f} s  {text}", flush=True)

    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        with watched(Path(folder), free_port()) as server:
            wrong += visited(server, say) + attacked(server, scale, say) + grown(server, scale, say) + visited(server, say)
            wrong += [f"forbidden: {what}" for what in server.forbidden()]
            say(f"programs started and connections opened: {len(server.forbidden())}")
            before = opened(server)
            killed(server)
        with watched(Path(folder), free_port()) as server:
            after = remembered(server, before)
            say(f"a page from before a restart is told to ask again: {not after}")
            wrong += after
    wrong += damaged(say)
    for what in wrong[:50]:
        print(f"WRONG {what}")
    say(f"{len(wrong)} wrong")
    return 1 if wrong else 0


def visited(server: Watched, say: Say) -> list[str]:
    strangers = crosstalk(server)
    say(f"20 visitors at once, {len(strangers)} told of another's picture")
    return strangers


def attacked(server: Watched, scale: float, say: Say) -> list[str]:
    attack = Attack(server)
    for act, count in TRIED.items():
        getattr(attack, act)(max(2, int(count * scale)))
        say(f"{act}: {dict(attack.counts)}, {len(attack.wrong)} wrong")
    said = server.tracebacks()
    say(f"{sum(attack.counts.values())} hostile inputs; tracebacks in the log: {len(said)}")
    return attack.wrong + [f"traceback: {line}" for line in said]


def grown(server: Watched, scale: float, say: Say) -> list[str]:
    """Flat within a tenth, after a warm-up of two tenths of the requests."""
    count = max(10, int(REQUESTS * scale))
    held = memory(server, count, every=count // 10)
    say(f"memory after each tenth of {count} requests, MiB: " + " ".join(f"{size / 2**20:.0f}" for size in held))
    before = max(held[2:5])
    return [f"memory grew from {before / 2**20:.0f} to {held[-1] / 2**20:.0f} MiB"] if held[-1] > 1.1 * before else []


def damaged(say: Say) -> list[str]:
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", *DAMAGE], check=False)
    say(f"kills while saving, full disk, two servers, damaged files (pytest): exit code {tests.returncode}")
    return ["pytest failed"] if tests.returncode else []


if __name__ == "__main__":
    sys.exit(main())
