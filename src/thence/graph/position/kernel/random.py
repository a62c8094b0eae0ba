"""Random rows that belong to nodes: each a hash of a seed and of the node's own key, whoever else is there."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, fold, mix

_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_ONE = np.uint64(1)


@numba.njit(cache=True, nogil=True)
def hash_ids(offsets: np.ndarray, data: np.ndarray, keys: np.ndarray) -> None:
    """``keys[i]``: a word from the bytes ``offsets[i] … offsets[i + 1] - 1`` (FNV-1a, then mixed)."""
    for i in range(len(keys)):
        word = _OFFSET
        for at in range(offsets[i], offsets[i + 1]):
            word = (word ^ np.uint64(data[at])) * _PRIME
        keys[i] = mix(word)


@numba.njit(cache=True, nogil=True)
def fill_signs(keys: np.ndarray, seed: np.uint64, first: int, out: np.ndarray) -> None:
    """``out[i, k]``: +1 or -1, bit c % 64 of word c // 64 of the stream of node i, where c = first + k."""
    for i in range(len(keys)):
        stream = fold(seed, keys[i])
        word = stream
        for k in range(out.shape[1]):
            c = first + k
            if k == 0 or c % 64 == 0:
                word = mix(stream + np.uint64(c // 64) * GOLDEN)
            out[i, k] = 1.0 if (word >> np.uint64(c % 64)) & _ONE else -1.0
