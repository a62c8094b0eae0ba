"""How much a service needs at 10,000, 100,000 and 1,000,000 items: disk, memory, seconds until it is ready."""

from __future__ import annotations

from common import run
from parts.serving_size import size

if __name__ == "__main__":
    run("serve_size", {"size": size}, doc=__doc__, seeds=1)
