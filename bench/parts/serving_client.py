"""A client that asks at a constant rate whatever the answers take: an open loop.

Request i is meant to leave at i / rate. Its latency counts from that moment, so that time spent waiting for a
free connection, because earlier answers were late, counts too (a closed loop would hide it).
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

CONNECTIONS = 64
Look = Callable[[int, bytes], bool]
"""Told the number of a request's path and the answer's body; whether it is right."""


@dataclass
class Heard:
    """What came back.

    Args:
        seconds: latency of each answered request, from when it was meant to leave.
        statuses: how often each status came; 0 for a connection that broke.
        wrong: answers that were not what was expected.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wrong: int = 0

    @property
    def errors(self) -> int:
        """Requests that were not answered with 200."""
        return sum(count for status, count in self.statuses.items() if status != 200)

    def quantile(self, share: float) -> float:
        """Milliseconds below which a share of the latencies lies."""
        return float(np.quantile(self.seconds, share)) * 1e3


class Connection(asyncio.Protocol):
    """One connection that is kept, with one request under way at a time."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self.buffer, self.length, self.asked = driver, bytearray(), -1, None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.driver.free(self)

    def ask(self, number: int, meant: float) -> None:
        self.asked = (number, meant)
        self.transport.write(self.driver.requests[number])  # type: ignore[union-attr]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.length < 0 and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            at = head.index(b"content-length:") + 15
            self.status = int(head[9:12])
            self.length = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
            self.head = end + 4
        if 0 <= self.length <= len(self.buffer):
            body, (number, meant) = bytes(self.buffer[self.head : self.length]), self.asked
            self.buffer, self.length, self.asked = bytearray(), -1, None
            self.driver.answered(number, meant, self.status, body)
            self.driver.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.driver.lost(self)


class Driver:
    """Asks a service for paths, one after another, at a constant rate."""

    def __init__(self, port: int, paths: Sequence[str], look: Look | None = None) -> None:
        head = f" HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n"
        self.requests = [f"GET {path}{head}".encode() for path in paths]
        self.port, self.look, self.heard = port, look, Heard()
        self.idle: deque[Connection] = deque()
        self.waiting: deque[tuple[int, float]] = deque()
        self.due = 0

    def free(self, connection: Connection) -> None:
        if self.waiting:
            connection.ask(*self.waiting.popleft())
        else:
            self.idle.append(connection)

    def answered(self, number: int, meant: float, status: int, body: bytes) -> None:
        heard = self.heard
        heard.seconds.append(time.perf_counter() - meant)
        heard.statuses[status] = heard.statuses.get(status, 0) + 1
        if self.look is not None and status == 200 and not self.look(number, body):
            heard.wrong += 1
        self.due -= 1

    def lost(self, connection: Connection) -> None:
        if connection.asked is not None:
            self.heard.statuses[0] = self.heard.statuses.get(0, 0) + 1
            self.due -= 1
        elif connection in self.idle:
            self.idle.remove(connection)
        if self.running:
            asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so that Nagle is off
        plug.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plug, ("127.0.0.1", self.port))
        await loop.create_connection(lambda: Connection(self), sock=plug)

    async def drive(self, rate: float, seconds: float) -> Heard:
        self.running = True
        for _ in range(CONNECTIONS):
            await self.connect()
        begun, total = time.perf_counter() + 0.05, round(rate * seconds)
        sent = 0
        while sent < total:
            now = time.perf_counter()
            while sent < total and (meant := begun + sent / rate) <= now:
                self.due += 1
                number = sent % len(self.requests)
                if self.idle:
                    self.idle.popleft().ask(number, meant)
                else:
                    self.waiting.append((number, meant))
                sent += 1
            await asyncio.sleep(max(begun + sent / rate - time.perf_counter(), 0))
        for _ in range(200):
            if not self.due:
                break
            await asyncio.sleep(0.05)
        self.running = False
        self.heard.statuses[0] = self.heard.statuses.get(0, 0) + self.due  # never answered
        return self.heard


def drive(port: int, paths: Sequence[str], rate: float, seconds: float, look: Look | None = None) -> Heard:
    """Ask for paths in turn at a constant rate.

    Args:
        port: of the service, on loopback.
        paths: asked one after another, from the first again when all were asked.
        rate: requests a second.
        seconds: for how long.
        look: whether an answer is right.
    """
    import uvloop

    return uvloop.run(Driver(port, paths, look).drive(rate, seconds))
