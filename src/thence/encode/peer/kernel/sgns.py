"""Skip-gram with negative sampling, compiled: one pair after another, as stochastic gradient ascent has it.

For a pair (a, b) and some noise c ~ P,   log σ(x_a · y_b) + Σ_c log σ(-x_a · y_c)   is climbed along

    g_a = Σ_v (label_v - σ(x_a · y_v)) y_v ,     g_v = (label_v - σ(x_a · y_v)) x_a

with label 1 for b and 0 for noise. Each node's step is rate · g / √(mean of its g², summed over all so far), so
that nodes that are seen a thousand times and nodes that are seen twice both get where they should (Duchi,
Hazan, Singer, "Adaptive subgradient methods", JMLR 2011, with one number a node). One thread works through the
pairs in order, and noise is a hash of the pair's number, so the same pairs give the same bytes.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, mix, unit
from thence.graph.sample.kernel.search import first_above

LEAST = 1e-8
"""Added to a sum of squares before its root is divided by."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def _climb(
    own: np.ndarray, other: np.ndarray, change: np.ndarray, label: float, rate: float, past: float
) -> float:
    """One term: ``other`` moves at once, what ``own`` will move by is added to ``change``; other's new past."""
    product, square = np.float32(0.0), np.float32(0.0)
    for k in range(len(own)):
        product += own[k] * other[k]
        square += own[k] * own[k]
    slope = np.float32(label - 1.0 / (1.0 + math.exp(-product)))
    past += slope * slope * square / len(own)
    step = slope * np.float32(rate / math.sqrt(past + LEAST))
    for k in range(len(own)):
        change[k] += slope * other[k]
        other[k] += step * own[k]
    return past


@numba.njit(cache=True, nogil=True, fastmath=True)
def _move(own: np.ndarray, change: np.ndarray, rate: float, past: float) -> float:
    """``own`` moves by what has been added up; its new past."""
    square = np.float32(0.0)
    for k in range(len(own)):
        square += change[k] * change[k]
    past += square / len(own)
    step = np.float32(rate / math.sqrt(past + LEAST))
    for k in range(len(own)):
        own[k] += step * change[k]
    return past


@numba.njit(cache=True, nogil=True)
def sgns(
    vectors: tuple,
    pasts: tuple,
    pairs: np.ndarray,
    noise: np.ndarray,
    negatives: int,
    rates: np.ndarray,
    key: np.uint64,
) -> None:
    """Work through some pairs once.

    Args:
        vectors: of the first of each pair, and of the second and of noise: ``[num_nodes, dim]`` float32 each;
            changed.
        pasts: for each of them ``[num_nodes]`` float64, mean squares of the gradients so far, summed; changed.
        pairs: ``[2, num_pairs]`` int32; pairs with a negative entry are left out.
        noise: ``[num_nodes]`` float64, running sums of the chances of noise.
        negatives: noise a pair; noise that is the pair's second node is left out.
        rates: ``[2]`` the learning rate at the first and after the last pair, falling evenly between.
        key: of the randomness.
    """
    own, other = vectors
    own_past, other_past = pasts
    change, num, nodes = np.empty(own.shape[1], np.float32), pairs.shape[1], len(noise)
    for at in range(num):
        a, b = pairs[0, at], pairs[1, at]
        if a < 0 or b < 0:
            continue
        rate = rates[0] + (rates[1] - rates[0]) * at / num
        change[:] = 0.0
        other_past[b] = _climb(own[a], other[b], change, 1.0, rate, other_past[b])
        for turn in range(negatives):
            word = mix(key + np.uint64(at * negatives + turn) * GOLDEN)
            c = first_above(noise, unit(word) * noise[nodes - 1], 0, nodes - 1)
            if c != b:
                other_past[c] = _climb(own[a], other[c], change, 0.0, rate, other_past[c])
        own_past[a] = _move(own[a], change, rate, own_past[a])
