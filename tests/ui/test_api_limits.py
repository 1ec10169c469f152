"""The endpoints and strangers: nothing fetched, no path read, nobody over the limit, none without the login."""

from __future__ import annotations

import base64
import json
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError

from scratchpad.ui.calls import lookups
from scratchpad.ui.visitors import Limit
from tests.ui.conftest import served

pytestmark = pytest.mark.browser


def _posted(server: str, name: str, data: list[Any], visitor: str) -> str:
    """What the server says to a bare request."""
    head = {"content-type": "application/json", "x-forwarded-for": visitor}
    call = urllib.request.Request(f"{server}/gradio_api/call/{name}", json.dumps({"data": data}).encode(), head)
    with urllib.request.urlopen(call, timeout=300) as answer:
        event = json.loads(answer.read())["event_id"]
    with urllib.request.urlopen(f"{server}/gradio_api/call/{name}/{event}", timeout=300) as answer:
        return str(answer.read().decode())


def test_no_address_is_fetched_and_no_path_read(server: str, scene_path: Path) -> None:
    seen: list[bytes] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(8)

        def accept() -> None:
            try:
                seen.append(listening.accept()[0].recv(100))
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x.png"
        for where in (address, "https://example.com/x.png", "/etc/passwd", str(scene_path), "/nowhere/scratchpad-secret.png"):
            bare = {"path": where, "url": where}
            marked = bare | {"meta": {"_type": "gradio.FileData"}}
            sent = [
                ("ask", [None, marked, "0", "", None]),
                ("analyze", ["", "what", 3, "", [marked], None, None]),
                ("analyze", [marked, "what", 3, "", None, None, None]),
            ]
            for picture in (marked, bare, bare | {"meta": {}}, bare | {"meta": {"_type": "x"}}):
                sent += [("ask", [picture, "what", "0", "", None]), ("ask", [None, "what", "0", "", [{"image": picture}]])]
            for n, (endpoint, data) in enumerate(sent):
                told = _posted(server, endpoint, data, f"10.0.1.{n}")
                assert "event: error" in told, (told, data)
                assert "/nowhere" not in told
                refusal = "nothing is fetched here" if where.startswith("http") and "FileData" in str(data) else "is no upload"
                if where.startswith("http") or "FileData" not in str(data):  # Gradio itself refuses marked paths, in words of its own
                    assert refusal in told, (told, data)
        thread.join()
    assert seen == []


def test_headers_are_strict_and_no_other_site_reads_answers(server: str) -> None:
    for path, method in (("/", "GET"), ("/config", "GET"), ("/gradio_api/call/analyze", "OPTIONS")):
        head = {"origin": "https://evil.example", "access-control-request-method": "POST", "x-forwarded-for": "10.0.0.3"}
        try:
            with urllib.request.urlopen(urllib.request.Request(server + path, headers=head, method=method), timeout=300) as answer:
                told = answer.headers
        except urllib.error.HTTPError as error:
            told = error.headers
        assert not [name for name in told if name.lower().startswith("access-control-")], path
        assert "frame-ancestors" in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"


def test_a_visitor_over_the_limit_is_told_when_to_come_back(server: str, image: str) -> None:
    greedy = Client(server, verbose=False, headers={"x-forwarded-for": "1.2.3.4, 10.9.9.9"})
    for _ in range(60):
        with pytest.raises(AppError, match="no id of a case"):
            greedy.predict("none", api_name="/case_open")
    with pytest.raises(AppError, match="60 requests a minute from each visitor; ask again in"):
        greedy.predict("none", api_name="/case_open")
    other = Client(
        server, verbose=False, headers={"x-forwarded-for": "1.2.3.4, 10.9.9.8"}
    )  # what a visitor writes there counts for nothing
    with pytest.raises(AppError, match="no id of a case"):
        other.predict("none", api_name="/case_open")


def _sent(server: str, path: str, body: bytes, kind: str, visitor: str) -> str:
    head = {"content-type": kind, "x-forwarded-for": visitor}
    with urllib.request.urlopen(urllib.request.Request(f"{server}/gradio_api/{path}", body, head), timeout=300) as answer:
        return str(answer.read().decode())


