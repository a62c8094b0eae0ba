"""A process that publishes to a disk with no room, or to one that cannot be written. Run by test_disk.py.

The kernel refuses as on a full disk: files may be no longer than a limit. Where a small disk can be mounted, in
a mount namespace of this process alone, that one is filled too.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.serve.shop import bundle
from tests.serve.test_origin import other

from thence.base import folders
from thence.base.errors import ArtifactError
from thence.serve import Bundle, Origin, Store
from thence.serve.origin import Reloader

NEWNS, READ_ONLY, REMOUNT, PRIVATE, REC = 0x20000, 1, 32, 1 << 18, 16384


def tried(folder: Path, before: Callable[[], object]) -> None:
    """In a child: publish under a handicap, and tell what came of it; then, without, what stands there."""
    service = Store()
    reloader = Reloader(service, Origin(folder))
    reloader.reload()
    version = service.version
    pid = os.fork()
    if not pid:
        try:
            before()
            other().save(folder)
            told = {"error": None}
        except ArtifactError as error:
            told = {"error": error.what, "fix": error.fix}
        except BaseException as error:
            told = {"error": f"untyped {error!r}", "fix": None}
        os.write(1, json.dumps(told).encode() + b"\n")
        os._exit(0)
    os.waitpid(pid, 0)
    changed = reloader.reload()
    left = sorted(path.name for path in folder.parent.iterdir())
    same = Bundle.load(folder).version == service.version == version
    print(json.dumps({"changed": changed, "same": same, "left": left}), flush=True)


def limited(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def read_only(*parts: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(parts[0]))


def mounted(place: Path, size: str) -> bool:
    """A small disk of this process's own; False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEWNS) or libc.mount(b"none", b"/", None, PRIVATE | REC, None):
        return False
    place.mkdir()
    return not libc.mount(b"tmpfs", bytes(place), b"tmpfs", 0, f"size={size}".encode())


def on_a_small_disk(base: Path) -> None:
    """A real file system with no room left, then one that is read-only."""
    place = base / "disk"
    if not mounted(place, "1m"):
        print("no mount", flush=True)
        return
    bundle().save(place / "b")
    free = os.statvfs(place)
    for room in (0, 8192, 40_000):
        (place / "filler").write_bytes(b"x" * (free.f_bavail * free.f_frsize - room))
        tried(place / "b", lambda: None)
        (place / "filler").unlink()
    libc = ctypes.CDLL(None)
    libc.mount(b"tmpfs", bytes(place), b"tmpfs", REMOUNT | READ_ONLY, None)
    tried(place / "b", lambda: None)


def main(base: Path) -> None:
    folder = base / "runs" / "b"
    bundle().save(folder)
    for size in (0, 100, 600, 1500, 3000):
        tried(folder, lambda size=size: limited(size))
    tried(folder, lambda: setattr(folders, "_locked_folder", read_only))
    on_a_small_disk(base)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
