"""Files and folders that are there whole or not at all: written aside under a name of their own, then renamed.

The only home of that: an aside name is nobody else's, what was begun is removed where it fails, and what a killed process left
is removed by the next that writes there. The bytes are on the disk before the name is.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED = 86400.0  # seconds after which something half-written is nobody's; long, so that a clock that jumps makes it so for nobody
ASIDE = re.compile(r".+\.[0-9a-f]{8}\.(part|old)")


def write_whole(path: Path, data: str | bytes) -> None:
    """What stood there before stays until all of the new is written.

    Raises:
        OSError: the disk is full, or the folder can't be written to; nothing of the new is left.
    """
    with whole_file(path) as aside:
        aside.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write to, which takes its name when it's done.

    Raises:
        OSError: it can't be written; nothing of it is left.
    """
    sweep(path.parent)
    aside = _aside(path, "part")
    try:
        yield aside
        _sync(aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def whole_lines(path: Path) -> list[str]:
    """The lines of a log that is written to a line at a time; what a kill cut short of the last is taken out of the file too.

    Raises:
        OSError: it can't be read, or be written again.
    """
    lines = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    write_whole(path, "".join(lines))
    return lines


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write to, which takes another's place when it's done; what stood there stays until then.

    Raises:
        OSError: it can't be written; nothing of it is left.
    """
    with _new_folder(folder) as aside:
        yield aside
        _settle(aside)
        old = _aside(folder, "old")
        if folder.exists():
            os.replace(folder, old)
        try:
            os.replace(aside, folder)
        except BaseException:
            if old.exists():
                os.replace(old, folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    _sync(folder.parent)


@contextmanager
def add_files(folder: Path, last: str) -> Iterator[Path]:
    """An empty folder to write to, whose files then take their names in `folder`, beside what is there already.

    Args:
        last: the file that comes last, without which whoever reads the folder takes nothing of it for whole.

    Raises:
        OSError: they can't be written. Nothing of them is left then, and a folder that wasn't there isn't.
    """
    fresh = not folder.exists()
    with _new_folder(folder) as aside:
        yield aside
        _settle(aside)
        made = sorted(aside.iterdir(), key=lambda path: path.name == last)
        if fresh:
            os.replace(aside, folder)
        else:
            for path in made:
                os.replace(path, folder / path.name)
            _sync(folder)
    _sync(folder.parent)


def restore_folder(folder: Path) -> None:
    """Puts back what stood at a folder's place where a process was killed between the two renames of `replace_folder`.

    Versions before it left `<name>.old`.
    """
    if not folder.exists():
        left = [path for path in folder.parent.glob(f"{folder.name}.*.old") if ASIDE.fullmatch(path.name)]
        left += [path for path in (folder.with_name(f"{folder.name}.old"),) if path.is_dir()]
        if left:
            os.replace(max(left, key=lambda path: path.stat().st_mtime), folder)


def sweep(folder: Path) -> None:
    """Removes what was begun in a folder long ago and never finished. Others may sweep it at the same time."""
    for path in folder.glob("*.part"):
        with contextlib.suppress(OSError):
            if ASIDE.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Gone in the end, and the folders that were made to hold it too where nothing took its place."""
    made = [above for above in folder.parents if not above.exists()]
    sweep(folder.parent)
    aside = _aside(folder, "part")
    try:
        aside.mkdir(parents=True)
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        for above in made:
            with contextlib.suppress(OSError):
                above.rmdir()


def _settle(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _aside(path: Path, kind: str) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}.{kind}")


def _sync(path: Path) -> None:
    """Folders too, where the system has that."""
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():
            return
        raise
    try:
        os.fsync(number)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(number)
