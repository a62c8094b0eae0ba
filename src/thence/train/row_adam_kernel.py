"""Adam on some rows of a table, in one pass over each; gradients of a row that stands twice are added up."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def move_rows(
    table: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: np.ndarray,
    grad: np.ndarray,
    betas: tuple[float, float],
    how: tuple[float, float, float, float],
) -> None:
    """Update rows of the weights and of both moments in place.

    Args:
        table: weights, first and second moments, ``[n, width]`` float32.
        rows: ``[m]`` int64, each at most once.
        grad: ``[m, width]`` float32.
        betas: decay of the first and of the second moment.
        how: what the weights are multiplied by first, the rate over (1 - β₁^t), 1 / (1 - β₂^t), and ε.
    """
    weight, first, second = table
    keep, rate = np.float32(how[0]), np.float32(how[1])
    scale, epsilon = np.float32(how[2]), np.float32(how[3])
    beta_1, beta_2 = np.float32(betas[0]), np.float32(betas[1])
    one = np.float32(1)
    for at in range(len(rows)):
        row = rows[at]
        for k in range(grad.shape[1]):
            g = grad[at, k]
            m = beta_1 * first[row, k] + (one - beta_1) * g
            v = beta_2 * second[row, k] + (one - beta_2) * g * g
            first[row, k], second[row, k] = m, v
            weight[row, k] = keep * weight[row, k] - rate * m / (np.sqrt(v * scale) + epsilon)


@numba.njit(cache=True, nogil=True)
def sum_rows(rows: np.ndarray, grad: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row once, in the order of first appearance, and the sum of its gradients; nothing is sorted.

    Args:
        rows: ``[m]`` int64.
        grad: ``[m, width]`` float32.
        place: ``[n]`` int32 of -1, one for each row of the table; it is left as it was found.

    Returns:
        Rows ``[k]`` and gradients ``[k, width]``.
    """
    once, total, count = np.empty_like(rows), np.empty_like(grad), 0
    for at in range(len(rows)):
        to = place[rows[at]]
        if to < 0:
            to = count
            place[rows[at]], once[to] = to, rows[at]
            for k in range(grad.shape[1]):
                total[to, k] = grad[at, k]
            count += 1
        else:
            for k in range(grad.shape[1]):
                total[to, k] += grad[at, k]
    for at in range(count):
        place[once[at]] = -1
    return once[:count], total[:count]
