"""Cheap features of where a product stands in the graph, for students of products that have arcs.

    N = D_out^-½ A D_in^-½ ,   R = normal noise [n, dim]

    as a source: N R,  N N R,  N Nᵀ N R, …      as a target: Nᵀ R,  Nᵀ Nᵀ R,  Nᵀ N Nᵀ R, …

and log(1 + degree) in each direction. What is random is projected, not learned: products that lead to the same
targets have like rows as sources, and those that the same sources lead to as targets (Achlioptas, "Database-
friendly random projections", JCSS 2003; the alternating products are the range finder of Halko, Martinsson,
Tropp, SIAM Review 2011). They cost 2 (hops + 1) sparse products and are computed once for all, never at request
time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.encode.known import check_fittable
from thence.graph import DiGraph


def position_features(graph: DiGraph, *, dim: int = 128, hops: int = 2, seed: int = 0) -> np.ndarray:
    """``[num_nodes, 2 + 2 · dim · (hops + 1)]`` float32; the row of a node without arcs is zero.

    Args:
        graph: the graph; its main relation is used.
        dim: random columns of each block.
        hops: rounds there and back after the first look; one block goes on along the arcs instead.
        seed: of the noise.

    Raises:
        ConfigError: ``dim`` is below 1 or ``hops`` below 0.
        FitError: the graph has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 3], [2, 2, 0], num_nodes=5)
        >>> x = position_features(DiGraph(IdMap("abcde"), {"bought_after": arcs}), dim=4, hops=0)
        >>> x.shape, bool(np.allclose(x[0, 2:6], x[1, 2:6])), float(abs(x[4]).max())  # a and b lead to c
        ((5, 10), True, 0.0)
    """
    if dim < 1 or hops < 0:
        raise ConfigError(f"dim={dim}, hops={hops}", fix="dim is at least 1, hops at least 0.")
    check_fittable(graph)
    matrix = graph.main.matrix()
    out, into = (np.asarray(matrix.sum(axis=axis)).ravel() for axis in (1, 0))
    scaled = sp.csr_matrix(_root(out) @ matrix @ _root(into), dtype=np.float32)
    noise = generator(seed, "position").standard_normal((graph.num_nodes, dim)).astype(np.float32)
    blocks = [np.log1p(graph.main.out_degree)[:, None], np.log1p(graph.main.in_degree)[:, None]]
    for step, back in ((scaled, scaled.T.tocsr()), (scaled.T.tocsr(), scaled)):
        blocks += _looks(step, back, noise, hops)
    warm = (graph.main.out_degree + graph.main.in_degree) > 0
    for at, block in enumerate(blocks):
        size = float(np.sqrt(np.square(block[warm]).mean())) * np.sqrt(block.shape[1] * len(blocks))
        blocks[at] = block * (warm[:, None] / max(size, 1e-12))
    return np.ascontiguousarray(np.concatenate(blocks, axis=1), np.float32)


def _looks(step: Any, back: Any, noise: np.ndarray, hops: int) -> list[np.ndarray]:
    """What one role sees: its neighbours, theirs along the arcs, and those there and back."""
    near = np.asarray(step @ noise)
    found = [near]
    if hops:
        found.append(np.asarray(step @ near))
    for _ in range(hops - 1):
        near = np.asarray(step @ (back @ near))
        found.append(near)
    return found


def _root(weight: np.ndarray) -> Any:
    return sp.diags(np.where(weight > 0, 1 / np.sqrt(np.maximum(weight, 1e-12)), 0.0))
