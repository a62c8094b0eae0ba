"""Rates from logits, and entropies of labels and of Beta distributions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, entr, psi

SURE = 1e-15
"""Rates are at least so far from 0 and 1."""
_FAR = 700.0


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), without overflow, and never quite 0 or 1.

    Example:
        >>> sigmoid(np.array([-1e9, 0.0, 1e9])).round(9).tolist()
        [0.0, 0.5, 1.0]
    """
    rate = 1 / (1 + np.exp(-np.maximum(logit, -_FAR)))
    return np.minimum(np.maximum(rate, SURE), 1 - SURE)


def entropy(rate: ArrayLike) -> np.ndarray:
    """Entropy of a yes or no with these rates, nats; 0 ln 0 = 0.

    Example:
        >>> entropy([0.0, 0.5]).round(4).tolist()
        [0.0, 0.6931]
    """
    rates = np.asarray(rate, np.float64)
    return entr(rates) + entr(1 - rates)


def beta_entropy(alpha: ArrayLike, beta: ArrayLike) -> np.ndarray:
    """Differential entropy of Beta distributions, nats.

        ln B(a, b) - (a - 1) ψ(a) - (b - 1) ψ(b) + (a + b - 2) ψ(a + b)

    Above strengths of 10⁶ it is that of the normal distribution with the same variance, which the difference
    of the large terms would lose.

    Example:
        >>> beta_entropy([1.0, 2.0], [1.0, 2.0]).round(4).tolist()
        [0.0, -0.1251]
    """
    a, b = np.asarray(alpha, np.float64), np.asarray(beta, np.float64)
    total = a + b
    exact = betaln(a, b) - (a - 1) * psi(a) - (b - 1) * psi(b) + (total - 2) * psi(total)
    spread = a * b / (total**2 * (total + 1))
    return np.where(np.minimum(a, b) < 1e6, exact, 0.5 * np.log(2 * np.pi * np.e * spread))
