"""The inner loops of the boundary solvers."""

from __future__ import annotations

import numba
import numpy as np

FAR = 1 << 30
"""A loss that stands for: cannot be had. Real losses stay below half of it in size."""
TILE = 2048  # sums looked at together, so that they stay in the nearest cache


@numba.njit(cache=True, nogil=True)
def combine(before: np.ndarray, size: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Min-plus convolution of a dense table with a few choices.

    ``after[s] = min_k before[s - size[k]] + loss[k]``.

    Args:
        before: ``[m]`` int32, least loss of each sum; about :data:`FAR` where there is none.
        size: ``[c]`` int64, rising, not negative.
        loss: ``[c]`` int32.

    Returns:
        ``[m + size[-1]]`` int32.
    """
    after = np.full(len(before) + size[-1], FAR, np.int32)
    for low in range(0, len(after), TILE):
        high = min(low + TILE, len(after))
        for k in range(len(size)):
            start, stop = max(low, size[k]), min(high, size[k] + len(before))
            if start < stop:
                source, target = before[start - size[k] : stop - size[k]], after[start:stop]
                for s in range(len(source)):
                    target[s] = min(target[s], np.int32(source[s] + loss[k]))
    return after


@numba.njit(cache=True, nogil=True)
def combine_rising(
    before: np.ndarray, keep: np.ndarray, size: np.ndarray, loss: np.ndarray, width: int
) -> np.ndarray:
    """The same where no place may be lower than the place of the level before.

    ``after[b, s] = min_{c <= b, keep[c]} before[c, s - size[c]] + loss[c]``.

    Args:
        before: ``[places, m]`` int32.
        keep: ``[places]`` bool, which places this level may choose.
        size: ``[places]`` int64.
        loss: ``[places]`` int32.
        width: columns of the result.

    Returns:
        ``[places, width]`` int32.
    """
    after = np.full((len(before), width), FAR, np.int32)
    for b in range(len(before)):
        target = after[b]
        if b:
            target[:] = after[b - 1]
        if keep[b]:
            source, moved = before[b], target[size[b] : size[b] + before.shape[1]]
            for s in range(len(source)):
                moved[s] = min(moved[s], np.int32(source[s] + loss[b]))
    return after


@numba.njit(cache=True, nogil=True)
def upper_hull(taken: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Places of the corners of the least concave curve above one that never falls: PAV's blocks end there.

    Args:
        taken: ``[m]`` int64, strictly rising.
        positives: ``[m]`` int64.

    Returns:
        ``[c]`` int64 places, rising, the first and the last among them; no three corners lie on a line.
    """
    corner = np.empty(len(taken), np.int64)
    count = 0
    for k in range(len(taken)):
        while count > 1:
            a, b = corner[count - 2], corner[count - 1]
            wide, high = taken[b] - taken[a], positives[b] - positives[a]
            if high * (taken[k] - taken[b]) > (positives[k] - positives[b]) * wide:
                break
            count -= 1
        corner[count] = k
        count += 1
    return corner[:count].copy()


@numba.njit(cache=True, nogil=True)
def sweep(
    level: np.ndarray,
    label: np.ndarray,
    last: np.ndarray,
    limits: np.ndarray,
    below: bool,
    best: np.ndarray,
    found: np.ndarray,
) -> None:
    """Best rectangles by how many positives they take; ``best`` and ``found`` are changed in place.

    Args:
        level: ``[n]`` int64 of cases whose scores fall.
        label: ``[n]`` bool.
        last: ``[n]`` bool, whether the next case has another score.
        limits: ``[c]`` int64, levels that bound a rectangle.
        below: whether the levels up to the limit are inside, or those from it on.
        best: ``[positives + 1]`` int64, fewest false positives seen with so many true ones.
        found: ``[positives + 1, 2]`` int64, limit and last case of the rectangle that has them.
    """
    for limit in limits:
        hits, false = 0, 0
        for row in range(len(level)):
            inside = level[row] <= limit if below else level[row] >= limit
            hits += inside & label[row]
            false += inside & (not label[row])
            if last[row] and false < best[hits]:
                best[hits] = false
                found[hits, 0], found[hits, 1] = limit, row
