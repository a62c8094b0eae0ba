"""Graphs that the tests of partitions, sparsifiers and orders share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from thence.graph.arcs import Arcs


@st.composite
def relations(draw, nodes=(0, 9), directed=None, heaviest=20) -> Arcs:
    """A small relation: weights and a value ``support``; directed or not as drawn unless given."""
    num_nodes = draw(st.integers(*nodes))
    directed = draw(st.booleans()) if directed is None else directed
    ordered = [(u, v) for u in range(num_nodes) for v in range(num_nodes) if u != v]
    pairs = draw(st.lists(st.sampled_from(ordered), unique=True)) if ordered else []
    if not directed:
        pairs = sorted({p for u, v in pairs for p in ((u, v), (v, u))})
    weight = draw(st.lists(st.integers(0, heaviest), min_size=len(pairs), max_size=len(pairs)))
    return Arcs.from_pairs(
        [u for u, _ in pairs],
        [v for _, v in pairs],
        num_nodes=num_nodes,
        weight=np.asarray(weight, np.float32),
        values={"support": np.array([100 * u + v for u, v in pairs], np.int32)},
        directed=directed,
    )


def rows(arcs: Arcs) -> set[tuple]:
    """Arcs with all their values, as a set."""
    names = sorted(arcs.values)
    return set(zip(*arcs.pairs.tolist(), *(arcs.values[name].tolist() for name in names), strict=True))


def cliques(size: int, count: int, bridges: int = 1) -> Arcs:
    """Complete digraphs of ``size`` nodes; from each to the next ``bridges`` arcs one way."""
    source, target = [], []
    for c in range(count):
        inside = range(c * size, (c + 1) * size)
        pairs = [(u, v) for u in inside for v in inside if u != v]
        pairs += [(c * size + b, ((c + 1) % count) * size + b) for b in range(bridges)] if count > 1 else []
        source += [u for u, _ in pairs]
        target += [v for _, v in pairs]
    return Arcs.from_pairs(source, target, num_nodes=size * count)


def scale_free(nodes: int, arcs: int, seed: int = 0) -> Arcs:
    """A directed graph of skewed degrees and integer weights."""
    random = np.random.default_rng(seed)
    share = (np.arange(1, nodes + 1) ** -0.8)[random.permutation(nodes)]
    source = random.choice(nodes, arcs, p=share / share.sum())
    target = (source + 1 + random.geometric(0.05, arcs)) % nodes
    key = np.unique((source * nodes + target)[source != target])
    weight = 1.0 + random.integers(0, 9, len(key))
    return Arcs.from_pairs(*np.divmod(key, nodes), num_nodes=nodes, weight=weight)
