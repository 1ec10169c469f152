"""A prompt under a change of its activations: within, the model computes what the change makes of it, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jaxtyping import Float
from torch import Tensor

from scratchpad.allocator import give_back_memory
from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.batch import BATCH, at_once
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.points import Change, changing_at
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import CleanRun, first_changed, reusing


@contextmanager
def changed(
    vlm: Vlm,
    prepared: Prepared,
    at: HookPoint | None,
    delta: Float[Tensor, "b n d"] | None,
    clean: CleanRun | None,
    later: Sequence[Change | None],
) -> Iterator[None]:
    """`delta` is added at a hook point; with `clean`, what it doesn't change is taken over. Without `delta`, all of the prompt is."""
    if delta is None:
        with reusing(vlm, clean, prepared.length - 1, 1):
            yield
        return
    assert at is not None, "a change needs the point at which it's added"
    assert clean is None or clean.at == at, (clean.at if clean else None, at)
    first = first_changed(vlm, prepared, at, delta.ne(0).any(-1).any(0).cpu().numpy()) if clean else 0
    with reusing(vlm, clean, first, len(delta)), changing_at(vlm, at, prepared, delta, later):
        yield


def tidy(vlm: Vlm, prepared: Prepared) -> None:
    """What was freed in pieces goes back to the system, of a question so large that it counts."""
    if at_once(vlm, prepared) < BATCH:
        give_back_memory()
