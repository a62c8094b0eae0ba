"""Islands: what is asked lies far upstream, an equal lure lies as far downstream, and some must ask elsewhere.

A graph is a sea of islands with no arc between them. An island is a long chain

    tail ... → BEACON → d arcs → ASKED → d arcs → LURE → ... tail

with twigs: single nodes with an arc into the chain or out of it, as likely as not. Every node carries its
island's topic. The beacon carries a symbol, the lure another one; the class of the asked node is the beacon's
symbol. Symbols are drawn anew for each topic of each sea, so that nothing can be learnt by heart. Each topic
has one such island. Some topics have a second, a ``cold`` one, that carries no symbols: its answer is that of
the first and stands there alone, in no k-hop ball whatever k.

What can be known:

- nothing of the symbols (message passing with fewer than d layers, or on a cold island with any number of
  layers): 1 / symbols;
- both symbols but not which is upstream: 1/2. Reversing all arcs and exchanging the two symbols of each topic
  turns a world into an equally likely one whose undirected form is the same and whose answers are the other
  ones, so no undirected method, of layers or of positions, does better than that;
- all: 1. Beacon and lure have the same surroundings up to the length of the tail, so that looking a few
  hops along the arcs does not tell them apart: it takes positions of direction that see further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph.labelled import LabelledGraph
from thence.graph.worlds.side_by_side import Small, joined, shuffled, side_by_side, three_counts

BUCKETS = ((2, 5), (6, 10), (11, 20), (21, 40))
TAIL = (5, 8)
TWIGS = 0.25


@dataclass(frozen=True, eq=False)
class Islands:
    """The seas and what is known of the asked nodes.

    Args:
        graph: the labelled graph, a sea a graph; features ``[symbols + topics]``.
        distance: ``[num_nodes]`` int64, arcs d from the beacon to an asked node; 0 for others.
        cold: ``[num_nodes]`` bool, asked nodes of islands without symbols.
    """

    graph: LabelledGraph
    distance: np.ndarray
    cold: np.ndarray


def islands(
    seed: int,
    *,
    topics: int = 3,
    cold: int = 1,
    symbols: int = 8,
    buckets: Sequence[tuple[int, int]] = BUCKETS,
    graphs: Sequence[int] = (1000, 100, 250),
) -> Islands:
    """Seas of islands side by side, one asked node in each island.

    Args:
        seed: seed of the world.
        topics: topics of a sea, an island with symbols each.
        cold: how many of them have an island without symbols besides.
        symbols: how many symbols there are.
        buckets: ranges of distances; each is as likely, and each distance in it.
        graphs: how many seas for training, validation and test.

    Raises:
        ConfigError: no topics, more cold ones than topics, fewer than 2 symbols, a range that does not rise
            from 1 or more, or wrong counts.

    Example:
        >>> world = islands(0, graphs=(3, 1, 2))
        >>> world.graph.num_graphs, len(world.graph.splits["test"]), int(world.cold.sum())
        (6, 8, 6)
    """
    if topics < 1 or not 0 <= cold <= topics or symbols < 2:
        raise ConfigError(f"{topics} topics, {cold} of them cold, {symbols} symbols")
    if not buckets or any(not 1 <= low <= high for low, high in buckets):
        raise ConfigError(
            f"buckets {tuple(buckets)}", fix="Give ranges (least, most) of distances, least above 0."
        )
    rng = generator(seed, "world", "islands")
    drawn = [_sea(topics, cold, symbols, buckets, rng) for _ in range(sum(three_counts(graphs)))]
    graph, notes = side_by_side(drawn, graphs)
    return Islands(graph, notes["distance"], notes["cold"])


def _sea(
    topics: int, cold: int, symbols: int, buckets: Sequence[tuple[int, int]], rng: np.random.Generator
) -> Small:
    """An island for each topic, and one without symbols for the first few."""
    parts: list[Small] = []
    for place, topic in enumerate(rng.permutation(topics)):
        beacon, lure = rng.choice(symbols, 2, replace=False)
        for blank in (False, True)[: 1 + (place < cold)]:
            distance = int(rng.integers(*buckets[int(rng.integers(len(buckets)))], endpoint=True))
            pairs, marked = _chain(distance, rng)
            size = int(pairs.max()) + 1
            x, y = np.zeros((size, symbols + topics), np.float32), np.full(size, -1)
            x[:, symbols + topic] = 1.0
            x[marked[0], beacon] = x[marked[2], lure] = 0.0 if blank else 1.0
            y[marked[1]] = beacon
            asked = y >= 0
            parts.append(Small(pairs, x, y, {"distance": asked * distance, "cold": asked & blank}))
    return shuffled(joined(parts), rng)


def _chain(distance: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Arcs ``[2, num_arcs]`` of a chain with tails and twigs, and the beacon, the asked node and the lure."""
    tail = int(rng.integers(*TAIL, endpoint=True))
    length = 2 * tail + 2 * distance + 1
    node = np.arange(length)
    at = np.flatnonzero(rng.random(length) < TWIGS)
    twig, into = length + np.arange(len(at)), rng.random(len(at)) < 0.5
    source = np.concatenate([node[:-1], np.where(into, twig, at)])
    target = np.concatenate([node[1:], np.where(into, at, twig)])
    return np.stack([source, target]), tail + distance * np.arange(3)
