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
def spread_bits(packed: np.ndarray, bits: int, dim: int, out: np.ndarray) -> None:
    """The whole numbers of packed codes: bits k stand for 2 k + 1 − 2^bits, the lowest bits come first.

    Args:
        packed: ``[num_rows, dim · bits / 8]`` uint8.
        bits: 1, 2 or 4.
        dim: numbers a row.
        out: ``[num_rows, dim up to a multiple of 8]`` int8; what is behind dim is left as it is.
    """
    each, mask, away = 8 // bits, (1 << bits) - 1, (1 << bits) - 1
    table = np.empty((256, each), np.int8)
    for byte in range(256):
        for k in range(each):
            table[byte, k] = 2 * ((byte >> (bits * k)) & mask) - away
    whole = dim // each
    for i in range(len(packed)):
        line, into = packed[i], out[i]
        if bits == 1:
            _copy_words(line, table.view(np.int64)[:, 0], into.view(np.int64), whole)
        elif bits == 2:
            _copy_words(line, table.view(np.int32)[:, 0], into.view(np.int32), whole)
        else:
            _copy_words(line, table.view(np.int16)[:, 0], into.view(np.int16), whole)
        for k in range(whole * each, dim):
            into[k] = table[line[whole], k - whole * each]


@numba.njit(cache=True, nogil=True)
def _copy_words(line: np.ndarray, table: np.ndarray, into: np.ndarray, count: int) -> None:
    """All numbers of a byte at once."""
    for byte in range(count):
        into[byte] = table[line[byte]]


@numba.njit(cache=True, nogil=True)
def code_rows(
    vectors: np.ndarray,
    bits: int,
    steps: np.ndarray,
    codes: np.ndarray,
    scale: np.ndarray,
    cosine: np.ndarray,
) -> None:
    """Codes of rows, and the factor of each: of all steps the one whose codes point most nearly the same way.

    Args:
        vectors: ``[num_rows, dim]`` float32.
        bits: 1, 2 or 4.
        steps: ``[s]`` float32, half the distance of codes in root mean squares of the row.
        codes: ``[num_rows, dim · bits / 8]`` uint8 of noughts.
        scale: ``[num_rows]`` float32 of noughts; stays so for rows of noughts.
        cosine: the same.
    """
    dim, each, half = vectors.shape[1], 8 // bits, 1 << (bits - 1)
    for i in range(len(vectors)):
        line, square, best = vectors[i], 0.0, np.float32(0)
        for k in range(dim):
            square += np.float64(line[k]) * np.float64(line[k])
        if square < 1e-60:
            continue
        for step in steps:
            unit = 1.0 / (2.0 * step * np.sqrt(square / dim))
            along, norm = 0.0, 0.0
            for k in range(dim):
                code = 2.0 * min(max(np.floor(line[k] * unit), -half), half - 1) + 1.0
                along += code * line[k]
                norm += code * code
            near = along / np.sqrt(norm * square)
            if near > cosine[i]:
                cosine[i], scale[i], best = near, square / along, step
        unit = 1.0 / (2.0 * best * np.sqrt(square / dim))
        for k in range(dim):
            place = np.int64(min(max(np.floor(line[k] * unit), -half), half - 1)) + half
            codes[i, k // each] |= np.uint8(place << (bits * (k % each)))


@numba.njit(cache=True, nogil=True)
def look_up(codes: np.ndarray, table: np.ndarray, scale: np.ndarray, out: np.ndarray) -> None:
    """Rows of prototypes: part p of row i is ``table[p, codes[i, p]] · scale[i]``."""
    for i in range(len(codes)):
        line, into, unit = codes[i], out[i], scale[i]
        for part in range(len(line)):
            found = table[part, line[part]]
            for k in range(4):
                into[4 * part + k] = found[k] * unit


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def sum_tables(
    codes: np.ndarray, products: np.ndarray, scale: np.ndarray, bias: np.ndarray, out: np.ndarray
) -> None:
    """``out[j] = scale[j] · Σ_p products[p, codes[j, p]] + bias[j]``."""
    flat = products.reshape(-1)
    for j in range(len(codes)):
        line, total = codes[j], np.float32(0)
        for part in range(len(line)):
            total += flat[part * 256 + line[part]]
        out[j] = total * scale[j] + bias[j]


@numba.njit(cache=True, nogil=True)
def _hadamard(line: np.ndarray, start: int, size: int) -> None:
    """The Hadamard transform of ``size`` numbers (a power of two), in place, of length one."""
    width = 1
    while width < size:
        for block in range(start, start + size, 2 * width):
            for k in range(block, block + width):
                above, below = line[k], line[k + width]
                line[k], line[k + width] = above + below, above - below
        width *= 2
    unit = np.float32(1.0 / np.sqrt(size))
    for k in range(start, start + size):
        line[k] *= unit


@numba.njit(cache=True, nogil=True)
def rotate_rows(rows: np.ndarray, signs: np.ndarray) -> None:
    """Turn signs and mix the numbers of each row, in place, as many times as there are rows of signs.

    The first and the last power of two of the numbers are mixed in turn, so that any length will do.
    """
    dim, size = rows.shape[1], 1
    while 2 * size <= dim:
        size *= 2
    for i in range(len(rows)):
        line = rows[i]
        for turn in range(len(signs)):
            for k in range(dim):
                line[k] *= signs[turn, k]
            _hadamard(line, (dim - size) * (turn % 2), size)


@numba.njit(cache=True, nogil=True)
def rotate_rows_back(rows: np.ndarray, signs: np.ndarray) -> None:
    """The reverse of :func:`rotate_rows`."""
    dim, size = rows.shape[1], 1
    while 2 * size <= dim:
        size *= 2
    for i in range(len(rows)):
        line = rows[i]
        for turn in range(len(signs) - 1, -1, -1):
            _hadamard(line, (dim - size) * (turn % 2), size)
            for k in range(dim):
                line[k] *= signs[turn, k]
