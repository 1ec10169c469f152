"""Hostile inputs over every door of a running server and of the files that it reads. Each either is refused in a sentence or works."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scratchpad.cases.bundle import pack, unpack
from scratchpad.errors import UserError
from scratchpad.images import FORMATS, load_image
from tests.attack.watched import Watched
from tests.test_hostile import value

PATHS = (
    "/etc/passwd",
    "http://127.0.0.1:9/x",
    "//127.0.0.1:9/x",
    "file:///etc/passwd",
    "../" * 9 + "etc/passwd",
    "/proc/self/environ",
    "~",
)
ROUTES = (
    "file=",
    "file/",
    "proxy=",
    "stream/",
    "deep_link?session_hash=",
    "custom_component/",
    "run/",
    "api/",
    "vibe-code/",
    "monitoring/",
)
HEADERS = ("x-gradio-history-bucket", "x-gradio-server", "x-forwarded-for", "x-forwarded-host", "forwarded", "x-scratchpad-inner")
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(%pipe%touch /tmp/owned) (w) file\nshowpage\n%%EOF\n"
CASE = Path(__file__).parents[1] / "cases" / "fixtures" / "format-1.case"


def sent(server: Watched, path: str, data: bytes | None = None, kind: str = "application/json", **headers: str) -> tuple[int, bytes]:
    """Status and what came; -1 where there was no answer."""
    head = {"content-type": kind} | headers
    try:
        call = urllib.request.Request(server.url + path, data, head)
        with urllib.request.urlopen(call, timeout=120) as answer:
            return answer.status, answer.read(2**22)
    except urllib.error.HTTPError as error:
        return error.code, error.read(2**20)
    except (OSError, ValueError, UnicodeError) as error:
        return (0, str(error).encode()) if isinstance(error, ValueError | UnicodeError) else (-1, str(error).encode())


def event(server: Watched, function: int, data: list[Any], given: Any = None) -> bytes:
    """What the queue tells a session of its own of one event."""
    session = uuid.uuid4().hex
    wanted = {"data": data, "fn_index": function, "session_hash": session, "event_data": given}
    code, said = sent(server, "/gradio_api/queue/join", json.dumps(wanted).encode())
    return sent(server, f"/gradio_api/queue/data?session_hash={session}")[1] if code == 200 else said


def uploaded(server: Watched, data: bytes, name: str = "a.png") -> str:
    """Its path on the server, empty where it was refused."""
    head = f'--x\r\ncontent-disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    code, said = sent(server, "/gradio_api/upload", head + data + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")
    return str(json.loads(said)[0]) if code == 200 else ""


class Attack:
    """Counts what came of each kind; `wrong` says what shouldn't have."""

    def __init__(self, server: Watched, seed: int = 0):
        self.server, self.rng = server, np.random.default_rng(seed)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def judge(self, door: str, code: int, said: bytes) -> None:
        self.counts[door] += 1
        if code < 0 or (code >= 500 and code != 503):
            self.wrong.append(f"{door}: {code} {said[:200]!r}")
        if b"Traceback" in said or b"root:x:0" in said or b"HF_TOKEN" in said:
            self.wrong.append(f"{door}: {said[:200]!r}")

    def routes(self, count: int) -> None:
        for n in range(count):
            route, path = ROUTES[n % len(ROUTES)], PATHS[int(self.rng.integers(len(PATHS)))]
            tail = "".join(chr(int(c)) for c in self.rng.integers(33, 127, int(self.rng.integers(6))))
            header = {HEADERS[int(self.rng.integers(len(HEADERS)))]: "127.0.0.1/x"}
            code, said = sent(self.server, f"/gradio_api/{route}{urllib.request.quote(path + tail, safe='/:=')}", None, **header)
            self.judge("routes", code, said)
            if code == 200:
                self.wrong.append(f"routes: {route}{path}{tail} was answered")

    def events(self, count: int) -> None:
        """To every function of the page and the endpoints, data of any form."""
        known = self.server.config["dependencies"]
        for n in range(count):
            one = known[n % len(known)]
            data = [value(self.rng) for _ in one["inputs"]] if self.rng.random() < 0.8 else value(self.rng)
            wanted = {"data": data, "fn_index": one["id"], "event_data": value(self.rng)}
            said = event(self.server, one["id"], json.loads(json.dumps(data, default=str)), json.loads(json.dumps(wanted, default=str)))
            self.judge("events", 200, said)

    def lookups(self, count: int) -> None:
        panels = [c["id"] for c in self.server.config["components"] if str(c["props"].get("elem_id", "")).startswith("sp-")]
        names = ("detail", "overview", "latent", "search", "rename", "measured", "file", "stop", "__init__", "preprocess")
        for n in range(count):
            wanted = {
                "data": value(self.rng),
                "session_hash": f"s{n}",
                "component_id": panels[n % len(panels)],
                "fn_name": names[n % len(names)],
            }
            code, said = sent(self.server, "/gradio_api/component_server", json.dumps(wanted, default=str).encode())
            self.judge("lookups", code, said)

    def bodies(self, count: int) -> None:
        for n in range(count):
            path = ("queue/join", "call/analyze", "component_server", "cancel", "reset", "upload", "call/v2/offers")[n % 7]
            data = self.rng.bytes(int(self.rng.integers(0, 400))) if n % 2 else json.dumps(value(self.rng), default=str).encode()
            kind = ("application/json", "multipart/form-data; boundary=x", "text/plain", "multipart/form-data")[int(self.rng.integers(4))]
            self.judge("bodies", *sent(self.server, f"/gradio_api/{path}", data, kind))

    def pictures(self, count: int) -> None:
        """Uploads that are mutated, of every format and of none, asked about."""
        ask = next(d["id"] for d in self.server.config["dependencies"] if d["api_name"] == "ask")
        for n in range(count):
            path = uploaded(self.server, self.mutated(n), f"a.{('png', 'eps', 'svg', 'ps', 'jpg')[n % 5]}")
            self.counts["pictures"] += 1
            if not path:
                self.wrong.append("pictures: an upload was refused")
                continue
            given = {"path": path, "orig_name": Path(path).name, "meta": {"_type": "gradio.FileData"}}
            self.judge("pictures", 200, event(self.server, ask, [given, "what is it", "0", "", None]))

    def mutated(self, n: int) -> bytes:
        if n % 7 == 0:
            return POSTSCRIPT
        buffer = io.BytesIO()
        picture = Image.fromarray(self.rng.integers(0, 255, (24, 24, 3), np.uint8))
        picture.save(buffer, FORMATS[n % len(FORMATS)])
        data = bytearray(buffer.getvalue())
        for place in self.rng.integers(0, len(data), int(self.rng.integers(1, 12))):
            data[place] = int(self.rng.integers(256))
        return bytes(data[: int(self.rng.integers(1, len(data) + 1))] if n % 3 else data)

    def files(self, count: int) -> None:
        """In this process, without the server: pictures and cases with bytes changed."""
        whole = pack(unpack(CASE.read_bytes()))
        for n in range(count):
            if n % 8:
                data = self.mutated(n)
                self._one("picture files", lambda data=data: load_image(data))
            else:
                case = bytearray(whole)
                for place in self.rng.integers(0, len(case), int(self.rng.integers(1, 20))):
                    case[place] = int(self.rng.integers(256))
                self._one("case files", lambda case=case: unpack(bytes(case)))

    def _one(self, door: str, act: Callable[[], object]) -> None:
        self.counts[door] += 1
        try:
            act()
        except UserError as error:
            if not 0 < len(str(error)) < 1000:
                self.wrong.append(f"{door}: {str(error)[:200]}")
        except BaseException as error:
            self.wrong.append(f"{door}: {type(error).__name__} {str(error)[:200]}")
