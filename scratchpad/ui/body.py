"""What a request carries, bounded before anything of it is parsed: bytes of each, bytes of all at once, files of an upload."""

from __future__ import annotations

import asyncio

from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from scratchpad.images import MAX_BYTES, MAX_IMAGES

SMALL = 256 * 2**10  # bytes of what panels send
LARGE = 32 * 2**20  # of what programs send: pictures as base64
AT_ONCE = 4 * LARGE  # of all requests that are being read or answered
UPLOAD = 2 * MAX_BYTES  # of one upload
PARTS = MAX_IMAGES + 2  # of one upload: files and fields
PATIENCE = 60.0  # seconds in which a body has come


class Refused(Exception):
    """A request that is refused: its status and a sentence."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers or {}


class Bodies:
    """Reads bodies whole; knows how many bytes of them are held at once."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE):
        self.at_once, self.patience, self.held = at_once, patience, 0

    async def whole(self, receive: Receive, most: int, declared: int | None) -> bytes:
        """A body of at most so many bytes; whoever asked gives it back with `done`.

        Raises:
            Refused: it's larger, comes too slowly, or others hold all that may be held.
        """
        if declared is not None and declared > most:
            raise _large(most)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.patience):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "The request was not whole.")
                    part = message.get("body", b"")
                    size, self.held = size + len(part), self.held + len(part)
                    parts.append(part)
                    if size > most:
                        raise _large(most)
                    if self.held > self.at_once:
                        raise Refused(503, "The server is reading as many large requests as it can; try again in a minute.")
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError as error:
            self.done(size)
            raise Refused(408, f"The request was not whole after {self.patience:.0f} s; send it again.") from error
        except Refused:
            self.done(size)
            raise

    def done(self, size: int) -> None:
        """So many bytes are no longer held."""
        self.held -= size


def replayed(data: bytes, receive: Receive) -> Receive:
    """A body that was read already, for whoever reads it next."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": data, "more_body": False}

    return again


class Upload:
    """An upload as it comes: bytes and parts are counted. Its files are on the disk before they're whole, so it isn't held."""

    def __init__(self, receive: Receive, kind: str, declared: int | None):
        main, options = parse_options_header(kind)  # as Gradio reads it
        if main != b"multipart/form-data" or not options.get(b"boundary"):
            raise Refused(415, "An upload is multipart/form-data with a boundary.")
        if declared is not None and declared > UPLOAD:
            raise _large(UPLOAD)
        self._receive, self._mark = receive, b"--" + options[b"boundary"]
        self._size, self._marks, self._tail = 0, 0, b""
        self.refused: Refused | None = None

    async def receive(self) -> Message:
        """The next piece.

        Raises:
            MultiPartException: there is too much; Gradio's parser removes what it wrote, and `refused` says why.
        """
        message = await self._receive()
        part = message.get("body", b"")
        self._size += len(part)
        seen = self._tail + part
        self._marks += seen.count(self._mark)
        self._tail = seen[-(len(self._mark) - 1) :]
        if self._size > UPLOAD:
            self.refused = _large(UPLOAD)
        elif self._marks > PARTS + 1:  # one before each, one at the end
            self.refused = Refused(413, f"An upload has at most {MAX_IMAGES} files.")
        if self.refused:
            raise MultiPartException(self.refused.sentence)
        return message


def _large(most: int) -> Refused:
    size = f"{most // 2**20} MB" if most >= 2**20 else f"{most // 2**10} KB"
    return Refused(413, f"The request is larger than {size}, as much as is read here; scale pictures down, or upload them as files.")
