"""`python -m scratchpad.cli`."""

from scratchpad.cli import entry

entry()
