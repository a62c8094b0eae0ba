"""The outermost layer: who may ask, and what a browser may do with the answer.

Only requests that name a host of the service pass, so that a page elsewhere cannot reach it by pointing a name
of its own at this machine (DNS rebinding). Every answer tells browsers to load nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thence.serve.access import Access
from thence.serve.problems import Problem

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
MAX_BODY, BODY_SECONDS = 1 << 20, 10.0
"""Bytes of the largest body that is read, and how long it may take to come."""
SAID = {
    400: ("this host is not served", "Ask http://127.0.0.1 or http://localhost, or start with --allow-host."),
    401: ("the token is missing or wrong", "Send it: authorization: Bearer TOKEN."),
    403: ("this is closed", "Set a token with --token-file, and ask from no other site's page."),
    408: ("the body came too slowly", "Send it within ten seconds."),
    413: ("the body is larger than 1 MiB", "Ask in several requests."),
}


class Guard:
    """ASGI middleware: refuses foreign hosts, strangers, slow and large bodies; adds the security headers."""

    def __init__(self, app: ASGIApp, access: Access | None = None) -> None:
        self.app, self.access = app, access or Access()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        status, again = await self._admitted(scope, receive)
        if again is not None:
            await self.app(scope, again, send_with_headers)
            return
        error, fix = SAID[status]
        asking = {"www-authenticate": 'Basic realm="thence", charset="UTF-8"'} if status == 401 else None
        answer = JSONResponse(Problem(error=error, fix=fix).model_dump(), status, asking)
        await answer(scope, receive, send_with_headers)

    async def _admitted(self, scope: Scope, receive: Receive) -> tuple[int, Receive | None]:
        """What tells the body of a request that may pass, or the status that it is refused with."""
        if not self.access.serves(host_name(scope)):
            return 400, None
        if refused := self.access.refusal(scope["path"], scope["method"], Headers(scope=scope)):
            return refused, None
        if scope["method"] in ("GET", "HEAD"):
            return 200, receive
        try:
            async with asyncio.timeout(BODY_SECONDS):
                again = await read_body(receive)
        except TimeoutError:
            return 408, None
        return 413, again


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
