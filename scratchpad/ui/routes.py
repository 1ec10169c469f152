"""Which of Gradio's routes the page, the endpoints and MCP use; every other is shut before Gradio sees it.

A test compares both lists with the routes that the running app has: an upgrade that adds one turns it red until somebody has
read what it does and put it into one of the lists.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Kind = Literal["page", "asset", "login", "read", "join", "lookup", "small", "upload", "file", "mcp"]
API = "/gradio_api"
OPEN: dict[str, dict[str, Kind]] = {  # route -> {method: kind}
    "/": {"GET": "page", "HEAD": "page"},
    "/config": {"GET": "read"},
    "/config/": {"GET": "read"},
    "/login": {"POST": "login"},
    "/login/": {"POST": "login"},
    "/logout": {"GET": "page"},
    "/static/{path:path}": {"GET": "asset"},
    "/assets/{path:path}": {"GET": "asset"},
    "/svelte/{path:path}": {"GET": "asset"},
    "/favicon.ico": {"GET": "asset"},
    "/theme.css": {"GET": "asset"},
    "/robots.txt": {"GET": "asset"},
    "/manifest.json": {"GET": "asset"},
    "/pwa_icon": {"GET": "asset"},
    "/pwa_icon/{size}": {"GET": "asset"},
    f"{API}/theme.css": {"GET": "asset"},
    f"{API}/startup-events": {"GET": "asset"},  # which Gradio asks of itself when it starts, before anybody is logged in
    f"{API}/user": {"GET": "read"},
    f"{API}/user/": {"GET": "read"},
    f"{API}/login_check": {"GET": "read"},
    f"{API}/login_check/": {"GET": "read"},
    f"{API}/app_id": {"GET": "read"},
    f"{API}/app_id/": {"GET": "read"},
    f"{API}/info": {"GET": "read"},
    f"{API}/info/": {"GET": "read"},
    f"{API}/openapi.json": {"GET": "read"},
    f"{API}/heartbeat/{{session_hash}}": {"GET": "read"},
    f"{API}/queue/data": {"GET": "read"},
    f"{API}/call/{{api_name}}/{{event_id}}": {"GET": "read"},
    f"{API}/call/v2/{{api_name}}/{{event_id}}": {"GET": "read"},
    f"{API}/upload_progress": {"GET": "read"},
    f"{API}/file={{path_or_url:path}}": {"GET": "file", "HEAD": "file"},
    f"{API}/queue/join": {"POST": "join"},
    f"{API}/call/{{api_name}}": {"POST": "join"},
    f"{API}/call/{{api_name}}/": {"POST": "join"},
    f"{API}/call/v2/{{api_name}}": {"POST": "join"},
    f"{API}/call/v2/{{api_name}}/": {"POST": "join"},
    f"{API}/component_server": {"POST": "lookup"},
    f"{API}/component_server/": {"POST": "lookup"},
    f"{API}/cancel": {"POST": "small"},
    f"{API}/reset": {"POST": "small"},
    f"{API}/reset/": {"POST": "small"},
    f"{API}/upload": {"POST": "upload"},
}
MCP: dict[str, dict[str, Kind]] = {  # with --mcp alone
    f"{API}/mcp": {"GET": "mcp", "POST": "mcp", "DELETE": "mcp"},
    f"{API}/mcp/": {"GET": "mcp", "POST": "mcp", "DELETE": "mcp"},
    f"{API}/mcp/schema": {"GET": "mcp"},
}
SHUT = frozenset(  # what Gradio has beside those, and why nobody may call it
    {
        "/openapi.json",  # of FastAPI, not of the endpoints
        f"{API}/deep_link",  # keeps a copy of a session on the disk
        "/monitoring",
        "/monitoring/summary",
        "/monitoring/{key}",
        f"{API}/token",
        f"{API}/token/",
        f"{API}/dev/reload",
        f"{API}/runs",  # run history: with the owner's hub token
        f"{API}/runs/",
        f"{API}/run-history/connect",
        f"{API}/run-history/buckets",
        f"{API}/run-history/records",
        f"{API}/run-history/records/{{endpoint}}/{{record_id}}/assets/{{asset_id}}",
        f"{API}/custom_component/{{id}}/{{environment}}/{{type}}/{{file_name}}",
        f"{API}/proxy={{url_path:path}}",  # fetches
        f"{API}/file/{{path:path}}",  # an old name of file=, which is enough
        f"{API}/stream/{{event_id}}",  # audio and video, which the page has none of
        f"{API}/stream/{{event_id}}/close",
        f"{API}/stream/{{session_hash}}/{{run}}/{{component_id}}/playlist.m3u8",
        f"{API}/stream/{{session_hash}}/{{run}}/{{component_id}}/{{segment_id}}.{{ext}}",
        f"{API}/stream/{{session_hash}}/{{run}}/{{component_id}}/playlist-file",
        f"{API}/api/{{api_name}}",  # past the queue
        f"{API}/api/{{api_name}}/",
        f"{API}/run/{{api_name}}",
        f"{API}/run/{{api_name}}/",
        f"{API}/queue/status",
        f"{API}/process_recording",  # starts ffmpeg
        f"{API}/vibe-edit",  # writes the server's own code
        f"{API}/vibe-edit/",
        f"{API}/undo-vibe-edit",
        f"{API}/undo-vibe-edit/",
        f"{API}/vibe-code",
        f"{API}/vibe-code/",
        f"{API}/vibe-starter-queries",
        f"{API}/vibe-starter-queries/",
        f"{API}/mcp",  # without --mcp
    }
)
JSON: frozenset[Kind] = frozenset({"join", "lookup", "small"})  # what is posted there is JSON
BEFORE_LOGIN: frozenset[Kind] = frozenset({"page", "asset", "login"})
UNCOUNTED: frozenset[Kind] = frozenset({"asset", "login"})  # files of Gradio's own; logins are slowed down apart


def kind(method: str, path: str, mcp: bool) -> Kind | None:
    """What a request is for; None where it's for nothing that is open."""
    for pattern, methods in _patterns(mcp):
        if method in methods and pattern.fullmatch(path):
            return methods[method]
    return None


@lru_cache(maxsize=2)
def _patterns(mcp: bool) -> tuple[tuple[re.Pattern[str], dict[str, Kind]], ...]:
    return tuple((_pattern(route), methods) for route, methods in (OPEN | (MCP if mcp else {})).items())


def _pattern(route: str) -> re.Pattern[str]:
    """As Starlette reads a route: {name} is one part of a path, {name:path} any number."""
    parts = re.split(r"(\{\w+(?::path)?\})", route)
    return re.compile("".join((".*" if ":path" in part else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts), re.S)
