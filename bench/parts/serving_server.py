"""A service in a process of its own: started, asked until it is ready, and watched from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
TOKEN = "of-this-bench-alone"
PATIENCE = 120.0
ENV: Mapping[str, str] = {"OMP_WAIT_POLICY": "PASSIVE", "THENCE_TOKEN": TOKEN}


@dataclass
class Service:
    """A running service.

    Args:
        process: it.
        port: where it answers on loopback.
        seconds: from the start of the process until it was ready.
    """

    process: subprocess.Popen[bytes]
    port: int
    seconds: float

    @property
    def cpu(self) -> float:
        """CPU seconds of the process so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def resident(self) -> float:
        """MiB of memory that the process keeps to itself; mapped files, which it shares, are left out."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

    def ask(self, path: str, *, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextmanager
def serving(command: Sequence[str], ready: str = "/health/ready") -> Iterator[Service]:
    """Run a service until the block ends; ``{port}`` in its command becomes a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    line = [part.format(port=port) for part in command]
    process = subprocess.Popen([sys.executable, *line], env={**os.environ, **ENV}, stdout=subprocess.DEVNULL)
    service = Service(process, port, 0.0)
    try:
        while time.perf_counter() - begun < PATIENCE and process.poll() is None:
            try:
                if service.ask(ready)[0] == 200:
                    break
            except OSError:
                time.sleep(0.01)
        else:
            raise RuntimeError(f"the service did not come up: {' '.join(line)}")
        service.seconds = time.perf_counter() - begun
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def thence(bundle: Path) -> list[str]:
    """The command that serves a bundle."""
    return ["-m", "thence", "serve", str(bundle), "--port", "{port}"]
