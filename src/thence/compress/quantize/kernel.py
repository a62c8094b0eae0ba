"""The inner loops of scoring codes: products of bytes, sums over tables, and numbers from bits.

``out`` is ``[num_queries, num_rows]`` float32 throughout, and every kernel fills all of it.
"""

from __future__ import annotations

import numba
import numpy as np

from thence.compress.quantize.machine import QUERIES, ROWS, byte_tile


@numba.njit(cache=True, nogil=True)
def pack_tile(words: np.ndarray, start: int, tile: np.ndarray) -> None:
    """32 rows side by side: each group of four dimensions of all of them in turn, 128 added to each code.

    Args:
        words: ``[num_rows, dim / 4]`` int32, four codes each.
        start: the first row of the tile; rows after the last are left as they are.
        tile: ``[dim / 4, 32]`` int32.
    """
    rows = min(ROWS, len(words) - start)
    for row in range(rows):
        line = words[start + row]
        for group in range(len(line)):
            tile[group, row] = line[group] ^ np.int32(-2139062144)  # 0x80808080: turns the sign bit of each


@numba.njit(cache=True, nogil=True)
def tiled_bytes(
    query: np.ndarray,
    query_scale: np.ndarray,
    codes: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    out: np.ndarray,
) -> None:
    """``out[i, j] = query_scale[i] · scale[j] · Σ query[i] · codes[j] + bias[j]`` with byte products.

    Args:
        query: ``[b, dim]`` int8; b is a multiple of 8, dim of 4; rows beyond ``out``'s are padding.
        query_scale: ``[b]`` float32.
        codes: ``[num_rows, dim]`` int8.
        scale: ``[num_rows]`` float32.
        bias: ``[num_rows]`` float32.
        out: ``[at most b, num_rows]`` float32.
    """
    dim, groups = codes.shape[1], codes.shape[1] // 4
    words, tile = codes.view(np.int32), np.zeros((groups, ROWS), np.int32)
    sums, added = np.empty(QUERIES * ROWS, np.int32), np.empty(len(query), np.int32)
    for i in range(len(query)):
        total = np.int32(0)
        for k in range(dim):
            total += np.int32(query[i, k])
        added[i] = total * np.int32(128)
    for start in range(0, len(codes), ROWS):
        pack_tile(words, start, tile)
        rows = min(ROWS, len(codes) - start)
        for first in range(0, len(out), QUERIES):
            byte_tile(query, first * dim, dim, tile, groups, sums)
            for at in range(min(QUERIES, len(out) - first)):
                i = first + at
                unit, away, line = query_scale[i], added[i], out[i]
                for row in range(rows):
                    whole = np.float32(sums[at * ROWS + row] - away)
                    line[start + row] = whole * (unit * scale[start + row]) + bias[start + row]


@numba.njit(cache=True, nogil=True)
def plain_bytes(
    query: np.ndarray,
    query_scale: np.ndarray,
    codes: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    out: np.ndarray,
) -> None:
    """The same in portable loops, for one query or a few; the sums are the same integers."""
    for j in range(len(codes)):
        line = codes[j]
        for i in range(len(out)):
            asked, total = query[i], np.int32(0)
            for k in range(codes.shape[1]):
                total += np.int32(asked[k]) * np.int32(line[k])
            out[i, j] = np.float32(total) * (query_scale[i] * scale[j]) + bias[j]


@numba.njit(cache=True, nogil=True)
def spread_nibbles(packed: np.ndarray, out: np.ndarray) -> None:
    """Two signed codes of four bits from each byte, the lower half first, to one byte each.

    Args:
        packed: ``[num_rows, dim / 2]`` uint8; each half is a code + 8.
        out: ``[num_rows, dim]`` int8.
    """
    for i in range(len(packed)):
        line, into = packed[i], out[i]
        for k in range(len(line)):
            into[2 * k] = np.int8(line[k] & np.uint8(15)) - np.int8(8)
            into[2 * k + 1] = np.int8(line[k] >> np.uint8(4)) - np.int8(8)
