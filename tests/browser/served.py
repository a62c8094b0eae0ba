"""A bundle served by a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from thence.serve import Bundle, Models
from thence.serve.run import listen

SERVE = """
import sys
from pathlib import Path
from thence.serve import Origin, run
folders = [Path(one) if one else None for one in sys.argv[3:]]
run(Origin(*folders), port=int(sys.argv[1]), token=sys.argv[2] or None)
"""
READY_SECONDS = 60


@contextmanager
def served(source: Bundle | Models, folder: Path, token: str = "") -> Iterator[str]:
    """The address of a bundle, or of models without items, while a process serves them from a folder.

    Args:
        source: what is saved there first.
        folder: where; models are put into folders of their names below it.
        token: of the routes that change something; closed without one.
    """
    if isinstance(source, Bundle):
        source.save(folder)
        folders = [str(folder), "", ""]
    else:
        folders = [""]
        for name, model in (("conversion", source.conversion), ("policy", source.policy)):
            folders.append("" if model is None else str(folder / name))
            if model is not None:
                model.save(folder / name)
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port), token, *folders])
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{base}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(15)
