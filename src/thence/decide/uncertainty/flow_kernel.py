"""Loops over rows: densities of radial flows, and entropies of Beta distributions."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

GREAT = 1e6
"""Above it the entropy is that of a normal distribution, as in :func:`beta_entropy`."""


@njit(cache=True, nogil=True)
def log_densities(rows: np.ndarray, centre: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Log densities ``[n, classes]`` of ``[n, dim]`` rows; see :class:`RadialFlows`.

    The factors of each determinant are multiplied, so that a row takes two logarithms a class.
    """
    classes, layers, dim = centre.shape
    told = np.empty((len(rows), classes))
    at = np.empty(dim)
    for row in range(len(rows)):
        for c in range(classes):
            for j in range(dim):
                at[j] = rows[row, j]
            across, along = 1.0, 1.0
            for k in range(layers):
                square = 1e-12
                for j in range(dim):
                    away = at[j] - centre[c, k, j]
                    square += away * away
                h = 1.0 / (alpha[c, k] + math.sqrt(square))
                move = beta[c, k] * h
                across *= 1.0 + move
                along *= 1.0 + alpha[c, k] * move * h
                for j in range(dim):
                    at[j] += move * (at[j] - centre[c, k, j])
            length = 0.0
            for j in range(dim):
                length += at[j] * at[j]
            told[row, c] = (dim - 1) * math.log(across) + math.log(along) - length / 2
            told[row, c] -= dim / 2 * math.log(2 * math.pi)
    return told


@njit(cache=True, nogil=True)
def digamma(x: float) -> float:
    """ψ(x) for x > 0: up by ψ(x + 1) = ψ(x) + 1/x, then its asymptotic series."""
    total = 0.0
    while x < 8.0:
        total -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132)))))
    return total + math.log(x) - 0.5 / x - series


@njit(cache=True, nogil=True)
def beta_entropies(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Differential entropies ``[n]`` of Beta distributions; see :func:`believed.beta_entropy`."""
    told = np.empty(len(alpha))
    for row in range(len(alpha)):
        a, b = alpha[row], beta[row]
        total = a + b
        if min(a, b) < GREAT:
            told[row] = math.lgamma(a) + math.lgamma(b) - math.lgamma(total)
            told[row] += (total - 2) * digamma(total) - (a - 1) * digamma(a) - (b - 1) * digamma(b)
        else:
            told[row] = 0.5 * math.log(2 * math.pi * math.e * a * b / (total * total * (total + 1)))
    return told
