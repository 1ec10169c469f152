"""Where cases are kept: a folder, or any place that fsspec writes to. A case is there whole or not at all.

`<id>.case` is the bundle; `<id>.json` beside it says whether it's listed and holds the hash of the key that deletes it.
The bundle is written last and deleted first, so its presence alone decides. Settings: SCRATCHPAD_STORE (a folder or a URL
such as hf://datasets/me/cases or s3://bucket/cases), SCRATCHPAD_STORE_CASES (how many at most).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from scratchpad.caching import Cache
from scratchpad.cases.bundle import Bundle, pack, unpack
from scratchpad.errors import UserError
from scratchpad.files import write_whole

MAX_CASES = 10_000
READ = 64 * 2**20  # bytes of cases that stay in memory
ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Listed:
    """A case in a list."""

    id: str
    title: str


class Store:
    """Cases in one place.

    Raises:
        UserError: from the constructor, when the place can't be reached.
    """

    def __init__(self, place: str | Path | None = None, most: int | None = None, writable: bool = True, token: str | None = None):
        self.place = str(place or os.environ.get("SCRATCHPAD_STORE") or default_place())
        self.most = most or int(os.environ.get("SCRATCHPAD_STORE_CASES", MAX_CASES))
        self.writable = writable
        self._read: Cache[Bundle] = Cache(READ)  # checked once: what an id names never changes
        try:
            self.files, self.root = fsspec.core.url_to_fs(
                self.place, **({"token": token} if token and self.place.startswith("hf://") else {})
            )
        except (ImportError, ValueError) as error:
            raise UserError(f"Cases can't be kept in {self.place} ({error}); give a folder or a URL that fsspec knows.") from error

    def put(self, made: Bundle, listed: bool = False) -> tuple[str, str | None]:
        """(id, key that deletes it). The same content is kept once, and has no second key.

        Raises:
            UserError: the store is full, can't be written to, or the case is too large.
        """
        data = pack(made)
        if self.has(made.id):
            return made.id, None
        if not self.writable:
            raise UserError("These cases can only be read.")
        if len(self._ids()) >= self.most:
            raise UserError(f"The store holds {self.most} cases, as many as it may; delete one, or keep this one as a file.")
        key = secrets.token_urlsafe(18)
        about = {"title": made.case.title, "listed": listed, "key": _hashed(key)}
        try:
            self.files.makedirs(self.root, exist_ok=True)
            self._write(self._path(made.id, "json"), json.dumps(about).encode())
            self._write(self._path(made.id, "case"), data)
        except OSError as error:
            self._forget(made.id)
            raise UserError(f"The case can't be kept in {self.place}: {error.strerror or error}.") from error
        return made.id, key

    def get(self, case: str) -> Bundle:
        """A case by its id.

        Raises:
            UserError: no such case, or it was damaged.
        """
        self._known(case)
        return self._read.get((case,), lambda: unpack(self.files.cat_file(self._path(case, "case")), expected=case))

    def delete(self, case: str, key: str) -> None:
        """Deletes a case, with the key that `put` gave.

        Raises:
            UserError: no such case, or not its key.
        """
        self._known(case)
        if not hmac.compare_digest(str(self._about(case).get("key", "")), _hashed(key)):
            raise UserError(f"That key doesn't delete the case {case}; expected the one shown when it was made.")
        self.files.rm_file(self._path(case, "case"))
        self.files.rm_file(self._path(case, "json"))

    def listed(self) -> list[Listed]:
        """Cases whose makers chose to have them listed, newest first; those of a store that came with the code by title."""
        about = [(case, self._about(case)) for case in self._ids()]
        if not self.writable:  # a clone sets file times anew
            about.sort(key=lambda entry: str(entry[1].get("title")))
        return [Listed(case, str(a["title"])) for case, a in about if a.get("listed") is True and isinstance(a.get("title"), str)]

    def has(self, case: str) -> bool:
        """Whether there is a case of this id."""
        return bool(ID.fullmatch(case)) and self.files.exists(self._path(case, "case"))

    def _known(self, case: str) -> None:
        if not isinstance(case, str) or not ID.fullmatch(case):
            raise UserError("That is no id of a case; expected 32 characters of 0-9 and a-f.")
        if not self.has(case):
            raise UserError(f"There is no case {case} here; it may have been deleted, or kept in another place.")

    def _ids(self) -> list[str]:
        if not self.files.exists(self.root):
            return []
        self.files.invalidate_cache(self.root)
        rows = [row for row in self.files.ls(self.root, detail=True) if str(row["name"]).endswith(".case")]
        rows.sort(key=lambda row: -float(row.get("mtime") or 0))
        names = [str(row["name"]).rsplit("/", 1)[-1].removesuffix(".case") for row in rows]
        return [name for name in names if ID.fullmatch(name)]

    def _about(self, case: str) -> dict[str, object]:
        try:
            value = json.loads(self.files.cat_file(self._path(case, "json")))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _path(self, case: str, kind: str) -> str:
        return f"{self.root}/{case}.{kind}"

    def _write(self, path: str, data: bytes) -> None:
        if not isinstance(self.files, LocalFileSystem):
            self.files.pipe_file(path, data)  # one object, which such stores put as a whole
            return
        write_whole(Path(path), data)

    def _forget(self, case: str) -> None:
        """What a case that couldn't be written left, unless another server wrote it meanwhile."""
        with contextlib.suppress(OSError):
            if not self.has(case):
                self.files.rm_file(self._path(case, "json"))


def default_place() -> Path:
    """/data/cases where a Space has persistent storage, else the user's data folder."""
    if os.environ.get("SPACE_ID") and os.access("/data", os.W_OK):
        return Path("/data/cases")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "visual-scratchpad" / "cases"


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