def test_uploads_count_too(server: str) -> None:
    part = '--x\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\nnothing\r\n--x--\r\n'

    def upload() -> str:
        return _sent(server, "upload", part.encode(), "multipart/form-data; boundary=x", "10.0.0.7")

    assert all("a.png" in upload() for _ in range(60))
    with pytest.raises(urllib.error.HTTPError) as refused:
        upload()
    assert refused.value.code == 429
    assert "ask again in" in json.loads(refused.value.read())["detail"]


def test_no_file_is_taken_where_panels_send_json(server: str) -> None:
    part = '--x\r\ncontent-disposition: form-data; name="data"; filename="a.png"\r\n\r\nnothing\r\n--x--\r\n'
    with pytest.raises(urllib.error.HTTPError) as refused:
        _sent(server, "component_server", part.encode(), "multipart/form-data; boundary=x", "10.0.0.9")
    assert refused.value.code == 415


def test_lookups_count_apart_from_what_runs_the_model(server: str) -> None:
    with urllib.request.urlopen(f"{server}/config", timeout=300) as answer:
        panels = {c["props"].get("elem_id"): c["id"] for c in json.load(answer)["components"]}

    def look_up(panel: str, name: str, data: list[Any]) -> dict[str, Any]:
        wanted = {"data": data, "session_hash": "s", "component_id": panels[panel], "fn_name": name}
        told = json.loads(_sent(server, "component_server", json.dumps(wanted).encode(), "application/json", "10.0.0.8"))
        return dict(json.loads(told))

    assert "references" in look_up("sp-line-look", "detail", ["", 0])
    assert "the owner allows it" in look_up("sp-line-boot", "rename", ["", 0, "mine"])["error"]  # at a local address, but behind a proxy
    counted, asked = lookups(Limit(2), 1, lambda given: {"given": given}), SimpleNamespace(headers={}, client=SimpleNamespace(host="h"))
    assert [json.loads(counted[0](n, asked)).get("given") for n in range(3)] == [0, 1, None]
    assert "ask again in" in counted[0](0, asked)


def test_a_full_queue_refuses_at_once(tmp_path: Path, image: str) -> None:
    with served(tmp_path, "--queue", "1") as url:
        clients = [Client(url, verbose=False) for _ in range(8)]

        def visit(n: int) -> str:
            try:
                told: Any = clients[n].predict(image, f"what is number {n}", 8, "", api_name="/analyze")
                return str(told["run"]["answer"]) or "nothing"
            except (AppError, QueueError) as error:
                return str(error)

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(visit, range(8)))
    refused = [one for one in told if "full" in one.lower()]
    assert 1 <= len(refused) < 8, told
    assert all(one for one in told)


def test_a_login_keeps_strangers_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    monkeypatch.setenv("SCRATCHPAD_AUTH", "ann:secret")
    header = {"authorization": f"Basic {base64.b64encode(b'ann:secret').decode()}"}

    async def visit(head: dict[str, str]) -> Any:
        address = f"{url}/gradio_api/mcp/"
        async with streamablehttp_client(address, headers=head) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = await session.list_tools()
            return await session.call_tool(next(tool.name for tool in tools.tools if tool.name.endswith("offers")), {})

    with served(tmp_path, "--no-model", "--mcp") as url:
        for path in ("config", "gradio_api/info", "gradio_api/mcp/schema", "gradio_api/heartbeat/x", "gradio_api/run-history/buckets"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{url}/{path}", timeout=10)
            assert refused.value.code == (404 if "history" in path else 401), path
        inside = Client(url, auth=("ann", "secret"), verbose=False)
        assert inside.predict(api_name="/offers") == []
        with ThreadPoolExecutor(1) as apart:
            assert not apart.submit(lambda: asyncio.run(visit(header))).result().isError
            with pytest.raises(BaseExceptionGroup):
                apart.submit(lambda: asyncio.run(visit({}))).result()
        with pytest.raises((ValueError, AppError)):
            Client(url, auth=("ann", "guess"), verbose=False)
