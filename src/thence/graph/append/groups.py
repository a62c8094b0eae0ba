"""Runs of equal keys in sorted columns, and the pairs of rows inside them: joins of a table with itself.

A join inside groups is written as ranges: row k meets the rows ``low[k] … high[k] - 1``. The rows that it meets
then follow from counting, a bounded number of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

LIMIT = 1 << 21
"""Pairs of rows that are held at a time."""


def starts_of(*columns: np.ndarray) -> np.ndarray:
    """``[num_runs]`` positions at which a run of equal rows begins, in sorted columns of one length.

    Example:
        >>> starts_of(np.array([1, 1, 2, 2]), np.array([5, 5, 5, 6])).tolist()
        [0, 2, 3]
    """
    begins = np.zeros(len(columns[0]), bool)
    begins[:1] = True
    for column in columns:
        begins[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(begins)


def distinct(*arrays: np.ndarray) -> np.ndarray:
    """The values of some arrays, each once, ascending; by sorting, which beats hashing for ints.

    Example:
        >>> distinct(np.array([3, 1]), np.array([3, 2])).tolist()
        [1, 2, 3]
    """
    values = np.sort(np.concatenate(arrays))
    return values[starts_of(values)]


def run_of(starts: np.ndarray, num: int) -> np.ndarray:
    """``[num]`` which run each row is in.

    Example:
        >>> run_of(np.array([0, 2, 3]), 4).tolist()
        [0, 0, 1, 2]
    """
    return np.repeat(np.arange(len(starts)), np.diff(starts, append=num))


def ends_of(starts: np.ndarray, num: int) -> np.ndarray:
    """``[num]`` where each row's run ends.

    Example:
        >>> ends_of(np.array([0, 2, 3]), 4).tolist()
        [2, 2, 3, 4]
    """
    return np.append(starts[1:], num)[run_of(starts, num)] if num else np.zeros(0, np.int64)


def expand(low: np.ndarray, high: np.ndarray, limit: int = LIMIT) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every row with every row of its range, in pieces.

    Args:
        low: ``[num]`` first row that each row meets.
        high: ``[num]`` one past the last; below ``low`` for none.
        limit: a piece has at most this many pairs, or those of one row.

    Yields:
        ``left`` and ``right`` rows, of one length.

    Example:
        >>> low, high = np.array([1, 2, 3]), np.array([3, 3, 3])
        >>> [(left.tolist(), right.tolist()) for left, right in expand(low, high)]
        [([0, 0, 1], [1, 2, 2])]
    """
    count = np.maximum(high - low, 0)
    ends = np.cumsum(count)
    at = 0
    while at < len(low):
        before = int(ends[at - 1]) if at else 0
        stop = max(at + 1, int(np.searchsorted(ends, before + limit, side="right")))
        part, total = count[at:stop], int(ends[stop - 1]) - before
        if total:
            left = np.repeat(np.arange(at, stop), part)
            shift = low[at:stop] - (ends[at:stop] - part - before)
            yield left, np.arange(total) + np.repeat(shift, part)
        at = stop


def ranges(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """``low[0] … high[0] - 1, low[1] … high[1] - 1, …`` as one array of positions.

    Example:
        >>> ranges(np.array([3, 9]), np.array([5, 10])).tolist()
        [3, 4, 9]
    """
    found = [right for _, right in expand(np.asarray(low, np.int64), np.asarray(high, np.int64))]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def fold(how: np.ufunc, column: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """``[num_runs]``: the values of each run made one by a binary function; the type of the column stays.

    Example:
        >>> fold(np.maximum, np.array([1, 5, 2, 7]), np.array([0, 2, 3])).tolist()
        [5, 2, 7]
    """
    return how.reduceat(column, starts).astype(column.dtype, copy=False) if len(starts) else column[:0]


def bisect(low: np.ndarray, high: np.ndarray, before: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """For each range ``low … high - 1``, the first position for which ``before`` is false, or ``high``.

    Args:
        low: ``[num]`` where each range begins.
        high: ``[num]`` one past its end.
        before: from a position in each range to ``[num]`` bool; true up to some position, then false.

    Example:
        >>> values = np.array([1, 3, 5, 7])
        >>> bisect(np.array([0, 2]), np.array([4, 4]), lambda at: values[at] < 4).tolist()
        [2, 2]
    """
    low, high = low.copy(), high.copy()
    last = max(int(high.max(initial=0)) - 1, 0)
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        ahead = (low < high) & before(np.minimum(middle, last))
        low, high = np.where(ahead, middle + 1, low), np.where(ahead, high, middle)
    return low
