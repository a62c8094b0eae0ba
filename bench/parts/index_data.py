"""Vectors that indexes are measured on: hard by design, without any structure, and of a real graph."""

from __future__ import annotations

import numpy as np

from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings

CLUSTERS, LATENT, SPREAD, NOISE, SIGMA = 2000, 24, 0.5, 0.1, 0.4
CHUNK = 1 << 17


def clustered(num_rows: int, dim: int, seed: int, role: str, out: np.ndarray | None = None) -> np.ndarray:
    """``[num_rows, dim]`` rows as an encoder gives them: on a curved sheet, in clusters, of varying length.

    Each row lies in one of 2,000 clusters with shares by Zipf's law, at a point of 24 latent dimensions about
    its centre; that is mapped linearly to ``dim`` dimensions and through tanh, noise is added, and the length
    is drawn from a log-normal distribution (σ = 0.4). Both roles share centres and map.
    """
    shared = generator(seed, "bench", "index", "sheet")
    centres = shared.standard_normal((CLUSTERS, LATENT), dtype=np.float32)
    sheet = shared.standard_normal((LATENT, dim), dtype=np.float32) / np.float32(np.sqrt(LATENT))
    shares = 1.0 / np.arange(1, CLUSTERS + 1)
    rng = generator(seed, "bench", "index", role)
    rows = np.empty((num_rows, dim), np.float32) if out is None else out
    for begin in range(0, num_rows, CHUNK):
        count = min(CHUNK, num_rows - begin)
        cluster = rng.choice(CLUSTERS, count, p=shares / shares.sum())
        latent = centres[cluster] + SPREAD * rng.standard_normal((count, LATENT), dtype=np.float32)
        part = np.tanh(latent @ sheet) + NOISE * rng.standard_normal((count, dim), dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
        rows[begin : begin + count] = part * rng.lognormal(0.0, SIGMA, (count, 1)).astype(np.float32)
    return rows


def embeddings(source: np.ndarray, target: np.ndarray, bias: np.ndarray | None = None) -> Embeddings:
    """Nodes called by their numbers."""
    return Embeddings(IdMap(map(str, range(len(source)))), source, target, bias)


def clus(num_nodes: int, dim: int = 128, seed: int = 0) -> Embeddings:
    """Clustered vectors in both roles."""
    return embeddings(*(clustered(num_nodes, dim, seed, role) for role in ("source", "target")))


def gauss(num_nodes: int, dim: int = 128, seed: int = 0) -> Embeddings:
    """Isotropic normal vectors: every index's worst case."""
    rng = generator(seed, "bench", "index", "gauss")
    return embeddings(*(rng.standard_normal((num_nodes, dim), dtype=np.float32) for _ in range(2)))


def diginetica(dim: int = 64, seed: int = 0) -> Embeddings:
    """Who was viewed next on Diginetica (43,060 items): singular vectors of its arcs.

    M = D_out^-½ log(1 + W) D_in^-½ ≈ U S Vᵀ; source = U S^½ and target = V S^½, both times the square root of
    the number of nodes; the bias is a tenth of the logarithm of a target's share of all arcs, centred.
    """
    from scipy import sparse
    from scipy.sparse.linalg import svds

    from parts.related_data import folder, read_arcs

    graph = read_arcs(folder() / "diginetica_next_edges.tsv.gz")
    matrix = next(iter(graph.relations.values())).matrix().astype(np.float64)
    matrix.data = np.log1p(matrix.data)
    leaving, entering = (np.maximum(np.asarray(matrix.sum(axis=axis)).ravel(), 1.0) for axis in (1, 0))
    even = sparse.diags(leaving**-0.5) @ matrix @ sparse.diags(entering**-0.5)
    start = generator(seed, "bench", "index", "svd").standard_normal(len(leaving))
    left, values, right = svds(even, k=dim, v0=start)
    scale = np.sqrt(values * len(leaving))
    bias = 0.1 * np.log(entering / entering.sum())
    return Embeddings(graph.ids, left * scale, right.T * scale, bias - bias.mean())
