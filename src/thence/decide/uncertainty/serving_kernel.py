"""Loops over rows from what a network gives to mean and uncertainty: one call, so that one row is quick."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

SUMS = {"reassoc", "contract"}
"""Sums may be taken in any order; NaN and infinity keep their meaning."""
_SURE, _FAR = 1e-15, 700.0
_NONE = np.float32(0.0)


@njit(cache=True, nogil=True)
def rate_of(logit: float) -> float:
    """As :func:`entropies.sigmoid`."""
    return min(max(1.0 / (1.0 + math.exp(-max(logit, -_FAR))), _SURE), 1.0 - _SURE)


@njit(cache=True, nogil=True, fastmath=SUMS)
def normal_rows(told: np.ndarray) -> tuple[np.ndarray, bool]:
    """Rows logit, variance and mean ``[3, n]`` of ``[n, 1 + r]``, and whether all are finite."""
    found, total = np.empty((3, len(told))), 0.0
    for row in range(len(told)):
        spread = np.float32(0.0)
        for k in range(1, told.shape[1]):
            spread += told[row, k] * told[row, k]
        found[0, row], found[1, row] = told[row, 0], spread
        found[2, row] = rate_of(told[row, 0] / math.sqrt(1.0 + math.pi / 8 * spread))
        total += found[0, row] + found[1, row]
    return found, math.isfinite(total)


@njit(cache=True, nogil=True)
def member_rows(told: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Logits ``[m, n]`` of ``[n, m]``; rows mean and deviation ``[2, n]``; and whether all are finite."""
    rows, members = told.shape
    logits, found, total = np.empty((members, rows)), np.empty((2, rows)), 0.0
    for row in range(rows):
        rate = middle = square = 0.0
        for m in range(members):
            logits[m, row] = told[row, m]
            rate += rate_of(told[row, m])
            middle += told[row, m]
        middle /= members
        for m in range(members):
            square += (told[row, m] - middle) ** 2
        found[0, row], found[1, row] = rate / members, math.sqrt(square / members)
        total += found[1, row]
    return logits, found, math.isfinite(total)


@njit(cache=True, nogil=True, fastmath=SUMS)
def tail_rows(shared: np.ndarray, tail: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Logits ``[n, m]`` of members whose last two layers are theirs, with a ReLU between them.

    Args:
        shared: ``[n, k]`` float32, the product of the first of the layers that all members share.
        tail: ``[3, m, k]`` float32: what each member multiplies it by, adds to it, and weighs it with.
        bias: ``[m]`` float32 of the last layer.
    """
    told = np.empty((len(shared), len(bias)), np.float32)
    for row in range(len(shared)):
        for m in range(len(bias)):
            total = bias[m]
            for k in range(shared.shape[1]):
                hidden = shared[row, k] * tail[0, m, k] + tail[1, m, k]
                total += tail[2, m, k] * (_NONE if hidden < _NONE else hidden)  # NaN stays
            told[row, m] = total
    return told
