"""The command line in processes of its own, forked from one that has imported what commands need: each would take ten seconds to.

What runs is `scratchpad.cli.main`, with an environment and streams of its own. test_packaging, test_space and test_door start cold.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path

SURROUNDINGS = dict(os.environ)  # before any test sets a variable: libraries read some of theirs when they are imported
FORKED: ForkServerContext = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.forked", "scratchpad.ui.app", "scratchpad.benches", "torch.distributed"])


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def begun(arguments: list[str], out: str = os.devnull, err: str | None = None, **environment: str) -> BaseProcess:
    """A command that runs; its streams go to files, its errors to this process's stream where none is named."""
    own = dict(os.environ)
    _become(SURROUNDINGS)
    try:
        ensure_running()
    finally:
        _become(own)
    process = FORKED.Process(target=_act, args=(arguments, out, err, own | environment), daemon=True)
    process.start()
    return process


def scratchpad(*arguments: str, **environment: str) -> Ended:
    """A command that has ended."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = begun(list(arguments), str(out), str(err), **environment)
        process.join(600)
        assert process.exitcode is not None, f"{arguments} runs still"
        return Ended(process.exitcode, out.read_text(), err.read_text())


def _act(arguments: list[str], out: str, err: str | None, environment: dict[str, str]) -> None:
    _become(environment)
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        if path is not None:
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream.fileno())
    from scratchpad.cli import main

    sys.exit(main(arguments))


def _become(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
