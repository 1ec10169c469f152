"""What stands before Gradio: routes and headers that the page uses pass, everything else is refused before Gradio sees it.

In order: is the request for this server, from its own pages, for a route that is open, from a visitor who may ask now and
is logged in where a login is set, and no larger than is read here. Knows nothing of models.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Request
from gradio.routes import App
from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Send

from scratchpad.errors import UserError
from scratchpad.ui.body import LARGE, SMALL, Bodies, Refused, Upload, replayed
from scratchpad.ui.calls import READS
from scratchpad.ui.logins import Logins, basic
from scratchpad.ui.routes import BEFORE_LOGIN, JSON, UNCOUNTED, Kind, kind
from scratchpad.ui.visitors import Limit, visitor

JOINS = 4  # of the queue to one request that runs the model: what a page opens with, a header, an endpoint that looks up
OPEN_AT_ONCE = 200  # requests of one visitor, streams among them
LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")
INNER = b"x-scratchpad-inner"  # on what the server asks of itself for an MCP tool: a secret, and whom it's for
PASSED = frozenset(  # request headers that Gradio and what is below it see
    b"host accept accept-encoding accept-language access-control-request-headers access-control-request-method authorization "
    b"cache-control connection content-length content-type cookie if-match if-modified-since if-none-match if-range "
    b"if-unmodified-since last-event-id mcp-protocol-version mcp-session-id origin pragma range referer sec-fetch-dest "
    b"sec-fetch-mode sec-fetch-site transfer-encoding user-agent x-ip-token".split()
)
SANE = {b"x-forwarded-proto": re.compile(rb"https?"), b"x-forwarded-host": re.compile(rb"[\w.:\[\]-]{1,253}")}  # where a proxy says so


@dataclass(frozen=True)
class Rules:
    """What an owner set."""

    host: str = "127.0.0.1"
    rate: int = 0  # requests a minute from each visitor that run the model; 0 for no limit
    proxies: int = 0
    origins: tuple[str, ...] = ()
    waiting: int = 64
    mcp: bool = False
    logins: Logins | None = None
    files: Path | None = None  # the folder that files are served from


@dataclass
class Door:
    """ASGI middleware around all of Gradio's.

    `gradio` is Gradio's app: its `tokens` say who is logged in.
    """

    app: ASGIApp
    gradio: App
    rules: Rules
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    bodies: Bodies = field(default_factory=Bodies)

    def __post_init__(self) -> None:
        rate = self.rules.rate
        self._reads, self._joins, self._uploads = Limit(rate * READS), Limit(rate * JOINS), Limit(rate)
        self._open: dict[str, int] = {}
        self._tokens: dict[str, str] = {}  # of names that came with a header

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websocket is in use
            await send({"type": "websocket.close", "code": 1008})
            return
        who = ""
        try:
            who = self._enter(scope)
            await self._serve(scope, receive, send, who)
        except Refused as refused:
            await JSONResponse({"detail": refused.sentence}, refused.status, refused.headers)(scope, receive, send)
        finally:
            if who:
                self._leave(who)

    def _enter(self, scope: Message) -> str:
        """Who asks; from here on the visitor stands where the connection's address did, and headers that aren't needed are gone."""
        heard = Headers(raw=scope["headers"])
        word, _, whom = heard.get(INNER.decode(), "").partition(" ")
        inner = secrets.compare_digest(word.encode(), self.secret.encode())
        who = whom or "server" if inner else visitor(Request(scope), self.rules.proxies)
        scope["state"] = {**scope.get("state", {}), "inner": inner}
        if not inner:
            self._own(heard)
            self._same_site(scope["method"], heard)
        headers = [(k, v) for k, v in scope["headers"] if k.lower() in PASSED]
        headers += [(k, v) for k, v in scope["headers"] if k.lower() in SANE and SANE[k.lower()].fullmatch(v)]
        scope["headers"] = headers
        scope["client"] = (who, 0)
        if self._open.get(who, 0) >= OPEN_AT_ONCE:
            raise Refused(429, f"{OPEN_AT_ONCE} requests of yours are open; close some pages and try again.")
        self._open[who] = self._open.get(who, 0) + 1
        return who

    def _leave(self, who: str) -> None:
        left = self._open[who] = self._open.get(who, 1) - 1
        if left <= 0:
            del self._open[who]

    def _own(self, heard: Headers) -> None:
        """A local server answers to local names alone: a foreign one that leads here (DNS rebinding) could read everything."""
        if self.rules.host not in LOCAL or self.rules.proxies:
            return
        named = urlsplit(f"//{heard.get('host', '')}").hostname or ""
        if named not in LOCAL and named not in {urlsplit(origin).hostname for origin in self.rules.origins}:
            raise Refused(421, "This server answers to local names alone; behind a proxy its owner says --proxies 1.")

    def _same_site(self, method: str, heard: Headers) -> None:
        """What changes something comes from the server's own pages, from programs, or from sites that the owner named."""
        origin = heard.get("origin")
        if method in ("GET", "HEAD", "OPTIONS") or origin in self.rules.origins:
            return
        site = heard.get("sec-fetch-site")
        names = {heard.get("host"), heard.get("x-forwarded-host")}
        if site in ("cross-site", "same-site") or (site is None and origin and urlsplit(origin).netloc not in names):
            raise Refused(403, "Another site's page asked for this; its owner can be named with --origins.")

    async def _serve(self, scope: Message, receive: Receive, send: Send, who: str) -> None:
        method, path = scope["method"], get_route_path(scope)
        heard = Headers(scope=scope)
        if method == "OPTIONS" and heard.get("origin") in self.rules.origins and "access-control-request-method" in heard:
            await self.app(scope, receive, send)  # a question that Gradio's outermost layer answers
            return
        wanted = kind(method, path, self.rules.mcp)
        if wanted is None:
            raise Refused(404, "There is nothing here.")
        if path == "/logout":
            scope["query_string"] = b"all_session=false"  # one's own session, not everybody's of that name
        if wanted == "file":
            self._file(path)
        self._count(wanted, who)
        if self.rules.logins and wanted not in BEFORE_LOGIN:
            if scope["state"]["inner"]:
                self._log_in(scope, "the server")
            else:
                self._logged_in(scope, who)
        if wanted == "mcp":
            scope["headers"].append((INNER, f"{self.secret} {who}".encode()))
        await self._pass(wanted, scope, receive, send, who)

    def _count(self, wanted: Kind, who: str) -> None:
        try:
            if wanted == "upload":
                self._uploads.check(who)
            elif wanted not in UNCOUNTED:
                self._reads.check(who)
            if wanted == "join":
                self._joins.check(who)
        except UserError as error:
            raise Refused(429, str(error)) from error
        if wanted == "join" and self.rules.rate and self._waiting(who) >= max(4, self.rules.waiting // 4):
            raise Refused(429, "As many requests of yours are waiting as one visitor may have; try again when some are done.")

    def _waiting(self, who: str) -> int:
        """Events of a visitor in Gradio's queue."""
        queues = self.gradio.get_blocks()._queue.event_queue_per_concurrency_id.values()
        return sum(getattr(event.request.client, "host", None) == who for each in queues for event in each.queue if event.request)

    def _file(self, path: str) -> None:
        """Files are served from one folder, by their paths; never an address, whose content Gradio would fetch and hand on."""
        given = Path(path.partition("file=")[2])
        try:
            inside = self.rules.files is not None and given.resolve().is_relative_to(self.rules.files.resolve())
        except (OSError, ValueError):  # too long, or with a null
            inside = False
        if not inside or not given.is_absolute():
            raise Refused(404, "There is nothing here.")

    def _logged_in(self, scope: Message, who: str) -> None:
        request = Request(scope)
        cookie = self.gradio.cookie_id
        token = request.cookies.get(f"access-token-{cookie}") or request.cookies.get(f"access-token-unsecure-{cookie}")
        if token in self.gradio.tokens:
            return
        given = basic(request.headers.get("authorization", ""))
        try:
            if given and self.rules.logins and self.rules.logins.attempt(who, *given):
                self._log_in(scope, given[0])
                return
        except UserError as error:
            raise Refused(429, str(error)) from error
        raise Refused(401, "Not authenticated: log in on the page, or send an Authorization header (Basic).", {"www-authenticate": "Basic"})

    def _log_in(self, scope: Message, name: str) -> None:
        """For one request, by the cookie that Gradio asks for."""
        token = self._tokens.setdefault(name, secrets.token_urlsafe(24))
        self.gradio.tokens[token] = name
        others = [v for k, v in scope["headers"] if k == b"cookie"]
        cookie = b"; ".join([f"access-token-unsecure-{self.gradio.cookie_id}={token}".encode(), *others])
        scope["headers"] = [(k, v) for k, v in scope["headers"] if k != b"cookie"] + [(b"cookie", cookie)]

    async def _pass(self, wanted: Kind, scope: Message, receive: Receive, send: Send, who: str) -> None:
        """On to Gradio, with what the request carries bounded."""
        heard = Headers(scope=scope)
        length = heard.get("content-length", "")
        declared = int(length) if length.isdecimal() else None
        if wanted == "upload":
            await self._upload(Upload(receive, heard.get("content-type", ""), declared), scope, send)
            return
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        if wanted in JSON and heard.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Refused(415, "JSON is taken here, and said to be so: content-type application/json.")
        data = await self.bodies.whole(receive, LARGE if wanted in ("join", "mcp") else SMALL, declared)
        try:
            if wanted == "login":
                await self._login(scope, data, send, who)
            else:
                await self.app(scope, replayed(data, receive), send)
        finally:
            self.bodies.done(len(data))

    async def _upload(self, upload: Upload, scope: Message, send: Send) -> None:
        async def answered(message: Message) -> None:
            if not upload.refused:
                await send(message)

        await self.app(scope, upload.receive, answered)
        if upload.refused:
            raise upload.refused

    async def _login(self, scope: Message, data: bytes, send: Send, who: str) -> None:
        """Wrong passwords are counted where the address is known; Gradio itself compares those that passed once more."""

        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        if self.rules.logins:
            form = await Request(scope, replayed(data, nothing)).form()
            try:
                good = self.rules.logins.attempt(who, str(form.get("username", "")).strip(), str(form.get("password", "")))
            except UserError as error:
                raise Refused(429, str(error)) from error
            if not good:
                raise Refused(400, "Incorrect credentials.")
        await self.app(scope, replayed(data, nothing), send)
