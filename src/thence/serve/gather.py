"""What is written in one step of the event loop leaves in one piece.

An answer's head and body are written one after the other, and each write is a call to the system and, on the
other side, a waking up. Here they are joined and written once, when the step that made them ends.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Gathered:
    """A transport that joins what is written to it in one step; all else is the transport's own.

    Args:
        transport: where it goes.
        loop: whose steps they are.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """Whatever else a transport can do."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep it until the step ends."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def close(self) -> None:
        """Send what is kept, then close."""
        self._send()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is kept is lost, as is what the system has not sent."""
        self._parts.clear()
        self._transport.abort()

    def _send(self) -> None:
        if self._parts and not self._transport.is_closing():
            self._transport.write(b"".join(self._parts))
        self._parts.clear()
