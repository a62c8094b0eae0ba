"""Where states of tests stand: in memory, and without waiting for a disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

MEMORY = Path("/dev/shm")


@contextmanager
def scratch() -> Iterator[str]:
    """A folder for one test; ``fsync`` is left out, which loses nothing unless the machine stops."""
    where = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as folder, mock.patch("os.fsync", lambda handle: None):
        yield folder
