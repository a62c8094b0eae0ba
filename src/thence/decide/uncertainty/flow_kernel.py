"""Loops over rows: densities of radial flows, and entropies of Beta distributions."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thence.decide.uncertainty.serving_kernel import SUMS, rate_of

GREAT = 1e6
"""Above it the entropy is that of a normal distribution, as in :func:`entropies.beta_entropy`."""


LIMIT = 30.0
"""Logarithms of evidence are kept within it."""
_LEAST, _MOST = math.exp(-LIMIT), math.exp(LIMIT)
_NEAR = 1e-24
"""Added to squared distances, so that their root has a slope everywhere."""
BLOCK = 64
"""Rows that go through the maps side by side, so that the processor takes several at once."""
_LITTLE, _MUCH = 1e-280, 1e280
"""Between these a product of factors is taken as it is; beyond, its logarithm."""


@njit(cache=True, nogil=True)
def log_densities(rows: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Log densities ``[n, classes]`` of ``[n, dim]`` rows; see :class:`RadialFlows`.

    Maps are ``[classes, layers, dim + 2]``: centre, α and β. The factors of each determinant are multiplied, so
    that a row takes one logarithm a class, but where their product leaves the range of floats.
    """
    told, dim = np.empty((len(rows), len(maps))), rows.shape[1]
    at, work = np.empty((dim, BLOCK)), np.empty((4, BLOCK))
    for first in range(0, len(rows), BLOCK):
        size = min(BLOCK, len(rows) - first)
        for c in range(len(maps)):
            _through(rows, first, size, maps[c], at, work)
            for i in range(size):
                log = _log_of(work[0, i], work[1, i], dim)
                told[first + i, c] = log - (work[2, i] + dim * math.log(2 * math.pi)) / 2
    return told


@njit(cache=True, nogil=True, fastmath=SUMS)
def _through(
    rows: np.ndarray, first: int, size: int, maps: np.ndarray, at: np.ndarray, work: np.ndarray
) -> None:
    """Move ``size`` rows through the maps of a class; leave factors across and along, and squared lengths.

    Each turn moves the rows by one map and meets the next one's centre, so that rows are read once a map. Rows
    lie side by side in whole arrays, ``[dim, BLOCK]`` and ``[4, BLOCK]``.
    """
    across, along, square, move, dim = work[0], work[1], work[2], work[3], len(at)
    for i in range(size):
        across[i], along[i], square[i] = 1.0, 1.0, _NEAR
    for j in range(dim):
        for i in range(size):
            at[j, i] = rows[first + i, j]
            square[i] += (at[j, i] - maps[0, j]) * (at[j, i] - maps[0, j])
    last = len(maps) - 1
    for k in range(len(maps)):
        alpha, beta = maps[k, dim], maps[k, dim + 1]
        for i in range(size):
            h = 1.0 / (alpha + math.sqrt(square[i]))
            move[i] = beta * h
            across[i] *= 1.0 + move[i]
            along[i] *= 1.0 + alpha * move[i] * h
            square[i] = _NEAR if k < last else 0.0
        for j in range(dim):
            centre, after = maps[k, j], maps[k + 1, j] if k < last else 0.0
            for i in range(size):
                moved = at[j, i] + move[i] * (at[j, i] - centre)
                at[j, i] = moved
                square[i] += (moved - after) * (moved - after)


@njit(cache=True, nogil=True)
def _product(across: float, along: float, dim: int) -> float:
    for _ in range(dim - 1):
        along *= across
    return along


@njit(cache=True, nogil=True)
def _log_of(across: float, along: float, dim: int) -> float:
    """Logarithm of the determinant."""
    product = _product(across, along, dim)
    if _LITTLE < product < _MUCH:
        return math.log(product)
    return (dim - 1) * math.log(across) + math.log(along)


@njit(cache=True, nogil=True)
def evidence_of(across: float, along: float, square: float, dim: int, log: float) -> float:
    """Density times e^log, its logarithm kept within the limit; usually one exponential and no logarithm."""
    rest = log - (square + dim * math.log(2 * math.pi)) / 2
    product = _product(across, along, dim)
    if _LITTLE < product < _MUCH:
        return min(max(product * math.exp(rest), _LEAST), _MOST)
    return math.exp(min(max(_log_of(across, along, dim) + rest, -LIMIT), LIMIT))


