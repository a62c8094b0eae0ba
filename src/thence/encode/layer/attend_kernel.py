"""Attention over arcs, compiled: the loops behind ``attend_compiled.py``, whose shapes and letters they share.

``value``, ``out`` and gradients are ``[n, heads, width]`` float32, what stands for one score ``[…, heads]``. A
loop fills the rows or columns ``first … last - 1`` and no others, so that several may run at once.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 8
LINE = 16
"""Numbers in a cache line."""


@numba.njit(cache=True, nogil=True, inline="always")
def _soon(flat: np.ndarray, at: int, size: int) -> None:
    """Ask for the numbers of a row that will be needed soon."""
    begin = np.int64(at) * size
    for k in range(0, size, LINE):
        prefetch(flat, begin + k)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def additive_forward(
    near: tuple, value: np.ndarray, terms: tuple, slope: float, filled: tuple, first: int, last: int
) -> None:
    """Means by shares of ``leaky(row_i + column_j)``.

    Args:
        near: ``indptr`` and ``seen`` of the rows.
        value: what is averaged.
        terms: ``row`` and ``column`` of the scores.
        slope: of the leaky ReLU below zero.
        filled: ``out`` and ``log_sum`` ``[n, heads]``, the log of each row's sum of powers; overwritten.
        first: the first row.
        last: the row after the last one.
    """
    (indptr, seen), (row, column), (out, log_sum) = near, terms, filled
    heads, width = value.shape[1:]
    flat, size, end = value.reshape(-1), heads * width, indptr[last] - 1
    top, total = np.empty(heads, np.float32), np.empty(heads, np.float32)
    for i in range(first, last):
        out[i], log_sum[i], total[:] = 0, 0, 0
        if indptr[i] == indptr[i + 1]:
            continue
        top[:] = column[seen[indptr[i]]]
        for e in range(indptr[i] + 1, indptr[i + 1]):
            for h in range(heads):
                top[h] = max(top[h], column[seen[e], h])
        for h in range(heads):
            score = row[i, h] + top[h]
            top[h] = max(score, slope * score)
        for e in range(indptr[i], indptr[i + 1]):
            _soon(flat, seen[min(e + AHEAD, end)], size)
            j = seen[e]
            for h in range(heads):
                score = row[i, h] + column[j, h]
                power = np.float32(math.exp(max(score, slope * score) - top[h]))
                total[h] += power
                for k in range(width):
                    out[i, h, k] += power * value[j, h, k]
        for h in range(heads):
            log_sum[i, h] = top[h] + np.float32(math.log(total[h]))
            share = np.float32(1) / total[h]
            for k in range(width):
                out[i, h, k] *= share


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def additive_backward(
    back: tuple, value: np.ndarray, terms: tuple, slope: float, filled: tuple, first: int, last: int
) -> None:
    """Gradients of :func:`additive_forward`, column by column.

    Args:
        back: ``back_indptr``, ``seers`` and ``back_at`` of the columns.
        value: what was averaged.
        terms: ``column``; ``known`` ``[n, 3, heads]``: row term, log of sums and δ of each row; and ``grad`` of
            ``out``.
        slope: of the leaky ReLU below zero.
        filled: gradients ``d_value``, ``d_column`` ``[n, heads]``, by rows ``d_score`` ``[entries, heads]``.
        first: the first column.
        last: the column after the last one.
    """
    (indptr, seers, at), (column, known, grad), (d_value, d_column, d_score) = back, terms, filled
    heads, width = value.shape[1:]
    flat, size, end = grad.reshape(-1), heads * width, indptr[last] - 1
    for j in range(first, last):
        d_value[j], d_column[j] = 0, 0
        for e in range(indptr[j], indptr[j + 1]):
            _soon(flat, seers[min(e + AHEAD, end)], size)
            i, place = seers[e], at[e]
            for h in range(heads):
                product = np.float32(0)
                for k in range(width):
                    product += grad[i, h, k] * value[j, h, k]
                score = known[i, 0, h] + column[j, h]
                rise = np.float32(1) if score > 0 else slope
                share = np.float32(math.exp(score * rise - known[i, 1, h]))
                change = share * (product - known[i, 2, h]) * rise
                d_score[place, h] = change
                d_column[j, h] += change
                for k in range(width):
                    d_value[j, h, k] += share * grad[i, h, k]


@numba.njit(cache=True, nogil=True)
def row_sums(near: tuple, entries: np.ndarray, out: np.ndarray, first: int, last: int) -> None:
    """``out[i] = Σ_e entries[e]`` over the entries of row i; entries are ``[entries, heads]``."""
    indptr = near[0]
    for i in range(first, last):
        out[i] = 0
        for e in range(indptr[i], indptr[i + 1]):
            for h in range(entries.shape[1]):
                out[i, h] += entries[e, h]


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def mixed_forward(
    near: tuple, value: np.ndarray, terms: tuple, slope: float, filled: tuple, first: int, last: int
) -> None:
    """Means by shares of ``⟨weight, leaky(row_i + value_j)⟩``.

    Args:
        near: ``indptr`` and ``seen`` of the rows.
        value: what is averaged.
        terms: ``row`` and ``weight`` of the scores.
        slope: of the leaky ReLU below zero.
        filled: ``out``, and ``share`` ``[entries, heads]``; overwritten.
        first: the first row.
        last: the row after the last one.
    """
    (indptr, seen), (row, weight), (out, share) = near, terms, filled
    heads, width = value.shape[1:]
    flat, size, end = value.reshape(-1), heads * width, indptr[last] - 1
    top, total = np.empty(heads, np.float32), np.empty(heads, np.float32)
    for i in range(first, last):
        out[i], total[:], top[:] = 0, 0, np.float32(-np.inf)
        for e in range(indptr[i], indptr[i + 1]):
            _soon(flat, seen[min(e + AHEAD, end)], size)
            j = seen[e]
            for h in range(heads):
                score = np.float32(0)
                for k in range(width):
                    met = row[i, h, k] + value[j, h, k]
                    score += weight[h, k] * max(met, slope * met)
                share[e, h] = score
                top[h] = max(top[h], score)
        for e in range(indptr[i], indptr[i + 1]):
            for h in range(heads):
                power = np.float32(math.exp(share[e, h] - top[h]))
                share[e, h] = power
                total[h] += power
        for e in range(indptr[i], indptr[i + 1]):
            j = seen[e]
            for h in range(heads):
                share[e, h] /= total[h]
                for k in range(width):
                    out[i, h, k] += share[e, h] * value[j, h, k]


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def mixed_backward_rows(
    near: tuple, value: np.ndarray, terms: tuple, slope: float, filled: tuple, first: int, last: int
) -> np.ndarray:
    """Gradients of :func:`mixed_forward`, row by row: those of ``row`` and, returned, those of ``weight``.

    Args:
        near: ``indptr`` and ``seen`` of the rows.
        value: what was averaged.
        terms: ``row``, ``weight``, ``share``, δ ``[n, heads]`` and ``grad`` of ``out``.
        slope: of the leaky ReLU below zero.
        filled: gradients ``d_row``, and ``d_score`` ``[entries, heads]``.
        first: the first row.
        last: the row after the last one.
    """
    (indptr, seen), (row, weight, share, delta, grad), (d_row, d_score) = near, terms, filled
    heads, width = value.shape[1:]
    flat, size, end = value.reshape(-1), heads * width, indptr[last] - 1
    d_weight = np.zeros((heads, width), np.float32)
    for i in range(first, last):
        d_row[i] = 0
        for e in range(indptr[i], indptr[i + 1]):
            _soon(flat, seen[min(e + AHEAD, end)], size)
            j = seen[e]
            for h in range(heads):
                product = np.float32(0)
                for k in range(width):
                    product += grad[i, h, k] * value[j, h, k]
                change = share[e, h] * (product - delta[i, h])
                d_score[e, h] = change
                for k in range(width):
                    met = row[i, h, k] + value[j, h, k]
                    rise = np.float32(1) if met > 0 else slope
                    d_row[i, h, k] += change * rise
                    d_weight[h, k] += change * rise * met
        for h in range(heads):
            for k in range(width):
                d_row[i, h, k] *= weight[h, k]
    return d_weight


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def mixed_backward_columns(
    back: tuple, value: np.ndarray, terms: tuple, slope: float, d_value: np.ndarray, first: int, last: int
) -> None:
    """Gradients of :func:`mixed_forward` for ``value``, column by column.

    Args:
        back: ``back_indptr``, ``seers`` and ``back_at`` of the columns.
        value: what was averaged.
        terms: ``row``, ``weight``, ``share``, ``d_score`` and ``grad`` of ``out``.
        slope: of the leaky ReLU below zero.
        d_value: overwritten.
        first: the first column.
        last: the column after the last one.
    """
    (indptr, seers, at), (row, weight, share, d_score, grad) = back, terms
    heads, width = value.shape[1:]
    size, end = heads * width, indptr[last] - 1
    flat, other = grad.reshape(-1), row.reshape(-1)
    for j in range(first, last):
        d_value[j] = 0
        for e in range(indptr[j], indptr[j + 1]):
            soon = seers[min(e + AHEAD, end)]
            _soon(flat, soon, size)
            _soon(other, soon, size)
            i, place = seers[e], at[e]
            for h in range(heads):
                part, change = share[place, h], d_score[place, h]
                for k in range(width):
                    rise = np.float32(1) if row[i, h, k] + value[j, h, k] > 0 else slope
                    d_value[j, h, k] += part * grad[i, h, k] + change * rise * weight[h, k]
