"""A shop of any size as a bundle to serve: clustered vectors, arcs among near items, a table of answers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from parts.index_data import clustered
from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.graph import Arcs, DiGraph
from thence.index import Neighbors, NeighborTable, build_index
from thence.rerank.table import RerankedTable
from thence.rerank.words import GROUPS
from thence.serve import Bundle

DIM, TABLE_K, ARCS, BRANDS, CATEGORIES = 128, 20, 10, 500, 200
RECALL = 0.96
DAY = 86_400_000_000


@lru_cache(3)
def shop(num_items: int, seed: int = 0) -> Bundle:
    """A bundle with a similarity index and a second stage's table; kept, as a large one takes minutes.

    Each item has ten arcs to what the model answers, so that evidence stands beside every answer, as in a shop
    whose model is right. The reasons of the table are drawn.

    Args:
        num_items: how many.
        seed: of everything that is drawn.
    """
    rng = generator(seed, "bench", "serving", "shop")
    ids = IdMap(f"item-{n:07d}" for n in range(num_items))
    model = Embeddings(ids, *(clustered(num_items, DIM, seed, role) for role in ("source", "target")))
    index = build_index(model, recall=RECALL, k=10, floor=None, allow_exact=True)
    every = np.arange(num_items)
    sides = [index.search(every, TABLE_K, direction) for direction in ("next", "before")]
    relations = {"bought_after": _arcs(sides[0], rng), "same_basket": _arcs(sides[1], rng)}
    nodes = pa.table(
        {
            "item_id": ids.array,
            "title": [f"Thing {n % 997} of kind {n % 31}, size {n % 7}" for n in range(num_items)],
            "category": [f"Department {c // 10} > Aisle {c}" for c in rng.integers(0, CATEGORIES, num_items)],
            "brand": [f"Brand {b}" for b in rng.integers(0, BRANDS, num_items)],
            "price": rng.lognormal(2.0, 1.0, num_items).round(2),
            "count": rng.geometric(0.01, num_items),
        }
    )
    neighbors = NeighborTable("co-occurrence", *sides)
    why = rng.random((2, num_items, TABLE_K, len(GROUPS)), np.float32)
    reranked = RerankedTable(neighbors, why[0], why[1])
    return Bundle(model, DiGraph(ids, relations, nodes), neighbors, reranked=reranked, index=index)


def _arcs(side: Neighbors, rng: np.random.Generator) -> Arcs:
    """Arcs from each item to its first answers."""
    near = side.nodes[:, :ARCS]
    source, target = np.repeat(np.arange(len(near)), ARCS), near.ravel()
    source, target = source[target >= 0], target[target >= 0]
    support = rng.geometric(0.2, len(source)).astype(np.int32)
    values = {
        "support": support,
        "lift": rng.lognormal(1.0, 1.0, len(source)).astype(np.float32),
        "asymmetry": rng.normal(0, 2, len(source)).astype(np.float32),
        "last_time": (17_000 + rng.integers(0, 365, len(source))) * DAY + rng.integers(0, DAY, len(source)),
    }
    return Arcs.from_pairs(source, target, num_nodes=len(near), weight=support, values=values)


def saved(bundle: Bundle, folder: Path) -> Path:
    """Write a bundle, and say where it stands."""
    bundle.save(folder)
    return folder
