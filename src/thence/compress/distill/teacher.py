"""Teachers: any scorer as two vectors a node, and plain directed heuristics, which teach links well.

Heuristics of a pair (u, v), all directed; A is the adjacency, P its rows scaled to sum to one:

    arcs        A_uv
    common      Σ_w A_uw A_wv / log(1 + d_w)       directed common neighbours u → w → v, rare ones counting more
    katz        Σ_{k=1..3} β^(k-1) (A^k)_uv        paths of each length
    page_rank   α Σ_k (1 − α)^k (P^k)_uv           where a walk from u ends

A teacher's scores M are written as ⟨source_u, target_v⟩ by its largest singular triplets, M ≈ U Σ Vᵀ, source =
U √Σ, target = V √Σ, so that a student of either kind of teacher answers in the space of an index.

References:
    Qin, Zhang, Ju, Zhao, Shah, Sun, "Heuristic methods are good teachers to distill MLPs for graph link
    prediction", LoG 2025: heuristics over symmetric pairs, one student each behind a gate. Here they are
    directed, and mixed before they are taught.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError, nearest
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.encode.peer.low_rank import low_rank
from thence.encode.scorer import Scorer
from thence.graph import DiGraph

MOST_NODES = 30_000
BATCH = 1024
DECAY, STOP = 0.1, 0.5


def arcs_of(graph: DiGraph) -> Any:
    """``[n, n]`` sparse: the arcs, each 1.

    Example:
        >>> arcs_of(_path()).toarray().tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    matrix = sp.csr_matrix(graph.main.matrix(), dtype=np.float32)
    matrix.data = np.ones_like(matrix.data)
    return matrix


def common(graph: DiGraph) -> Any:
    """``[n, n]`` sparse: directed common neighbours u → w → v, each counted 1 / log(1 + degree).

    Example:
        >>> common(_path()).nonzero()[0].tolist(), common(_path()).nonzero()[1].tolist()  # a → b → c alone
        ([0], [2])
    """
    adjacency = arcs_of(graph)
    degree = graph.main.out_degree + graph.main.in_degree
    rare = sp.diags(1 / np.log1p(np.maximum(degree, 1)).astype(np.float32))
    return sp.csr_matrix(adjacency @ rare @ adjacency)


def katz(graph: DiGraph) -> Any:
    """``[n, n]`` sparse: directed paths of one, two and three arcs, each length counting a tenth of the last.

    Example:
        >>> katz(_path()).toarray().round(1).tolist()[0]
        [0.0, 1.0, 0.10000000149011612]
    """
    adjacency = arcs_of(graph)
    two = adjacency @ adjacency
    return sp.csr_matrix(adjacency + DECAY * two + DECAY**2 * (two @ adjacency), dtype=np.float32)


def walks_end(graph: DiGraph) -> Any:
    """``[n, n]`` sparse: where a walk that stops with probability ½ at each node ends, up to three steps.

    Example:
        >>> walks_end(_path()).toarray().tolist()[0]
        [0.5, 0.25, 0.125]
    """
    matrix = graph.main.matrix()
    sums = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12)
    step = sp.csr_matrix(sp.diags(1 / sums) @ matrix)
    here: Any = sp.identity(graph.num_nodes, format="csr")
    total = STOP * here
    for k in range(1, 4):
        here = here @ step
        total = total + STOP * (1 - STOP) ** k * here
    return sp.csr_matrix(total, dtype=np.float32)


HEURISTICS: dict[str, Callable[[DiGraph], Any]] = {
    "arcs": arcs_of,
    "common": common,
    "katz": katz,
    "page_rank": walks_end,
}


def heuristic_teacher(
    graph: DiGraph, mixture: Mapping[str, float] | str = "arcs", *, dim: int = 128, seed: int = 0
) -> Embeddings:
    """One heuristic, or a mixture of some, as embeddings.

    Each is scaled to unit length (Frobenius norm) before it is mixed, so that weights mean shares.

    Args:
        graph: the graph; its main relation is used.
        mixture: a name of :data:`HEURISTICS`, or weights by name.
        dim: length of each vector.
        seed: of the iteration that finds singular vectors.

    Raises:
        ConfigError: there is no such heuristic, or no weight is above 0.
        FitError: the graph has no arcs.

    Example:
        >>> teacher = heuristic_teacher(_path(), {"arcs": 1.0, "common": 0.5}, dim=3)
        >>> scores = teacher.scores([0, 1, 2])
        >>> bool(scores[0, 1] > scores[0, 2] > 0.1), bool(abs(scores[2]).max() < 1e-6)  # c leads nowhere
        (True, True)
    """
    check_fittable(graph)
    weights = {mixture: 1.0} if isinstance(mixture, str) else dict(mixture)
    for name in weights:
        if name not in HEURISTICS:
            raise ConfigError(f"no heuristic {name!r}", fix=nearest(name, HEURISTICS))
    finite = all(math.isfinite(weight) and weight >= 0 for weight in weights.values())
    if not finite or not any(weights.values()):
        raise ConfigError(f"weights {weights}", fix="Give weights of at least 0, one of them above.")
    total: Any = 0
    for name, weight in weights.items():
        matrix = HEURISTICS[name](graph)
        length = float(np.sqrt((matrix.data.astype(np.float64) ** 2).sum()))
        total = total + matrix * np.float32(weight / max(length, 1e-12))
    total *= np.sqrt(graph.main.num_arcs) / sum(weights.values())  # of the size of the arcs themselves
    return _vectors(graph, sp.csr_matrix(total), dim, seed, {"teacher": weights})


def factored(scorer: Scorer, *, dim: int = 128, seed: int = 0) -> Embeddings:
    """Any scorer as embeddings: those that it is, or the largest singular triplets of its scores.

    Args:
        scorer: the teacher; scores of ``-inf`` are taken as the least finite one of their row.
        dim: length of each vector.
        seed: of the iteration that finds singular vectors.

    Raises:
        ConfigError: it is no embeddings, and knows more nodes than all scores of which can be held.

    Example:
        >>> from thence.encode.baseline import BASELINES
        >>> factored(BASELINES["page_rank"](_path()), dim=3).scores([0]).round(3).tolist()
        [[0.5, 0.25, 0.125]]
    """
    if isinstance(scorer, Embeddings):
        return scorer
    num = len(scorer.ids)
    if num > MOST_NODES:
        raise ConfigError(
            f"the scores of {num:,} nodes at once", fix="Give embeddings, or heuristic_teacher's of the graph."
        )
    whole = np.empty((num, num), np.float32)
    for at in range(0, num, BATCH):
        rows = np.asarray(scorer.scores(np.arange(at, min(at + BATCH, num))), np.float32)
        least = np.where(np.isfinite(rows), rows, np.inf).min(axis=1, keepdims=True)
        whole[at : at + BATCH] = np.where(np.isfinite(rows), rows, np.where(np.isfinite(least), least, 0.0))
    u, values, vt = low_rank(whole, dim, seed)
    root = np.sqrt(values)
    return Embeddings(scorer.ids, u * root, vt.T * root, info={"teacher": type(scorer).__name__})


def _vectors(graph: DiGraph, matrix: Any, dim: int, seed: int, info: dict[str, Any]) -> Embeddings:
    u, values, vt = low_rank(matrix, min(dim, graph.num_nodes), seed)
    root = np.sqrt(np.maximum(values, 0))
    return Embeddings(graph.ids, u * root, vt.T * root, info=info)


def _path() -> DiGraph:
    """An example: a → b → c."""
    from thence.base.ids import IdMap
    from thence.graph import Arcs

    return DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)})
