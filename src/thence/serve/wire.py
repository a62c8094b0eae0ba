"""The protocol of a connection, with bounds that uvicorn leaves open: how long a head may be and may take.

A head is the request's line and its headers. Whoever sends one byte of it a minute, or never ends it, or never
reads the answer, would hold a connection for good; a few hundred of them would be all that there are.
"""

from __future__ import annotations

import asyncio
import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from thence.serve.gather import Gathered
from thence.serve.problems import Problem
from thence.serve.security import HEADERS

MAX_HEAD = 1 << 16
"""Bytes of the largest head that is read."""
HEAD_SECONDS, READ_SECONDS = 10.0, 30.0
"""How long a head may take to come, and how long an answer may wait to be read."""
SAID = {
    400: ("this is no HTTP request", "See RFC 9112."),
    408: ("the request came too slowly", "Send its head within ten seconds."),
    431: ("the head of the request is larger than 64 KiB", "Leave headers out, or send a body."),
}


class Wire(HttpToolsProtocol):
    """One connection. Its callbacks are those of asyncio's protocols and of httptools' parser."""

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _cycles: list[RequestResponseCycle] = []  # noqa: RUF012, replaced, never changed
    _heading = _large = False
    _head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(Gathered(transport, self.loop))  # type: ignore[arg-type]
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._drop()
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the parser; count them while they are a head."""
        if self._heading:
            self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._heading and self._head > MAX_HEAD:
            self._refuse(431)
        elif self._heading or self.cycle is None or self.cycle.response_complete:
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._heading, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._heading = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            self._large = True
            raise ValueError("the head is too large")
        super().on_headers_complete()
        self._cycles = [*(cycle for cycle in self._cycles if not cycle.response_complete), self.cycle]

    def send_400_response(self, msg: str) -> None:
        """Say that this was no request, in the words that all refusals have."""
        self._refuse(431 if self._large else 400)

    def pause_writing(self) -> None:
        """An answer waits for its reader."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(READ_SECONDS, self._abort)

    def resume_writing(self) -> None:
        """It was read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _too_late(self) -> None:
        self._late = None
        if self.transport.is_closing():
            return
        if self._heading:
            self._refuse(408)
        elif self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """Answer without the application, and close; an answer that has begun is cut off instead."""
        if self.transport.is_closing():
            return
        under_way = [cycle for cycle in self._cycles if not cycle.response_complete]
        self._drop()
        if not any(cycle.response_started for cycle in under_way):
            error, fix = SAID[status]
            body = json.dumps(Problem(error=error, fix=fix).model_dump()).encode()
            kind = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
            lines = [f"{name}: {value}\r\n".encode() for name, value in {**HEADERS, **kind}.items()]
            self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self.transport.close()

    def _abort(self) -> None:
        """Give up on a client that does not read."""
        self._drop()
        self.transport.abort()

    def _drop(self) -> None:
        """Let answers under way go nowhere: what is closed cannot be written to."""
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()
