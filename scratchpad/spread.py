"""Work on many items, here or on a Ray cluster: the same functions, the same results, in the same order.

In: items, what a worker needs once (`setup`), what it does with a few items (`work`). Out: results, one an item, as they come.
Knows nothing of models. On a cluster a worker that dies is replaced and its items are worked on again.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import TypeVar

from scratchpad.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
State = TypeVar("State")


@dataclass(frozen=True)
class Cluster:
    """Where to, and with how much for each worker."""

    address: str  # `auto`, host:port of its head, or ray://host:port
    workers: int | None = None  # by default as many as the cluster has room for
    cpus: float = 1
    gpus: float = 0


def spread(
    items: Iterable[Item],
    setup: Callable[[], State],
    work: Callable[[State, list[Item]], list[Result]],
    cluster: Cluster | None = None,
    size: int = 16,
) -> Iterator[Result]:
    """One result an item, in the items' order.

    Args:
        setup: makes what a worker keeps (a loaded model); called once a worker.
        work: of up to `size` items.
        cluster: None for this process alone.

    Raises:
        UserError: Ray isn't installed, or the cluster can't be reached.
    """
    if cluster is not None:
        yield from _on_ray(list(items), setup, work, cluster, size)
        return
    state, source = setup(), iter(items)
    while batch := list(islice(source, size)):
        yield from work(state, batch)


def _on_ray(
    items: list[Item], setup: Callable[[], State], work: Callable[[State, list[Item]], list[Result]], cluster: Cluster, size: int
) -> Iterator[Result]:
    """By Ray Data: an actor for each worker, restarted where it dies."""
    data = _joined(cluster)
    import numpy as np

    class Worker:
        def __init__(self) -> None:
            self.state = setup()

        def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            done = work(self.state, [items[i] for i in batch["item"].tolist()])
            held = np.empty(len(done), object)
            held[:] = done
            return {"item": batch["item"], "result": held}

    context = data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    many = cluster.workers or _room(cluster, -(-len(items) // size))
    blocks = max(1, -(-len(items) // size))
    numbers = data.from_items([{"item": i} for i in range(len(items))], override_num_blocks=blocks)  # from here: reading takes no processor
    results = numbers.map_batches(Worker, batch_size=size, concurrency=many, num_cpus=cluster.cpus, num_gpus=cluster.gpus)
    for row in results.iter_rows():
        yield row["result"]


def _joined(cluster: Cluster) -> ModuleType:
    """Ray Data, in a process that has joined the cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anyone
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UserError("--ray needs Ray, which is not installed: pip install -r requirements-ray.txt.") from error
    if not ray.is_initialized():
        try:
            _knock(cluster.address)
            ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            reason = " ".join(str(error).split())[:200]
            said = f"There is no Ray cluster at {cluster.address} ({reason}); expected auto, host:port or ray://host:port."
            raise UserError(said) from error
    return ray.data


def _knock(address: str) -> None:
    """Ray itself waits two minutes for a cluster that isn't there."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def _room(cluster: Cluster, most: int) -> int:
    """How many workers the cluster's processors and accelerators hold."""
    import ray

    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    fits = [there.get("CPU", 1) // cluster.cpus] if cluster.cpus else []
    fits += [there.get("GPU", 0) // cluster.gpus] if cluster.gpus else []
    return max(1, min(int(min(fits)) if fits else most, most))
