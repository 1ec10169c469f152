"""Every benchmark runs through at a small size and prints one JSON object. What it measures is not tested here."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SMALL = [
    "--layers",
    "2",
    "--width",
    "64",
    "--side",
    "3",
    "--vision-layers",
    "3",
    "--vision-width",
    "64",
    "--new-tokens",
    "3",
    "--repeat",
    "1",
]


@pytest.mark.parametrize(
    ("name", "flags", "rows"),
    [
        ("capture", SMALL, 6),
        ("edited", [*SMALL, "--batch", "4"], 9),
        ("codes", ["--patches", "50", "--latents", "512", "--width", "16"], 2),
    ],
)
def test_benchmark_runs(name: str, flags: list[str], rows: int) -> None:
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *flags, "--json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert value["benchmark"] == name
    assert len(value["rows"]) == rows
    assert all(row["seconds"] > 0 for row in value["rows"])