@njit(cache=True, nogil=True)
def class_evidence(rows: np.ndarray, maps: np.ndarray, told: np.ndarray) -> tuple[np.ndarray, bool]:
    """Rows alpha, beta, entropy and mean ``[4, n]`` of a posterior network with latents ``[n, dim]``.

    And whether all are finite. ``told`` is the prior of the positive and of the negative class, and the
    logarithms of the training rows of the negative and of the positive class.
    """
    found, total, dim = np.empty((4, len(rows))), 0.0, rows.shape[1]
    at, work = np.empty((dim, BLOCK)), np.empty((4, BLOCK))
    for first in range(0, len(rows), BLOCK):
        size = min(BLOCK, len(rows) - first)
        for c in range(2):
            _through(rows, first, size, maps[c], at, work)
            for i in range(size):
                seen = evidence_of(work[0, i], work[1, i], work[2, i], dim, told[2 + c])
                found[1 - c, first + i] = told[1 - c] + seen
                total += work[2, i]
        for row in range(first, first + size):
            found[2, row] = beta_entropy_of(found[0, row], found[1, row])
            found[3, row] = found[0, row] / (found[0, row] + found[1, row])
            total += found[3, row]
    return found, math.isfinite(total)


@njit(cache=True, nogil=True)
def shared_evidence(rows: np.ndarray, maps: np.ndarray, told: np.ndarray) -> tuple[np.ndarray, bool]:
    """The same of a natural posterior network.

    ``told`` is the prior of the positive and of the negative class, the logarithm of the budget, the bias of
    the rate's logit, and its weights.
    """
    found, total, dim = np.empty((4, len(rows))), 0.0, rows.shape[1]
    at, work = np.empty((dim, BLOCK)), np.empty((4, BLOCK))
    for first in range(0, len(rows), BLOCK):
        size = min(BLOCK, len(rows) - first)
        _through(rows, first, size, maps[0], at, work)
        for i in range(size):
            row = first + i
            seen = evidence_of(work[0, i], work[1, i], work[2, i], dim, told[2])
            logit = told[3]
            for j in range(dim):
                logit += told[4 + j] * rows[row, j]
            chance = rate_of(logit)
            found[0, row] = told[0] + seen * chance
            found[1, row] = told[1] + seen * (1.0 - chance)
            found[2, row] = beta_entropy_of(found[0, row], found[1, row])
            found[3, row] = found[0, row] / (found[0, row] + found[1, row])
            total += found[3, row] + work[2, i]
    return found, math.isfinite(total)


@njit(cache=True, nogil=True)
def log_gamma_and_digamma(x: float) -> tuple[float, float, float]:
    """A part of ln Γ(x), ψ(x), and the number whose logarithm the part lacks, for x > 0.

    Both functions below 8 by their recurrences, eight steps at once, and then by their asymptotic series.
    """
    product, slope = 1.0, 0.0
    if x < 8.0:  # x (x + 1) … (x + 7), and its derivative by the rule for products
        for k in range(8):
            slope = slope * (x + k) + product
            product *= x + k
        slope /= product
        x += 8.0
    log, one = math.log(x), 1.0 / x
    y = one * one
    gamma = (x - 0.5) * log - x + 0.9189385332046727
    gamma += one * (
        1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360)))))
    )
    psi = log - 0.5 * one
    psi -= y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * (691 / 32760))))))
    return gamma, psi - slope, product


@njit(cache=True, nogil=True)
def beta_entropy_of(a: float, b: float) -> float:
    """Differential entropy of a Beta distribution; see :func:`entropies.beta_entropy`."""
    total = a + b
    if min(a, b) >= GREAT:
        return 0.5 * math.log(2 * math.pi * math.e * a * b / (total * total * (total + 1)))
    gamma_a, psi_a, lacks_a = log_gamma_and_digamma(a)
    gamma_b, psi_b, lacks_b = log_gamma_and_digamma(b)
    gamma, psi, lacks = log_gamma_and_digamma(total)
    log_beta = gamma_a + gamma_b - gamma + math.log(lacks / (lacks_a * lacks_b))
    return log_beta + (total - 2) * psi - (a - 1) * psi_a - (b - 1) * psi_b
