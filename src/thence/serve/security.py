"""The outermost layer: who may ask, and what a browser may do with the answer.

Only requests that name a loopback host pass, so that a page elsewhere cannot reach the service by pointing a
name of its own at this machine (DNS rebinding). Every answer tells browsers to load nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thence.serve.problems import Problem

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = (  # the report is one file: styles and pictures stand inside it, scripts never run
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-same-origin"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}


MAX_BODY = 1 << 20
"""Bytes of the largest body that is read."""


class Guard:
    """ASGI middleware: refuses foreign hosts and large bodies, adds the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer 400 when it names another host."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        status, problem = (
            400,
            Problem(error="this host is not served", fix="Ask http://127.0.0.1 or http://localhost."),
        )
        if host_name(scope) in LOOPBACK:
            again = receive if scope["method"] in ("GET", "HEAD") else await read_body(receive)
            if again is not None:
                await self.app(scope, again, send_with_headers)
                return
            status, problem = (
                413,
                Problem(error="the body is larger than 1 MiB", fix="Ask in several requests."),
            )
        await JSONResponse(problem.model_dump(), status)(scope, receive, send_with_headers)


async def read_body(receive: Receive) -> Receive | None:
    """Read a body, and give what tells it again; None where it is larger than ``MAX_BODY``."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > MAX_BODY:
            return None
    told: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]

    async def again() -> Message:
        return told.pop() if told else await receive()

    return again


def host_name(scope: Scope) -> str:
    """The host that a request names, without its port; empty where none or several are named.

    Example:
        >>> [host_name({"headers": [(b"host", host)]}) for host in (b"localhost:8000", b"[::1]:80", b"evil")]
        ['localhost', '::1', 'evil']
    """
    named = [value for key, value in scope["headers"] if key == b"host"]
    if len(named) != 1:
        return ""
    text = named[0].decode("latin-1").lower()
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
    else:
        name, colon, port = text.partition(":")
        rest = colon + port
    return name if not rest or (rest[0] == ":" and rest[1:].isdecimal()) else ""
