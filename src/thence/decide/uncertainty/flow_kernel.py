"""Loops over rows: densities of radial flows, and entropies of Beta distributions."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thence.decide.uncertainty.serving_kernel import rate_of

GREAT = 1e6
"""Above it the entropy is that of a normal distribution, as in :func:`entropies.beta_entropy`."""


LIMIT = 30.0
"""Logarithms of evidence are kept within it."""
BLOCK = 64
"""Rows that go through the maps side by side, so that the processor takes several at once."""


@njit(cache=True, nogil=True)
def log_densities(rows: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Log densities ``[n, classes]`` of ``[n, dim]`` rows; see :class:`RadialFlows`.

    Maps are ``[classes, layers, dim + 2]``: centre, α and β. The factors of each determinant are multiplied, so
    that a row takes one logarithm a class, but where their product leaves the range of floats.
    """
    told = np.empty((len(rows), len(maps)))
    at, square = np.empty((rows.shape[1], BLOCK)), np.empty(BLOCK)
    across, along = np.empty(BLOCK), np.empty(BLOCK)
    for first in range(0, len(rows), BLOCK):
        size = min(BLOCK, len(rows) - first)
        for c in range(len(maps)):
            for j in range(rows.shape[1]):
                for i in range(size):
                    at[j, i] = rows[first + i, j]
            _through(at[:, :size], maps[c], across[:size], along[:size], square[:size])
            for i in range(size):
                product = along[i]
                for _ in range(len(at) - 1):
                    product *= across[i]
                if 1e-300 < product < 1e300:
                    log = math.log(product)
                else:
                    log = (len(at) - 1) * math.log(across[i]) + math.log(along[i])
                told[first + i, c] = log - (square[i] + len(at) * math.log(2 * math.pi)) / 2
    return told


@njit(cache=True, nogil=True)
def _through(
    at: np.ndarray, maps: np.ndarray, across: np.ndarray, along: np.ndarray, square: np.ndarray
) -> None:
    """Move ``[dim, b]`` rows through the maps of a class; leave their factors and squared lengths."""
    dim = len(at)
    across[:] = 1.0
    along[:] = 1.0
    for k in range(len(maps)):
        alpha, beta = maps[k, dim], maps[k, dim + 1]
        square[:] = 1e-24
        for j in range(len(at)):
            for i in range(len(square)):
                away = at[j, i] - maps[k, j]
                square[i] += away * away
        for i in range(len(square)):
            h = 1.0 / (alpha + math.sqrt(square[i]))
            move = beta * h
            across[i] *= 1.0 + move
            along[i] *= 1.0 + alpha * move * h
            square[i] = move
        for j in range(len(at)):
            for i in range(len(square)):
                at[j, i] += square[i] * (at[j, i] - maps[k, j])
    square[:] = 0.0
    for j in range(len(at)):
        for i in range(len(square)):
            square[i] += at[j, i] * at[j, i]


@njit(cache=True, nogil=True)
def class_evidence(rows: np.ndarray, maps: np.ndarray, told: np.ndarray) -> tuple[np.ndarray, bool]:
    """Rows alpha, beta, entropy and mean ``[4, n]`` of a posterior network with latents ``[n, dim]``.

    And whether all are finite. ``told`` is the prior of the positive and of the negative class, and the
    logarithms of the training rows of the negative and of the positive class.
    """
    log = log_densities(rows, maps)
    found, total = np.empty((4, len(rows))), 0.0
    for row in range(len(rows)):
        found[0, row] = told[0] + math.exp(min(max(log[row, 1] + told[3], -LIMIT), LIMIT))
        found[1, row] = told[1] + math.exp(min(max(log[row, 0] + told[2], -LIMIT), LIMIT))
        found[2, row] = beta_entropy_of(found[0, row], found[1, row])
        found[3, row] = found[0, row] / (found[0, row] + found[1, row])
        total += found[3, row] + log[row, 0] + log[row, 1]
    return found, math.isfinite(total)


@njit(cache=True, nogil=True)
def shared_evidence(rows: np.ndarray, maps: np.ndarray, told: np.ndarray) -> tuple[np.ndarray, bool]:
    """The same of a natural posterior network.

    ``told`` is the prior of the positive and of the negative class, the logarithm of the budget, the bias of
    the rate's logit, and its weights.
    """
    log = log_densities(rows, maps)
    found, total = np.empty((4, len(rows))), 0.0
    for row in range(len(rows)):
        seen = math.exp(min(max(log[row, 0] + told[2], -LIMIT), LIMIT))
        logit = told[3]
        for j in range(rows.shape[1]):
            logit += told[4 + j] * rows[row, j]
        chance = rate_of(logit)
        found[0, row] = told[0] + seen * chance
        found[1, row] = told[1] + seen * (1.0 - chance)
        found[2, row] = beta_entropy_of(found[0, row], found[1, row])
        found[3, row] = found[0, row] / (found[0, row] + found[1, row])
        total += found[3, row] + log[row, 0]
    return found, math.isfinite(total)


@njit(cache=True, nogil=True)
def log_gamma_and_digamma(x: float) -> tuple[float, float, float]:
    """A part of ln Γ(x), ψ(x), and the number whose logarithm the part lacks, for x > 0.

    Both functions up to 8 by their recurrences, then by their asymptotic series.
    """
    product, total = 1.0, 0.0
    while x < 8.0:
        product *= x
        total += 1.0 / x
        x += 1.0
    log, one = math.log(x), 1.0 / x
    y = one * one
    gamma = (x - 0.5) * log - x + 0.9189385332046727
    gamma += one * (
        1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360)))))
    )
    psi = log - 0.5 * one
    psi -= y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * (691 / 32760))))))
    return gamma, psi - total, product


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


@njit(cache=True, nogil=True)
def beta_entropies(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Differential entropies ``[n]`` of Beta distributions."""
    told = np.empty(len(alpha))
    for row in range(len(alpha)):
        told[row] = beta_entropy_of(alpha[row], beta[row])
    return told
