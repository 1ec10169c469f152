"""The command line: one command per job, each a few lines over the workbench, a module for each kind of job.

`--json` prints one object on standard output and nothing else there. Bad input is one sentence and exit code 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from scratchpad.cli import asking, auditing, cases, comparing, demo, influencing, latents, looking, needles, saes, serving, testing
from scratchpad.cli.waiting import waiting
from scratchpad.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    options = _parser().parse_args(arguments)
    # models are local or named by the user; nothing else is ever fetched
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        with waiting() if getattr(options, "waits", False) else nullcontext():
            options.act(options)
    except UserError as error:
        print(f"scratchpad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scratchpad", description="Which visual concepts a VLM saw, and which its answer used.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for kind in (asking, comparing, testing, influencing, auditing, cases, needles, saes, latents, looking, serving, demo):
        kind.add(commands)
    return parser


def entry() -> None:
    """The console script."""
    sys.exit(main())
