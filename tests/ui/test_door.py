"""The door before Gradio: what passes, what is refused, and that the running app has no route that nobody looked at."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio.routes import App
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount

from scratchpad.errors import UserError
from scratchpad.ui import body, routes
from scratchpad.ui.app import Served, build
from scratchpad.ui.door import Door, Rules
from scratchpad.ui.logins import FREE, Logins, basic
from scratchpad.ui.server import Guarded, Streams
from scratchpad.ui.visitors import visitor, whose
from tests.ui.conftest import cold

LOCAL = [("host", "127.0.0.1:7860")]


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A place where nothing of the server should ever arrive, and what did."""
    seen: list[bytes] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                seen.append(connection.recv(2000))
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", seen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, listener: tuple[str, list[bytes]]) -> Iterator[str]:
    """Without a model, with a token of the owner's whose hub is the listener."""
    with pytest.MonkeyPatch.context() as set_up:
        for name, value in {"HF_TOKEN": "hf_ownersown", "HF_ENDPOINT": listener[0], "HF_HUB_OFFLINE": "0"}.items():
            set_up.setenv(name, value)
        with cold(tmp_path_factory.mktemp("store"), "--no-model", "--mcp") as url:
            yield url


def told(url: str, data: object = None, method: str | None = None, **headers: str) -> tuple[int, str]:
    """Status and text."""
    text = None if data is None else data if isinstance(data, bytes) else json.dumps(data).encode()
    head = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, text, head, method=method), timeout=300) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.browser
def test_the_owners_token_goes_nowhere(server: str, listener: tuple[str, list[bytes]]) -> None:
    for bucket in ("stranger/bucket", "x/y"):
        code, event = told(f"{server}/gradio_api/call/offers", {"data": []}, x_gradio_history_bucket=bucket)
        assert code == 200
        told(f"{server}/gradio_api/call/offers/{json.loads(event)['event_id']}")
    for path in ("runs", "run-history/buckets", "run-history/records?limit=1"):
        assert told(f"{server}/gradio_api/{path}", x_gradio_history_bucket="x/y")[0] == 404
    assert told(f"{server}/gradio_api/run-history/connect", {"bucket_id": "x/y"})[0] == 404
    assert listener[1] == []


@pytest.mark.browser
def test_nothing_is_fetched_and_handed_on(server: str, listener: tuple[str, list[bytes]]) -> None:
    where = f"{listener[0]}/x"
    for path in (f"file={where}", f"file/{where}", f"proxy={where}", f"file={where.replace('http', 'HTTP')}", f"file=//{where[7:]}"):
        for given in (path, path.replace(":", "%3A").replace("/", "%2F")):
            code, text = told(f"{server}/gradio_api/{given}")
            assert (code, "secret" in text) == (404, False), given
    for path in ("/etc/passwd", "%2Fetc%2Fpasswd", "/proc/self/environ", "~/.bashrc", "%00", "../" * 8 + "etc/passwd", "a" * 5000):
        assert told(f"{server}/gradio_api/file={path}")[0] in (400, 404)
    assert listener[1] == []


@pytest.mark.browser
def test_foreign_pages_get_nothing(server: str) -> None:
    join = {"data": [], "fn_index": 0, "session_hash": "s"}
    assert told(f"{server}/config", host="evil.example")[0] == 421  # DNS rebinding
    for head in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}, {"origin": "null"}):
        assert told(f"{server}/gradio_api/queue/join", join, **head)[0] == 403
    assert told(f"{server}/gradio_api/cancel", {}, content_type="text/plain")[0] == 415
    part = b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\nnothing\r\n--x--\r\n'
    assert (
        told(f"{server}/gradio_api/upload", part, content_type="multipart/form-data; boundary=x", origin="https://evil.example")[0] == 403
    )
    assert told(f"{server}/config", origin=server)[0] == 200


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("queue/join", b"NaN", 422),
        ("reset", b"NaN", 422),
        ("queue/join", b'["../..", {"scale": Infinity}]', 422),
        ("call/v2/offers", b'{"value": 1e308}', 400),
        ("call/v2/no_such_endpoint", b"{}", 400),
        ("call/v2/analyze", b"{}", 400),
    ],
)
def test_what_is_of_another_form_is_refused_in_a_sentence(server: str, path: str, sent: bytes, status: int) -> None:
    code, said = told(f"{server}/gradio_api/{path}", sent, x_forwarded_for="10.0.2.1")
    assert code == status, said
    assert "NaN" not in said
    assert json.loads(said)["detail"].endswith(".")


