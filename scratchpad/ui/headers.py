"""What every response says to the browser: run and load nothing of others, let no other site's script read this one's answers.

Gradio answers every origin by itself. Its own page needs no leave of that kind, so it's taken away, but for origins that the owner names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.types import ASGIApp, Message

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Gradio makes functions of its components' scripts
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.hf.space",  # a Space is shown in a frame of the hub's
    )
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Strict:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()):
        self.app, self.origins = app, frozenset(origins)

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = dict(scope["headers"]).get(b"origin", b"").decode("latin-1")

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(k, v) for k, v in message["headers"] if asked in self.origins or not k.lower().startswith(b"access-control-")]
                known = {k.lower() for k, _ in headers}
                headers += [(k.encode(), v.encode()) for k, v in ALWAYS.items() if k.encode() not in known]
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, strict)
