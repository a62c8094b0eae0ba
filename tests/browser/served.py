"""A bundle served by a process of its own, and a browser that must have nothing to complain of."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.chromium import Chromium

from thence.serve.bundle import Bundle
from thence.serve.run import listen

SERVE = "import sys; from thence.serve import run; run(sys.argv[1], port=int(sys.argv[2]))"


@contextmanager
def served(bundle: Bundle, folder: Path) -> Iterator[str]:
    """The address of a bundle while it is served."""
    import httpx

    bundle.save(folder)
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(folder), str(port)])
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{base}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def quiet(address: str, excused: tuple[str, ...] = ()) -> Iterator[Chromium]:
    """A browser that at its end has complained of nothing and asked nobody else.

    ``excused`` are parts of complaints that belong to what is tested.
    """
    chromium = Chromium()
    try:
        yield chromium
        complaints = [one for one in chromium.complaints() if not any(part in str(one) for part in excused)]
        foreign = [url for url in chromium.requests() if not url.startswith((address, "data:", "about:"))]
    finally:
        chromium.close()
    assert complaints == [] and foreign == []


def text(browser: Chromium, selector: str) -> str:
    return browser.run(f"document.querySelector('{selector}').innerText")


def texts(browser: Chromium, selector: str) -> list[str]:
    return browser.run(f"[...document.querySelectorAll('{selector}')].map(e => e.textContent)")
