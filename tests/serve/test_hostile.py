"""Hostile clients on a real socket: answers are in order and say nothing of the house, and the house stands."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.serve.hostile import HOST, hostile
from tests.serve.test_life import ROOT, free_port, until
from tests.serve.whole import whole

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
TELLING = re.compile(
    rb"Traceback|site-packages|\.py\b|File \"|root:x:|object at 0x|uvicorn|starlette|fastapi|pydantic|asyncio|"
    rb"thence\.(serve|base)|Exception|/usr/|/tmp/|/home/|/proc/"
)
BIG = 50_000_000  # bytes: what allocators keep of bodies of a MiB


@dataclass
class House:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    folder: Path

    def ask(self, sent: bytes, *, whole: bool, seconds: float = 30.0) -> bytes:
        """Send bytes and read what comes; where no answer is due only what comes at once."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds if whole else 0.005) as wire:
            told = bytearray()
            try:
                wire.settimeout(seconds)
                wire.sendall(sent)
                wire.settimeout(seconds if whole else 0.005)
                while part := wire.recv(1 << 16):
                    told += part
            except (ConnectionResetError, BrokenPipeError):
                pass
            except TimeoutError:
                assert not whole, f"no answer to {sent[:200]!r}"
            return bytes(told)

    def answer(self) -> Any:
        return httpx.get(f"http://127.0.0.1:{self.port}/v1/related/phone?k=5").json()

    def handles(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory(self) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) * 1024


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("hostile") / "shop", free_port()
    whole().save(folder)
    command = [sys.executable, "-m", "tests.serve.hostile_service", str(folder), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200)
        yield House(process, port, folder)
        process.send_signal(signal.SIGTERM)
        complaint = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert "Traceback" not in complaint, complaint[-3000:]


def besieged(house: House, number: int) -> None:
    """Send so many requests; see that nothing is told, nothing breaks and nothing is kept."""
    for warm in range(200):
        asked = hostile(1, warm)
        house.ask(asked.sent, whole=asked.whole)
    before, handles, memory = house.answer(), house.handles(), house.memory()
    answers: Counter[tuple[str, int]] = Counter()
    for at in range(number):
        asked = hostile(0, at)
        told = house.ask(asked.sent, whole=asked.whole)
        statuses = [int(found) for found in STATUS.findall(told)]
        answers.update((asked.kind, status) for status in statuses)
        about = (asked.kind, at, asked.sent[:300], told[:600])
        assert all(status < 500 for status in statuses), about
        assert not asked.whole or statuses, about
        assert str(house.folder.parent).encode() not in told, about
        for one in STATUS.split(told)[2::2] if 200 not in statuses else ():
            found = TELLING.search(one)  # what was sent may be named
            assert found is None or found[0] in asked.sent, about
    assert house.process.poll() is None and house.answer() == before
    until(lambda: house.handles() <= handles + 2, 20)
    assert house.memory() < memory * 1.1 + BIG, (house.memory(), memory)
    found = Counter(status for kind, status in answers.elements())
    print("\n", dict(found), memory, house.memory())
    assert {200, 400, 401, 404, 405, 413, 422} <= set(found)


def test_hostile_requests_change_nothing(house: House) -> None:
    besieged(house, 1000)


@pytest.mark.slow
def test_ten_thousand_hostile_requests_change_nothing(house: House) -> None:
    besieged(house, 10_000)


def test_slow_clients_are_sent_away_and_others_are_served(house: House) -> None:
    """Heads and bodies that never end, connections that say nothing, and answers that nobody reads."""
    begun = [b"", b"G", b"GET /v1/model HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ", b"\r\n"]
    body = (
        b"POST /v1/convert HTTP/1.1\r\n"
        + HOST
        + b"content-type: application/json\r\ncontent-length: 999\r\n\r\n{"
    )
    with ExitStack() as open_ones:
        slow = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=20))
            for _ in range(40)
        ]
        for at, wire in enumerate(slow):
            wire.sendall(body if at % 5 == 4 else begun[at % 5])
        assert house.answer()["route"]
        start = time.monotonic()
        told = [b"".join(iter(partial(wire.recv, 1 << 16), b"")) for wire in slow]
        assert time.monotonic() - start < 15  # all were sent away, at once
    statuses = [STATUS.findall(one) for one in told]
    assert {b"".join(one) for one in statuses[4::5]} == {b"408"}
    assert {b"".join(one) for one in statuses[1::5] + statuses[2::5]} == {b"408"}
    assert {b"".join(one) for one in statuses[0::5]} == {b""}
    pipelined = (b"GET /v1/neighborhood/phone HTTP/1.1\r\n" + HOST + b"\r\n") * 4000
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.settimeout(0.5)
        with suppress(TimeoutError):
            wire.sendall(pipelined)
        assert house.answer()["route"]
    until(lambda: house.handles() < 60, 20)


def test_a_head_is_bounded_however_it_comes(house: House) -> None:
    for sent in (
        b"GET /" + b"a" * (1 << 20),
        b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * (1 << 20),
        b"GET / HTTP/1.1\r\n" + HOST + b"x: y\r\n" * 200_000,
    ):
        told = house.ask(sent, whole=True)
        assert not told or STATUS.findall(told) == [b"431"], told[:300]
    told = house.ask(b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * (1 << 16) + b"\r\n\r\n", whole=True)
    assert STATUS.findall(told) == [b"431"] and b"64 KiB" in told
