"""Folders that are published whole: written aside, fsynced, then put in place in one step.

On Linux an existing folder is replaced by one atomic exchange (``renameat2``), so that a reader never finds it
missing. Where the system cannot exchange, two renames do it and the next reader or writer mends what a crash
between them left. Drafts of writers that died are recognised by their lock, which the system releases with the
process, and removed by the next writer.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import glob
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_FDCWD = -100
RENAME_EXCHANGE = 2
ATTEMPTS = 10


class Workspace:
    """A temporary folder beside ``target``, locked as long as its writer lives.

    Args:
        target: the folder that it will become.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._made = [parent for parent in target.parents if not parent.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        self.folder, self._handle = _locked_folder(target)

    def publish(self) -> None:
        """Put the folder in the place of its target, whatever stands there, and make that durable."""
        if not (self.target.exists() and exchange(self.folder, self.target)):
            _replace(self.folder, self.target)
        for folder in {self.target.parent, *(made.parent for made in self._made)}:
            fsync(folder)
        shutil.rmtree(retired(self.target), ignore_errors=True)

    def concerns(self, error: OSError) -> bool:
        """Whether an error is about this folder or its target, as far as it names a file at all."""
        if error.filename is None:
            return True
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else self.folder
        return path in (self.target, self.target.parent) or path.is_relative_to(self.folder)

    def close(self) -> None:
        """Remove what is left of the temporary folder and release its lock."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._handle)


def exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one atomic step; False where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    code = rename(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE)
    if code and ctypes.get_errno() not in (
        errno.EINVAL,
        errno.ENOSYS,
        errno.ENOTSUP,
        errno.EPERM,
        errno.ENOENT,
    ):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(second))
    return code == 0


def remedy(error: OSError) -> str | None:
    """What to do about a folder that could not be written; None where only the reader of the error knows.

    Example:
        >>> remedy(OSError(errno.EROFS, "Read-only file system"))
        'Write to a folder that this user may change.'
    """
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "Write to a folder that this user may change."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None):  # NumPy's short writes bear no number
        return "Make room there, or write elsewhere; what stood there before still does."
    return None


@contextmanager
def as_os_error() -> Iterator[None]:
    """Errors of the system that a library wraps, such as ``IoError(Os { code: 28, … })``, as OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        found = re.search(r"\bcode: (\d+)|os error (\d+)", str(error))
        if found is None:
            raise
        number = int(found[1] or found[2])
        raise OSError(number, os.strerror(number)) from error


def fsync(path: Path) -> None:
    """Make a file, or the entries of a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mend(folder: Path, marker: str) -> None:
    """Bring back the old folder when a crash fell between the two renames of a replacement.

    Args:
        folder: where it should stand.
        marker: the file that shows that the old folder is whole.
    """
    old = retired(folder)
    if folder.exists() or not (old / marker).is_file():
        return
    try:
        old.rename(folder)
    except OSError:
        if not folder.exists():  # else another reader or the writer came first
            raise


def retired(target: Path) -> Path:
    """Where the old folder stands while two renames replace it."""
    return target.parent / f".{target.name}.old"


def sweep(target: Path) -> None:
    """Remove the drafts of ``target`` whose writers are dead."""
    for draft in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        try:
            handle = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            if _lock(handle, otherwise=False):
                shutil.rmtree(draft, ignore_errors=True)
        finally:
            os.close(handle)


def _locked_folder(target: Path) -> tuple[Path, int]:
    """A new folder and the handle that locks it; made anew when another writer's sweep came in between."""
    for _ in range(ATTEMPTS):
        folder = target.parent / f".{target.name}.{uuid.uuid4().hex[:12]}.tmp"
        folder.mkdir()
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        if _lock(handle, otherwise=True) and folder.exists():
            return folder, handle
        os.close(handle)
    raise OSError(errno.EBUSY, "others keep writing there", str(target))


def _lock(handle: int, *, otherwise: bool) -> bool:
    """Take the lock of a folder without waiting; ``otherwise`` is the answer where there are no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return otherwise
    return True


def _replace(temporary: Path, target: Path) -> None:
    """Replace by two renames; a reader that mends in between makes it start over."""
    for _ in range(ATTEMPTS):
        if target.exists():
            shutil.rmtree(retired(target), ignore_errors=True)
            target.rename(retired(target))
        try:
            temporary.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    raise OSError(errno.EBUSY, "others keep writing there", str(target))
