"""A shop with a ring of kinds: products of each kind are followed by those of the next, never the other way."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph

KINDS, EACH = 6, 15


def shop(cold: int = 2, seed: int = 0) -> tuple[DiGraph, np.ndarray, np.ndarray]:
    """The graph, each node's kind, and which nodes are cold: the last ones of each kind."""
    rng = np.random.default_rng(seed)
    num = KINDS * EACH
    kind = np.repeat(np.arange(KINDS), EACH)
    is_cold = np.tile(np.arange(EACH) >= EACH - cold, KINDS)
    follows = (kind[None, :] == (kind[:, None] + 1) % KINDS) & (rng.random((num, num)) < 0.5)
    follows &= ~is_cold[:, None] & ~is_cold[None, :]
    source, target = np.nonzero(follows)
    ids = [f"p{i:03d}" for i in range(num)]
    titles = [f"thing{k} word{rng.integers(20)} word{rng.integers(20)}" for k in kind]
    nodes = pa.table({"item_id": ids, "title": titles, "category": [f"Kind {k}" for k in kind]})
    return (
        DiGraph(IdMap(ids), {"bought_after": Arcs.from_pairs(source, target, num_nodes=num)}, nodes),
        kind,
        is_cold,
    )


def right_way(scores: np.ndarray, kind: np.ndarray, asked: np.ndarray) -> float:
    """Share of the asked nodes whose ten best are of the next kind, by and large."""
    top = np.argsort(-scores, axis=1)[:, :10]
    return float((kind[top] == (kind[asked][:, None] + 1) % KINDS).mean())
