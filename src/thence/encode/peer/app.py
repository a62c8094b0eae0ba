"""APP: dual embeddings by skip-gram on where stopping walks begin and where they end.

    maximise Σ_(u, v) [ log σ(s_u · t_v) + Σ_c log σ(-s_u · t_c) ] ,   v the end of a walk from u

A walk from u stops after each step with probability α, so that ends are drawn as personalised PageRank has
them (but the start itself), and noise c is drawn from the targets' weight to a power, 0 for every node alike.
At the optimum s_u · t_v + log negatives = log(π_u(v) / P(c = v)): a factorised log-PageRank, never formed. That
is the score: how many times likelier than noise. A node that no arc leaves has a source of zeros, and so scores
0, like noise.

(Zhou, Liu, Liu, Liu, Gao, "Scalable graph embedding for asymmetric proximity", AAAI 2017, equations 2 and 7.)
"""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError, FitError
from thence.base.rng import derive_seed, generator
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.graph import DiGraph
from thence.graph.walk.rows import kernel_array, share, whole

LAST = 1e-4
"""The learning rate at the end, as a share of the first."""


def app(
    graph: DiGraph,
    dim: int = 128,
    alpha: float = 0.5,
    walks: int = 400,
    negatives: int = 5,
    rate: float = 0.2,
    noise_power: float = 0.0,
    seed: int = 0,
) -> Embeddings:
    """Dual embeddings by skip-gram on starts and ends of walks in the main relation.

    Args:
        graph: the graph.
        dim: length of each embedding.
        alpha: the chance that a walk stops at each step.
        walks: how many are drawn from each node, in as many rounds over all nodes.
        negatives: noise for each walk.
        rate: the first learning rate; it falls evenly to almost nothing.
        noise_power: noise is drawn in proportion to (1 + the weight that reaches a node) to this power.
        seed: of walks, noise and first vectors.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph has no arcs, or the vectors grew beyond all bounds.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 4, 4], num_nodes=5)
        >>> vectors = app(DiGraph(IdMap("abcde"), {"bought_after": arcs}), dim=8)
        >>> [int(node) for node in vectors.scores([0, 3]).argmax(axis=1)]
        [1, 4]
    """
    from thence.encode.peer.kernel.ends import ends
    from thence.encode.peer.kernel.sgns import sgns
    from thence.graph.walk.kernel.steps import running_sums

    check(graph, dim, walks, negatives, rate)
    share("alpha", alpha)
    arcs = graph.main
    indptr, targets = kernel_array(arcs.indptr), kernel_array(arcs.targets)
    sums = running_sums(indptr, kernel_array(arcs.weight, np.float32))
    source, target = first_vectors(graph.num_nodes, dim, seed)
    noise = running_noise(np.bincount(arcs.targets, arcs.weight, graph.num_nodes) + 1, noise_power)
    starts = np.flatnonzero(arcs.out_degree).astype(np.int32)
    for turn in range(walks):
        order = generator(seed, "app", "order", turn).permutation(starts)
        found = ends(indptr, targets, sums, order, alpha, np.uint64(derive_seed(seed, "app", "walk", turn)))
        rates = rates_of(rate, turn, walks)
        key = np.uint64(derive_seed(seed, "app", "noise", turn))
        sgns(source, target, np.stack([order, found]), noise, negatives, rates, key)
    info = {"encoder": "app", "alpha": alpha, "walks": walks}
    known = arcs.out_degree > 0, np.ones(graph.num_nodes, bool)
    return against_noise(graph, (source, target), known, negatives, info)


def check(graph: DiGraph, dim: int, walks: int, negatives: int, rate: float) -> None:
    """Refuse settings out of range and graphs without arcs.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph has no arcs.
    """
    for name, value in {"dim": dim, "walks": walks, "negatives": negatives}.items():
        whole(name, value, 1)
    if not 0 < rate < np.inf:
        raise ConfigError(f"rate={rate}", fix="It is above 0 and finite.")
    check_fittable(graph)


def first_vectors(num_nodes: int, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Small random sources and targets of zeros, ``[num_nodes, dim]`` float32 each."""
    drawn = generator(seed, "sgns", "source").random((num_nodes, dim), dtype=np.float32)
    return (drawn - np.float32(0.5)) / np.float32(dim**0.5), np.zeros((num_nodes, dim), np.float32)


def running_noise(weight: np.ndarray, power: float) -> np.ndarray:
    """``[num_nodes]`` running sums of weights to a power; a node of weight 0 is never drawn."""
    return np.cumsum(np.where(weight > 0, np.maximum(weight, 1e-12) ** power, 0.0))


def rates_of(rate: float, turn: int, turns: int) -> np.ndarray:
    """The learning rates at which one of some rounds begins and ends."""
    left = 1 - np.array([turn, turn + 1]) / turns
    return rate * np.maximum(left, LAST)


def against_noise(
    graph: DiGraph,
    vectors: tuple[np.ndarray, np.ndarray],
    known: tuple[np.ndarray, np.ndarray],
    negatives: int,
    info: dict,
) -> Embeddings:
    """Embeddings whose score is s · t + log negatives where both ends are known, else 0.

    Skip-gram learns how much likelier a pair is than its noise all together; one more dimension takes the
    number of negatives out, so that 0 means "as likely as noise" and pairs of which nothing is known get it.

    Args:
        graph: the graph.
        vectors: sources and targets ``[num_nodes, dim]``.
        known: of each node, whether its source was learned and whether its target was.
        negatives: noise a pair.
        info: kept with the embeddings.

    Raises:
        FitError: the vectors are not finite.
    """
    if not all(np.isfinite(part).all() for part in vectors):
        raise FitError("the vectors grew beyond all bounds", fix="Lower rate.")
    scale = np.sqrt(np.log(negatives))
    source, target = (
        np.column_stack([part, np.full(len(part), scale)]) * learned[:, None]
        for part, learned in zip(vectors, known, strict=True)
    )
    return Embeddings(graph.ids, source, target, info=info)
