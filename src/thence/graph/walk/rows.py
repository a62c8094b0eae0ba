"""What walks and pushes read: one side of a relation, or of a mixture, as the kernels take it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.check import frozen
from thence.graph.sample.side import Direction, Side, side_of

Result = TypeVar("Result")


def side_for(relation: Arcs | Side, direction: Direction, weight: str | None) -> Side:
    """The side that is read: a relation's, or the given one as it is.

    Raises:
        ConfigError: a side is to be read in another direction, or by another weight, than its own.
        DataError: the relation has no such value, or it is no weight.
    """
    if isinstance(relation, Arcs):
        return side_of(relation, direction, weight=weight)
    if direction != "out" or weight is not None:
        raise ConfigError(
            "a side has one direction and its own weights", fix="Give direction and weight where it is made."
        )
    return relation


def kernel_array(array: np.ndarray | None, kind: type | None = None) -> np.ndarray:
    """An array as a kernel takes it: plain, contiguous, read-only; nothing becomes an empty one."""
    if array is None:
        array = np.empty(0, kind or np.float32)
    return frozen(np.ascontiguousarray(array, kind).view(np.ndarray).view())


def in_order(
    work: Callable[[int, int], Result], count: int, chunk: int, threads: int | None = None
) -> list[Result]:
    """``work(begin, end)`` of each chunk of ``count`` things, in order, on some threads at once.

    The chunks do not depend on the number of threads, so neither do the results.

    Args:
        work: what to do with the things ``begin`` … ``end - 1``.
        count: how many things there are.
        chunk: how many are done at a time.
        threads: at once at most; all processors of this process when not given.

    Raises:
        ConfigError: ``threads`` is below 1.

    Example:
        >>> in_order(lambda begin, end: list(range(begin, end)), 5, 2, threads=2)
        [[0, 1], [2, 3], [4]]
    """
    bounds = [(begin, min(begin + chunk, count)) for begin in range(0, count, chunk)]
    workers = min(thread_count(threads), len(bounds))
    if workers <= 1:
        return [work(*bound) for bound in bounds]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda bound: work(*bound), bounds))


def thread_count(threads: int | None) -> int:
    """A number of threads, checked; all processors that this process may use when not given.

    Raises:
        ConfigError: it is below 1.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise ConfigError(f"threads is {threads}", fix="It is at least 1.")
    return threads


def whole(name: str, value: int, least: int) -> int:
    """A count, checked.

    Raises:
        ConfigError: it is no int or too small.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ConfigError(f"{name} is {value!r}", fix=f"It is an int of at least {least}.")
    return int(value)


def share(name: str, value: float, *, zero: bool = False) -> float:
    """A probability above 0 (or 0 where that is allowed) and below 1, checked.

    Raises:
        ConfigError: it is not.
    """
    if not (0 < value < 1 or (zero and value == 0)):
        raise ConfigError(f"{name} is {value}", fix=f"It lies {'from' if zero else 'between'} 0 and 1.")
    return float(value)


def joined(parts: Sequence[np.ndarray], kind: type) -> np.ndarray:
    """Some arrays one after another; an empty array of the kind for none."""
    return np.concatenate(parts) if parts else np.empty(0, kind)
