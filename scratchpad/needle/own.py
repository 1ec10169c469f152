"""The size at which a model sees an image without resizing it, so that cells lie on whole image tokens."""

from __future__ import annotations

from collections.abc import Iterator

from scratchpad.errors import UserError
from scratchpad.needle.datasets import cells_of, nearest_aligned
from scratchpad.needle.subject import Subject

MAX_IMAGE_TOKENS = 1024  # image tokens, where the model leaves the size to us


def own_size(subject: Subject, cells: tuple[int, int]) -> tuple[int, int]:
    """(h, w) in pixels: the processor's fixed size, or for models of any size the largest with up to MAX_IMAGE_TOKENS.

    Raises:
        UserError: none on which `cells` lie on whole tokens; names the nearest numbers that do.
    """
    first = None
    for size in _candidates(subject, cells):
        grid = subject.grid(size)
        if grid.size == size and cells_of(grid, cells) is not None:
            return size
        first = first or grid
    near = nearest_aligned(first, cells) if first else None
    fits = f"the nearest that fit are {near[0]}x{near[1]}" if near else "give a --size that is a multiple of its tokens"
    raise UserError(f"{cells[0]}x{cells[1]} cells don't lie on whole image tokens of {subject.name} at its own resolution; {fits}.")


def _candidates(subject: Subject, cells: tuple[int, int]) -> Iterator[tuple[int, int]]:
    processor = subject.image_processor
    for name in ("crop_size", "size"):
        given = getattr(processor, name, None)
        size = dict(given) if given else {}
        if size.get("height") and size.get("width"):
            yield int(size["height"]), int(size["width"])
        elif size.get("shortest_edge") and not size.get("longest_edge"):
            yield int(size["shortest_edge"]), int(size["shortest_edge"])
        elif size.get("longest_edge") and size["longest_edge"] < 4096:
            yield int(size["longest_edge"]), int(size["longest_edge"])
    if hasattr(processor, "patch_size") and not isinstance(processor.patch_size, dict):
        token = int(processor.patch_size) * int(getattr(processor, "merge_size", 1))
        for many in range(8, 0, -1):
            if cells[0] * cells[1] * many * many <= MAX_IMAGE_TOKENS:
                yield cells[0] * many * token, cells[1] * many * token
