"""Files that are there whole or not at all: written aside, then renamed."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, data: str | bytes) -> None:
    """What stood there before stays until all of the new is written.

    Raises:
        OSError: the disk is full, or the folder can't be written to.
    """
    aside = path.with_name(f"{path.name}.part")
    aside.write_bytes(data.encode() if isinstance(data, str) else data)
    os.replace(aside, path)
