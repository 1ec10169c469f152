"""Time and memory of several ways to do one thing, taken in turn in one process, and the table of them.

Time is the best of `repeat` rounds; rounds go through all ways one after another, so that a busy machine hurts all alike.
Memory is how far the peak rises above what was held before: resident pages on a CPU, the allocator's count on an accelerator.
"""

from __future__ import annotations

import ctypes
import gc
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Cost:
    seconds: float
    peak_bytes: int  # above what was held before


def costs(ways: Mapping[str, Callable[[], Any]], device: str = "cpu", repeat: int = 3) -> dict[str, Cost]:
    """What each way costs; every way is run once unmeasured first."""
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            gc.collect()
            _wait(device)
            begun = time.perf_counter()
            way()
            _wait(device)
            seconds[name].append(time.perf_counter() - begun)
    return {name: Cost(min(seconds[name]), peak(way, device)) for name, way in ways.items()}


def peak(way: Callable[[], Any], device: str = "cpu") -> int:
    """How far one call's peak rises above what is held before it, in bytes."""
    gc.collect()
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        way()
        return torch.cuda.max_memory_allocated() - before
    _hand_back_at_once()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counter starts anew
    before = _status("VmRSS")
    way()
    return max(0, _status("VmHWM") - before)


def report(title: str, rows: list[dict[str, Any]], sizes: dict[str, Any], as_json: bool) -> None:
    """Prints one JSON object, or a Markdown table."""
    if as_json:
        print(json.dumps({"benchmark": title, "sizes": sizes, "rows": rows}))
        return
    print(f"{title}: {', '.join(f'{k} {v}' for k, v in sizes.items())}\n")
    names = list(rows[0])
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(_cell(row[name]) for name in names)} |")


def row(name: str, cost: Cost, **ratios: float | str) -> dict[str, Any]:
    return {"": name, **asdict(cost), **ratios}


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value / 2**20:.0f} MiB" if isinstance(value, int) else str(value)


def _hand_back_at_once() -> None:
    """Has malloc return what's freed, lest pages that it keeps for later hide what a call takes."""
    libc = ctypes.CDLL("libc.so.6")
    libc.mallopt(-3, 1 << 16)  # M_MMAP_THRESHOLD
    libc.malloc_trim(0)


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def _status(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, field
    return int(found[1]) * 1024
