"""What a server writes among temporary files: a folder of its own, bounded in bytes and age, gone when the server is.

Uploads, whole or cut off, and pictures that were made all lie there. How long a file lies there is counted by the sweeper's own
clock, so a clock that is set anew removes nothing. Setting: SCRATCHPAD_DISK, MB at most.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from scratchpad.allocator import give_back_memory
from scratchpad.errors import UserError

log = logging.getLogger(__name__)
PREFIX = "visual-scratchpad-"
AGE = 3600.0  # seconds that a file stays after it was last used
MAX_MB = 2048  # of all of them
EVERY = 60.0  # seconds between two sweeps


class Sweeper:
    """Removes what is older than `age` seconds, then the oldest until no more than `most` bytes are left."""

    def __init__(self, folder: Path, most: int, age: float = AGE, clock: Callable[[], float] = time.monotonic):
        self.folder, self.most, self.age, self.clock = folder, most, age, clock
        self._since: dict[Path, tuple[float, int]] = {}  # when a file was first seen, or seen to be touched since; its time then
        self._lock = threading.Lock()
        self.stays = frozenset(path for path in folder.rglob("*") if path.is_file())  # the page's own

    def sweep(self) -> int:
        """Bytes that are left, the page's own files not among them."""
        with self._lock:
            now, there = self.clock(), {}
            for path in self.folder.rglob("*"):
                try:
                    if path.is_file() and path not in self.stays:
                        there[path] = path.stat()
                except OSError:  # gone meanwhile
                    continue
            before, self._since = self._since, {}
            for path, about in there.items():
                since, touched = before.get(path, (now, about.st_mtime_ns))
                self._since[path] = (since if touched == about.st_mtime_ns else now, about.st_mtime_ns)
            left = sum(about.st_size for about in there.values())
            for path in sorted(there, key=self._since.__getitem__):
                if now - self._since[path][0] < self.age and left <= self.most:
                    break
                left -= there[path].st_size
                del self._since[path]
                path.unlink(missing_ok=True)
                self._empty(path.parent)
        return left

    def _empty(self, folder: Path) -> None:
        if folder != self.folder:
            try:
                folder.rmdir()
            except OSError:  # it still holds something
                return

    def run(self) -> None:
        """Sweeps from now on, beside everything else."""

        def work() -> None:
            while True:
                time.sleep(EVERY)
                try:
                    self.sweep()
                    give_back_memory()
                except Exception:
                    log.exception("sweeping %s failed", self.folder)

        threading.Thread(target=work, daemon=True, name="sweeper").start()


def own_folder() -> Path:
    """A folder of this process among the temporary ones, which everything temporary goes to from now on.

    Those of servers that were killed are removed. Nobody else can look into it.
    """
    place = Path(tempfile.gettempdir())
    for old in place.glob(f"{PREFIX}*"):
        _remove_dead(old)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = open(folder / ".lock", "w")  # noqa: SIM115  held as long as the process lives
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(lock.close)
    tempfile.tempdir = os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def _remove_dead(folder: Path) -> None:
    try:
        if folder.stat().st_uid != os.getuid() or folder.is_symlink():
            return
        with open(folder / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # it has none, or its server lives
        return


def used(path: str | Path) -> None:
    """A temporary file that is in use stays longer."""
    if Path(path).is_relative_to(tempfile.gettempdir()):
        with contextlib.suppress(OSError):
            os.utime(path)


def limit_of_disk() -> int:
    """Bytes that SCRATCHPAD_DISK allows.

    Raises:
        UserError: it isn't a whole number of MB.
    """
    given = os.environ.get("SCRATCHPAD_DISK", str(MAX_MB))
    if not given.isdecimal() or int(given) < 1:
        raise UserError(f"SCRATCHPAD_DISK was {given[:20]!r}; expected a whole number of MB, at least 1.")
    return int(given) * 2**20