@pytest.mark.browser
def test_bodies_are_bounded(server: str) -> None:
    large = b'{"data": ["' + b"x" * body.SMALL + b'"]}'
    for path in ("component_server", "cancel", "reset"):
        assert told(f"{server}/gradio_api/{path}", large)[0] == 413
    many = (
        b"".join(b'--x\r\ncontent-disposition: form-data; name="files"; filename="a%d.png"\r\n\r\nn\r\n' % n for n in range(40))
        + b"--x--\r\n"
    )
    code, said = told(f"{server}/gradio_api/upload", many, content_type="multipart/form-data; boundary=x")
    assert (code, "at most" in said) == (413, True)
    for name in ("data", "anything"):  # what lies in other fields is bounded and swept alike
        other = many.replace(b'"files"', f'"{name}"'.encode())
        assert told(f"{server}/gradio_api/upload", other, content_type="multipart/form-data; boundary=x")[0] == 413
    deep = b"[" * 100_000
    assert all(
        400 <= told(f"{server}/gradio_api/{path}", deep)[0] < 500 for path in ("queue/join", "call/offers", "component_server", "cancel")
    )


def paths(listed: Any, before: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Every route of an app with its methods; what is mounted as one."""
    for route in listed:
        if hasattr(route, "original_router"):
            yield from paths(route.original_router.routes)
        elif isinstance(route, Mount):
            yield route.path, frozenset({"GET", "POST", "DELETE"})
        else:
            yield route.path, frozenset(route.methods or ())


@pytest.mark.parametrize("history", [False, True])
def test_every_route_of_gradio_is_on_a_list(history: bool) -> None:
    """Of the version that is installed: whoever upgrades it reads what is new."""
    page = build(None, [])
    page.run_history = history
    app = App.create_app(page.queue(), app=Guarded(Rules()), mcp_server=True)
    there = dict.fromkeys(path for path, _ in paths(app.routes))
    unknown = set(there) - set(routes.OPEN) - routes.SHUT
    assert not unknown, f"read what these do and put them into a list of scratchpad/ui/routes.py: {sorted(unknown)}"
    assert set(routes.OPEN) <= set(there), "these are open and gone"
    for path, methods in paths(app.routes):
        for method in methods:
            example = (
                path.replace("{path:path}", "a/b")
                .replace("{path_or_url:path}", "/a")
                .replace("{url_path:path}", "a")
                .replace("{", "")
                .replace("}", "")
            )
            wanted = routes.OPEN.get(path, {}).get(method)
            assert routes.kind(method, example, mcp=False) == wanted or path in routes.SHUT, (method, path)


def test_what_is_shut_is_of_no_kind() -> None:
    for path in routes.SHUT:
        bare = path.replace(":path", "").replace("{", "").replace("}", "")
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            assert routes.kind(method, bare, mcp=False) is None, (method, bare)


async def heard(scope: Any, receive: Any, send: Any) -> None:
    """Stands for Gradio: says what reached it."""
    request = Request(scope, receive)
    data = await request.body()
    assert request.client
    await JSONResponse({"who": request.client.host, "headers": sorted(request.headers), "bytes": len(data)})(scope, receive, send)


def asked(
    door: Door, path: str, method: str = "GET", head: list[tuple[str, str]] = LOCAL, data: bytes = b"", peer: str = "9.9.9.9"
) -> tuple[int, Any]:
    """One request through a door; the status, and what it says."""
    sent: list[Any] = []
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [(k.encode(), v.encode()) for k, v in head]}
    scope |= {"client": (peer, 1), "server": ("h", 1), "scheme": "http", "http_version": "1.1", "root_path": ""}

    async def receive() -> Any:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as apart:  # Playwright's loop may be running in this thread
        apart.submit(lambda: asyncio.run(door(scope, receive, send))).result()
    return sent[0]["status"], json.loads(b"".join(m.get("body", b"") for m in sent[1:]) or b"null")


def door_of(**how: Any) -> Door:
    queue = SimpleNamespace(event_queue_per_concurrency_id={})
    gradio = SimpleNamespace(tokens={}, cookie_id="c", get_blocks=lambda: SimpleNamespace(_queue=queue))
    return Door(heard, gradio, Rules(**how))


def test_headers_that_are_not_needed_do_not_pass() -> None:
    head = [
        *LOCAL,
        ("x-gradio-history-bucket", "a/b"),
        ("x-gradio-user", "x"),
        ("X-Gradio-Server", "h"),
        ("forwarded", "for=1"),
        ("cookie", "a=b"),
    ]
    head += [
        ("x-forwarded-for", "1.1.1.1"),
        ("x-real-ip", "1.1.1.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "<b>"),
        ("x-scratchpad-inner", "guess"),
    ]
    code, said = asked(door_of(), "/config", head=head)
    assert (code, said["who"]) == (200, "9.9.9.9")
    assert said["headers"] == ["cookie", "host", "x-forwarded-proto"]


def test_who_asks_is_what_the_owners_proxies_saw() -> None:
    lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2, 3.3.3.3")]
    for proxies, who in ((0, "9.9.9.9"), (1, "3.3.3.3"), (2, "2.2.2.2"), (3, "1.1.1.1"), (4, "9.9.9.9")):
        assert asked(door_of(proxies=proxies), "/config", head=LOCAL + lines)[1]["who"] == who
    assert whose("2001:db8:1:2:3::4") == whose("[2001:db8:1:2::9]") == "2001:db8:1:2::/64"
    assert whose("2001:db8:1:3::4") != whose("2001:db8:1:2::4")
    assert whose("::ffff:1.2.3.4") == "1.2.3.4"
    assert visitor(None, 0) == ""


@pytest.mark.parametrize(
    ("path", "method", "most"), [("/gradio_api/queue/join", "POST", 8), ("/gradio_api/upload", "POST", 2), ("/config", "GET", 80)]
)
def test_everything_counts_at_the_door(path: str, method: str, most: int) -> None:
    door = door_of(rate=2)
    kind = "multipart/form-data; boundary=x" if "upload" in path else "application/json"
    told = [asked(door, path, method, [*LOCAL, ("content-type", kind)], b"{}") for _ in range(most + 1)]
    assert [code for code, _ in told] == [200] * most + [429]
    assert "ask again in" in told[-1][1]["detail"]
    assert asked(door, path, method, [*LOCAL, ("content-type", kind)], b"{}", peer="8.8.8.8")[0] == 200
    assert asked(door, "/assets/x.js")[0] == 200


def test_one_visitor_cannot_fill_the_queue() -> None:
    door = door_of(rate=100, waiting=16)
    mine = SimpleNamespace(request=SimpleNamespace(client=SimpleNamespace(host="9.9.9.9")))
    door.gradio.get_blocks()._queue.event_queue_per_concurrency_id["model"] = SimpleNamespace(queue=[mine] * 4)
    head = [*LOCAL, ("content-type", "application/json")]
    assert asked(door, "/gradio_api/queue/join", "POST", head, b"{}")[0] == 429
    assert asked(door, "/gradio_api/queue/join", "POST", head, b"{}", peer="8.8.8.8")[0] == 200


def test_bodies_are_given_back() -> None:
    door = door_of()
    head = [*LOCAL, ("content-type", "application/json")]
    assert asked(door, "/gradio_api/cancel", "POST", head, b"x" * (body.SMALL + 1))[0] == 413
    assert asked(door, "/gradio_api/call/analyze", "POST", head, b"x" * body.LARGE)[0] == 200
    door.bodies.at_once = 10
    assert asked(door, "/gradio_api/call/analyze", "POST", head, b"x" * 11)[0] == 503
    assert asked(door, "/gradio_api/call/analyze", "POST", [*head, ("content-length", str(2**40))])[0] == 413
    assert door.bodies.held == 0
    assert door._open == {}


def test_a_login_is_asked_for_everywhere() -> None:
    door = door_of(logins=Logins([("ann", "secret")]), mcp=True)
    for path, methods in (routes.OPEN | routes.MCP).items():
        for method, kind in methods.items():
            if kind not in routes.BEFORE_LOGIN | {"file"}:
                bare = path.replace(":path", "").replace("{", "").replace("}", "")
                assert asked(door, bare, method, [*LOCAL, ("content-type", "application/json")])[0] == 401, path
    right, wrong = (base64.b64encode(f"ann:{word}".encode()).decode() for word in ("secret", "guess"))
    code, said = asked(door, "/config", head=[*LOCAL, ("authorization", f"Basic {right}")])
    assert (code, "cookie" in said["headers"]) == (200, True)
    assert list(door.gradio.tokens.values()) == ["ann"]
    token = next(iter(door.gradio.tokens))
    assert asked(door, "/config", head=[*LOCAL, ("cookie", f"access-token-unsecure-c={token}")])[0] == 200
    assert asked(door, "/config", head=[*LOCAL, ("cookie", "access-token-c=guess")])[0] == 401
    codes = [asked(door, "/config", head=[*LOCAL, ("authorization", f"Basic {wrong}")])[0] for _ in range(FREE + 1)]
    assert codes == [401] * FREE + [429]
    assert asked(door, "/config", head=[*LOCAL, ("authorization", f"Basic {right}")], peer="8.8.8.8")[0] == 200
    assert basic("Basic !!!") is basic("Bearer x") is basic("") is None


def test_guessing_is_slowed_down(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    logins = Logins([("ann", "secret"), ("bob", "other")], clock=lambda: now[0])
    assert logins.attempt("home", "ann", "secret")
    tried = 0
    for second in range(3600):  # one guess a second for an hour
        now[0] = float(second)
        with suppress(UserError):
            assert not logins.attempt("1.2.3.4", "ann", f"guess {second}")
            tried += 1
    with pytest.raises(UserError, match="try again in"):
        logins.attempt("1.2.3.4", "ann", "secret")
    assert tried < 30
    assert "wrong password for 'ann' from 1.2.3.4" in caplog.text
    assert "guess" not in caplog.text
    for n in range(200):  # a guess from each of many addresses
        with suppress(UserError):
            logins.attempt(f"10.0.0.{n}", "bob", "guess")
            tried += 1
    assert tried < 60
    assert logins.attempt("home", "ann", "secret"), "whoever came in before is never locked out"
    assert not logins.right("ann", "other")


def test_a_stream_that_waits_for_something_is_not_dropped() -> None:
    queue = SimpleNamespace(pending_event_ids_session={"mine": {"event"}})
    streams = Streams(queue, most=3)
    streams["mine"] = "waits"
    for n in range(20):
        streams[f"other {n}"] = "idle"
    assert streams["mine"] == "waits"
    assert len(streams) == 3


def test_the_owners_token_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from scratchpad.cases.store import Store
    from scratchpad.cli.serving import taken_token

    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", "hf_old")
    assert taken_token() == "hf_mine"
    import os

    import huggingface_hub
    import huggingface_hub.constants

    assert not {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} & set(os.environ)
    assert huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN
    assert Store("hf://datasets/me/cases", token="hf_mine").files.token == "hf_mine"
    assert Served().logins is None
