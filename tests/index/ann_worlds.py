"""Embeddings with clusters, lengths that vary and a bias, small enough to be searched exactly."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.index import AnnIndex, IndexOptions, build_index
from thence.index.engine.engine import Effort
from thence.index.neighbors import QUESTIONS

NODES, DIM = 3000, 12
EVERY = IndexOptions(questions=QUESTIONS, queries=64)


def clustered(num_nodes: int = NODES, dim: int = DIM, seed: int = 0, *, bias: bool = True) -> Embeddings:
    """Forty clusters in each role, log-normal lengths; sources and targets have nothing in common."""
    rng = generator(seed, "ann world")
    vectors = []
    for _ in range(2):
        centres = rng.standard_normal((40, dim))
        rows = centres[rng.integers(40, size=num_nodes)] + 0.3 * rng.standard_normal((num_nodes, dim))
        vectors.append((rows * rng.lognormal(0, 0.4, (num_nodes, 1))).astype(np.float32))
    added = rng.standard_normal(num_nodes).astype(np.float32) if bias else None
    return Embeddings(IdMap([f"i{node}" for node in range(num_nodes)]), *vectors, added)


@cache
def world() -> Embeddings:
    """The embeddings that most tests share."""
    return clustered()


@cache
def built(kind: str) -> AnnIndex:
    """An index of :func:`world` that answers every question; made once."""
    index = build_index(world(), kind, floor=None, options=EVERY)
    assert isinstance(index, AnnIndex)
    return index


def thorough(index: AnnIndex) -> AnnIndex:
    """The same structure, searched as far as it reaches: what it then misses, it cannot find."""
    efforts = {}
    for question in index.efforts:
        efforts[question] = Effort(1 << 14, 600, 20)
    return replace(index, efforts=efforts)
