"""A small shop for the tests of the second stage: three communities that lead to the next, with gaps."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from thence.base.ids import IdMap
from thence.encode import Embeddings
from thence.encode.baseline.svd import svd
from thence.graph import Arcs, DiGraph
from thence.graph.split import ArcSplit, split_arcs
from thence.rerank import RerankConfig, Reranker

SIZE, COMMUNITIES = 14, 3
CONFIG = RerankConfig(candidates=42, hidden=0.2, folds=2, negatives=1.0, trees=25, leaves=8, rate=0.3)
COMMUNITY = np.repeat(np.arange(COMMUNITIES), SIZE)


@cache
def shop() -> DiGraph:
    """Node i leads to three in five of the next community; its views stay inside its own."""
    rng = np.random.default_rng(5)
    follows = COMMUNITY[None, :] == (COMMUNITY[:, None] + 1) % COMMUNITIES
    beside = COMMUNITY[None, :] == COMMUNITY[:, None]
    chosen = rng.random(follows.shape)
    bought = np.nonzero(follows & (chosen < 0.6))
    viewed = np.nonzero(beside & (chosen < 0.3) & ~np.eye(len(COMMUNITY), dtype=bool))
    n = len(COMMUNITY)
    relations = {
        "bought_after": Arcs.from_pairs(*bought, num_nodes=n, weight=rng.integers(1, 9, len(bought[0]))),
        "viewed": Arcs.from_pairs(*viewed, num_nodes=n),
    }
    ids = [f"i{k}" for k in range(n)]
    nodes = pa.table({"item_id": ids, "category": [f"kind {c}" for c in COMMUNITY]})
    return DiGraph(IdMap(ids), relations, nodes)


@cache
def split() -> ArcSplit:
    return split_arcs(shop().main, (0.8, 0.0, 0.2), seed=1)


@cache
def known() -> DiGraph:
    """The shop without its test arcs."""
    return shop().with_relation("bought_after", split().train)


def retrieve(graph: DiGraph) -> Embeddings:
    return svd(graph, 6)


@cache
def fitted() -> Reranker:
    return Reranker.fit(known(), retrieve, CONFIG, seed=2)
