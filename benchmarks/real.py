"""The commands on models of published size, beside plain `generate` of the same model on the same question.

    python -m benchmarks.real --only smolvlm-256m

Each command is a process of its own: seconds, its peak of resident memory, the longest time in which it said nothing, and ratios to a
process that loads the model with transformers and generates the same number of tokens. Weights are random (`benchmarks.published`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.measure import report
from benchmarks.published import PUBLISHED, write

QUESTION = "What is in the picture?"
PICTURES = 6  # that the SAE is trained on
STEPS = (
    "plain",
    "plain twice",
    "inspect",
    "inspect --check",
    "geometry",
    "train-sae",
    "index",
    "analyze",
    "ablate",
    "effects",
    "suffice",
    "diagnose",
    "needle",
)


@dataclass(frozen=True)
class Spent:
    """What a process cost."""

    status: int
    seconds: float
    peak: int  # bytes, resident
    silence: float  # the longest time without a word, seconds
    said: str  # what it printed to standard output
    last: str  # its last words on standard error


def spent(command: list[str]) -> Spent:
    """Runs a command and watches it."""
    begun = time.perf_counter()
    heard, words = [begun], bytearray()
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE) as process:

        def listen() -> None:
            assert process.stderr is not None
            while part := os.read(process.stderr.fileno(), 65_536):
                heard.append(time.perf_counter())
                words.extend(part)

        listener = threading.Thread(target=listen)
        listener.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        listener.join()
        ended = time.perf_counter()
        out.seek(0)
        said = out.read()
    silence = max(np.diff([*heard, ended]), default=0.0)
    last = words.decode(errors="replace").strip()[-300:]
    return Spent(process.returncode, ended - begun, usage.ru_maxrss * 1024, float(silence), said, last)


def pictures(folder: Path) -> Path:
    """Blurred noise with a square each, 768 x 1024 pixels; the first is the one that is asked about."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for n in range(PICTURES):
        picture = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize((1024, 768), Image.Resampling.BICUBIC)
        y, x = rng.integers(0, 600, 2)
        picture.paste((255, 255, 255), (int(x), int(y), int(x) + 150, int(y) + 150))
        picture.save(folder / f"{n}.png")
    return folder


def commands(folder: Path, images: Path, options: argparse.Namespace, layer: int) -> dict[str, list[str]]:
    """The command of every step, for a checkpoint and an SAE trained beside it."""
    module = [sys.executable, "-m"]
    cli = [*module, "scratchpad.cli"]
    model, sae = ["--model", str(folder)], str(folder.parent / f"{folder.name}-sae")
    asked = [str(images / "0.png"), QUESTION, *model, "--sae", sae, "--max-new-tokens", str(options.new_tokens), "--json"]
    quick = ["--width", "2x", "--k", "16", "--steps", "20", "--batch", "512", "--buffer", "8192", "--architecture", "topk"]
    small = ["--methods", "attention", "--datasets", "patch", "--runs", "1", "--cells", "2x2"]
    return {
        "plain": [*module, "benchmarks.plain", str(folder), str(images / "0.png"), QUESTION, str(options.new_tokens)],
        "plain twice": [*module, "benchmarks.plain", str(folder), str(images / "0.png"), QUESTION, str(options.new_tokens), "2"],
        "inspect": [*cli, "inspect", str(folder), "--image", str(images / "0.png"), "--json"],
        "inspect --check": [*cli, "inspect", str(folder), "--image", str(images / "0.png"), "--check", "--json"],
        "geometry": [*module, "benchmarks.geometry", str(folder), str(options.new_tokens)],
        "train-sae": [*cli, "train-sae", *model, "--layer", str(layer), "--images", str(images), "--out", sae, *quick, "--json"],
        "index": [*cli, "index", *model, "--sae", sae, "--images", str(images), "--json"],
        "analyze": [*cli, "analyze", *asked],
        "ablate": [*cli, "ablate", *asked, "--cluster", "1"],
        "effects": [*cli, "effects", *asked, "--top", "8"],
        "suffice": [*cli, "suffice", *asked, "--max-latents", "2"],
        "diagnose": [*cli, "diagnose", *asked],
        "needle": [*cli, "needle", *model, *small, "--out", str(folder.parent / f"{folder.name}-needle"), "--json"],
    }


def measured(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for every step of a model."""
    folder = write(name, options.folder / name, options.dtype, options.layers)
    images = pictures(options.folder / "pictures")
    rows: list[dict[str, Any]] = []
    plain: Spent | None = None
    layer = 0
    for step in options.steps:
        cost = spent(commands(folder, images, options, layer)[step])
        print(f"{name}: {step} ended with {cost.status} after {cost.seconds:.0f} s, {cost.peak / 1e9:.2f} GB", file=sys.stderr)
        if step == "plain":
            plain = cost
        if step == "inspect" and cost.status == 0:
            layer = int(json.loads(cost.said)["read_layer"])
        rows.append(
            {
                "model": name,
                "step": step,
                "seconds": cost.seconds,
                "peak": cost.peak,
                "times plain": cost.seconds / plain.seconds if plain else "",
                "peak / plain's": cost.peak / plain.peak if plain else "",
                "silent for": cost.silence,
                "says": _says(step, cost),
            }
        )
    return rows


def _says(step: str, cost: Spent) -> str:
    if cost.status:
        return f"ended with {cost.status}: " + re.sub(r"\s+", " ", cost.last)[-160:]
    if step == "inspect":
        facts = json.loads(cost.said)
        return f"{facts['patches']} patches, {facts['image_tokens']} image tokens, {facts['memory_bytes'] / 1e9:.2f} GB estimated"
    if step == "inspect --check":
        return "holds" if json.loads(cost.said)["check"]["holds"] else "FAILS"
    return cost.said.strip() if step == "geometry" else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[*PUBLISHED], action="append", help="a model; all by default")
    parser.add_argument("--steps", type=lambda text: text.split(","), default=list(STEPS), help="separated by commas")
    parser.add_argument("--layers", type=int, help="of the language model, where all of them don't fit")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--new-tokens", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=Path("runs/real"), help="where checkpoints and SAEs are written, and found again")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [row for name in options.only or PUBLISHED for row in measured(name, options)]
    sizes = {"dtype": options.dtype, "new tokens": options.new_tokens, "language layers": options.layers or "all"}
    report("real", rows, sizes, options.json)


if __name__ == "__main__":
    main()
