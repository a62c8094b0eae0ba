"""Walks and PageRank once more, as dense matrices straight from their definitions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.stats import chisquare

from thence.graph import Arcs

LUCK = 1e-5
"""A fair draw is called unfair this rarely; seeds are fixed, so a test that passes passes always."""


@st.composite
def relations(draw, least=1):
    """Arcs among a few nodes with whole weights, zero among them."""
    num_nodes = draw(st.integers(least, 8))
    ordered = [(u, v) for u in range(num_nodes) for v in range(num_nodes) if u != v]
    pairs = draw(st.lists(st.sampled_from(ordered), unique=True)) if ordered else []
    weight = draw(st.lists(st.integers(0, 9), min_size=len(pairs), max_size=len(pairs)))
    return Arcs.from_pairs([u for u, _ in pairs], [v for _, v in pairs], num_nodes=num_nodes, weight=weight)


def adjacency(arcs, direction="out", weight=None):
    dense = np.zeros((arcs.num_nodes, arcs.num_nodes))
    for u, v, w in zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True):
        dense[(u, v) if direction == "out" else (v, u)] = 1 if weight is None else w
    return dense


def transition(arcs, direction="out", weight=None):
    """Each row of the adjacency over its sum; rows without any stay zero."""
    dense = adjacency(arcs, direction, weight)
    total = dense.sum(axis=1, keepdims=True)
    return np.divide(dense, total, out=np.zeros_like(dense), where=total > 0)


def page_rank(arcs, seed, alpha, direction="out", weight=None, dangling="end"):
    """The solution of π = α e + (1 - α) Pᵀ π, in which a walk without a way stays, or goes to its seed."""
    step = transition(arcs, direction, weight)
    for node in np.flatnonzero(step.sum(axis=1) == 0):
        step[node, node if dangling == "end" else seed] = 1
    start = np.eye(arcs.num_nodes)[seed]
    return np.linalg.solve(np.eye(arcs.num_nodes) - (1 - alpha) * step.T, alpha * start)


def fair(counts, chances):
    """Whether counts are a draw from chances: none where the chance is zero, and chi-square for the rest."""
    counts, chances = np.asarray(counts, float), np.asarray(chances, float)
    assert abs(chances.sum() - 1) < 1e-9
    assert not counts[chances == 0].any(), "something of no chance was drawn"
    possible = chances > 0
    if possible.sum() > 1:
        assert chisquare(counts[possible], chances[possible] * counts.sum()).pvalue > LUCK
