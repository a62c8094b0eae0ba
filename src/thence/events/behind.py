"""Work done one step behind: a second thread writes what the first has made, in order and never far behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Behind(Generic[T]):
    """Calls ``work`` with each item on a thread of its own, in order.

    Args:
        work: what to do with an item.
        most: how many items may wait; with more, ``put`` waits itself.

    Example:
        >>> done = []
        >>> with Behind(done.append) as behind:
        ...     for item in range(5):
        ...         behind.put(item)
        ...     behind.flush()
        >>> done
        [0, 1, 2, 3, 4]
    """

    def __init__(self, work: Callable[[T], None], most: int = 2) -> None:
        self._work, self._most = work, most
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="thence-behind")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Behind[T]:
        """The thread starts with the first item."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what has not begun and wait for what has."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def put(self, item: T) -> None:
        """Hand an item over; raises what an earlier one has raised."""
        self._waiting.append(self._thread.submit(self._work, item))
        while len(self._waiting) > self._most:
            self._waiting.popleft().result()

    def flush(self) -> None:
        """Wait until all is done; raises what one of them has raised."""
        while self._waiting:
            self._waiting.popleft().result()
