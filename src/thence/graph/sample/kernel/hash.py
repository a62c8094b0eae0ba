"""Randomness without state: a number is a hash of what it is for, so no thread and no order can change it.

``mix`` is the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014). A key is folded word by word, ``mix(mix(a) ^ b)``; a stream for one purpose is
``key + i · GOLDEN`` for i = 0, 1, …, mixed.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _12, _32 = (np.uint64(bits) for bits in (30, 27, 31, 12, 32))
_UNIT = 1.0 / (1 << 52)


@numba.njit(cache=True, nogil=True, inline="always")
def mix(word: np.uint64) -> np.uint64:
    """A well-mixed word from a word."""
    word = word + GOLDEN
    word = (word ^ (word >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    return word ^ (word >> _31)


@numba.njit(cache=True, nogil=True, inline="always")
def fold(key: np.uint64, word: Any) -> np.uint64:
    """A key of two things from the key of the first and the second, an int."""
    return mix(key ^ np.uint64(word))


@numba.njit(cache=True, nogil=True, inline="always")
def unit(word: np.uint64) -> float:
    """A float strictly between 0 and 1 from a mixed word."""
    return (float(word >> _12) + 0.5) * _UNIT


@numba.njit(cache=True, nogil=True, inline="always")
def below(word: np.uint64, bound: int) -> Any:
    """An int in 0 … bound - 1 from a mixed word; ``bound`` below 2³¹ (Lemire's multiply and shift)."""
    return np.int64(((word >> _32) * np.uint64(bound)) >> _32)


def key_of(*words: int) -> np.uint64:
    """The key of some ints, for kernels.

    Example:
        >>> key_of(0, 1)
        np.uint64(627405149472732430)
    """
    key = np.uint64(0)
    for word in words:
        key = np.uint64(fold(key, np.int64(word)))
    return key
