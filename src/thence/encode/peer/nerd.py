"""NERD: dual embeddings by skip-gram on walks that go along the arcs and back in turn.

A source walk u₀ → v₀ ← u₁ → v₁ … leads from a source to targets that sources like it lead to; a target walk
v₀ ← u₀ → v₁ ← u₁ … leads from a target to sources likewise. With pairs from both,

    maximise   Σ_(u₀, v_k) [ log σ(s_u₀ · t_v_k) + Σ_c log σ(-s_u₀ · t_c) ]
             + Σ_(v₀, u_k) [ log σ(s_u_k · t_v₀) + Σ_c log σ(-s_c · t_v₀) ]

and noise c drawn in proportion to the weight that reaches it (in the second sum, leaves it) to a power.

Walks begin at sources (targets) in proportion to the weight that leaves (reaches) them; ``hops`` is how many
nodes of the other role each one gives. The score is s · t + log negatives, 0 where a role was never seen, as in
:mod:`thence.encode.peer.app`. (Khosla, Leonhardt, Nejdl, Anand, "Node representation learning for directed
graphs", ECML-PKDD 2019, section 4.)
"""

from __future__ import annotations

import numpy as np

from thence.base.rng import derive_seed, generator
from thence.encode.embeddings import Embeddings
from thence.encode.peer.app import against_noise, check, first_vectors, rates_of, running_noise
from thence.graph import DiGraph
from thence.graph.walk import Walker
from thence.graph.walk.rows import whole


def nerd(
    graph: DiGraph,
    dim: int = 128,
    hops: int = 2,
    walks: int = 200,
    negatives: int = 5,
    rate: float = 0.2,
    noise_power: float = 0.75,
    seed: int = 0,
) -> Embeddings:
    """Dual embeddings by skip-gram on alternating walks in the main relation.

    Args:
        graph: the graph.
        dim: length of each embedding.
        hops: nodes of the other role that a walk gives; 1 looks at arcs alone.
        walks: rounds; in each, as many source walks and as many target walks begin as there are nodes.
        negatives: noise for each pair.
        rate: the first learning rate; it falls evenly to almost nothing.
        noise_power: the power of the weights that noise is drawn by.
        seed: of walks, noise and first vectors.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph has no arcs, or the vectors grew beyond all bounds.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 4, 4], num_nodes=5)
        >>> vectors = nerd(DiGraph(IdMap("abcde"), {"bought_after": arcs}), dim=8)
        >>> [int(node) for node in vectors.scores([0, 3]).argmax(axis=1)]
        [1, 4]
    """
    from thence.encode.peer.kernel.sgns import sgns

    check(graph, dim, walks, negatives, rate)
    length, arcs = 2 * whole("hops", hops, 1) - 1, graph.main
    left = np.bincount(arcs.pairs[0], arcs.weight, graph.num_nodes)
    reached = np.bincount(arcs.targets, arcs.weight, graph.num_nodes)
    source, target = first_vectors(graph.num_nodes, dim, seed)
    both = [("out", left, reached, source, target), ("into", reached, left, target, source)]
    walkers = {
        side: Walker(
            arcs, direction=side, alternate=True, weight="weight", seed=derive_seed(seed, side), threads=1
        )
        for side in ("out", "into")
    }
    for turn in range(walks):
        for side, mine, theirs, own, other in both:
            rng = generator(seed, "nerd", side, turn)
            starts = rng.choice(graph.num_nodes, graph.num_nodes, p=mine / mine.sum())
            found = walkers[side].walk(starts, length, step=turn)
            pairs = np.stack([np.repeat(found[:, 0], hops), found[:, 1::2].ravel()])
            key = np.uint64(derive_seed(seed, "nerd", "noise", side, turn))
            noise = running_noise(theirs, noise_power)
            sgns(own, other, pairs, noise, negatives, rates_of(rate, turn, walks), key)
    info = {"encoder": "nerd", "hops": hops, "walks": walks}
    return against_noise(graph, (source, target), (left > 0, reached > 0), negatives, info)
