"""Skip-gram with negative sampling, compiled: one pair after another, as stochastic gradient descent has it.

For a pair (a, b) and some noise c ~ P,   log σ(x_a · y_b) + Σ_c log σ(-x_a · y_c)   is climbed by

    x_a += rate · Σ_v (label_v - σ(x_a · y_v)) y_v ,     y_v += rate · (label_v - σ(x_a · y_v)) x_a

with label 1 for b and 0 for noise. One thread works through the pairs in order, and noise is a hash of the
pair's number, so the same pairs give the same bytes.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, mix, unit
from thence.graph.search_kernel import first_above


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _climb(own: np.ndarray, other: np.ndarray, change: np.ndarray, label: float, rate: float) -> None:
    """One term: ``other`` moves at once, what ``own`` will move by is added to ``change``."""
    product = np.float32(0.0)
    for k in range(len(own)):
        product += own[k] * other[k]
    step = np.float32(rate * (label - 1.0 / (1.0 + math.exp(-product))))
    for k in range(len(own)):
        change[k] += step * other[k]
        other[k] += step * own[k]


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def sgns(
    own: np.ndarray,
    other: np.ndarray,
    pairs: np.ndarray,
    noise: np.ndarray,
    negatives: int,
    rates: np.ndarray,
    key: np.uint64,
) -> None:
    """Work through some pairs once.

    Args:
        own: ``[num_nodes, dim]`` float32, vectors of the first of each pair; changed.
        other: ``[num_nodes, dim]`` float32, vectors of the second and of noise; changed.
        pairs: ``[2, num_pairs]`` int32; pairs with a negative entry are left out.
        noise: ``[num_nodes]`` float64, running sums of the chances of noise.
        negatives: noise a pair; noise that is the pair's second node is left out.
        rates: ``[2]`` the learning rate at the first and after the last pair, falling evenly between.
        key: of the randomness.
    """
    change, num, nodes = np.empty(own.shape[1], np.float32), pairs.shape[1], len(noise)
    for at in range(num):
        a, b = pairs[0, at], pairs[1, at]
        if a < 0 or b < 0:
            continue
        rate = rates[0] + (rates[1] - rates[0]) * at / num
        change[:] = 0.0
        _climb(own[a], other[b], change, 1.0, rate)
        for turn in range(negatives):
            word = mix(key + np.uint64(at * negatives + turn) * GOLDEN)
            c = first_above(noise, unit(word) * noise[nodes - 1], 0, nodes - 1)
            if c != b:
                _climb(own[a], other[c], change, 0.0, rate)
        for k in range(len(change)):
            own[a, k] += change[k]
