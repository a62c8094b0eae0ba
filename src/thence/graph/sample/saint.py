"""GraphSAINT: one random subgraph a batch, and what its chances did to every node and arc.

A draw picks nodes; the sample is all arcs among them. Which nodes: by how much others look at them
(``node``: P(u) ∝ Σ_v P_vu², P_vu = 1 / d_v), the ends of arcs (``arc``: P(u → v) ∝ 1/d_u + 1/d_v), or what
short walks from the seeds visit (``walk``). How often a node v and an entry v → u come up is counted over many
draws made beforehand, C_v and C_vu. ``scale`` is C_v / C_vu, so that Σ scale · x over the arcs of v estimates
the sum over all of v's entries whenever v is in a subgraph; ``weight`` is what each node's loss counts, so
that the sum over a subgraph estimates the mean over all nodes.

References:
    Zeng, Zhou, Srivastava, Kannan, Prasanna, "GraphSAINT: graph sampling based inductive learning method",
    ICLR 2020, sections 3.2 to 3.4 and Algorithm 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed
from thence.graph.sample.collect import Names
from thence.graph.sample.induced import induced, subgraph
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.labor import numbers
from thence.graph.sample.reading import Readable, at_least, no_times, rows_ascend, sides_by_hop
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Direction
from thence.graph.walk.walks import Walker

Kind = Literal["node", "arc", "walk"]
Group = tuple[np.ndarray, np.ndarray, np.ndarray]
KINDS = ("node", "arc", "walk")


class Saint:
    """Draws subgraphs of nodes, arcs or walks, with the paper's normalisation.

    ``subgraph`` is the paper's batch: roots drawn from all nodes, and every node of it a seed. ``sample`` is
    given its roots, as by a loader that goes through all nodes in random order; a scale is right on average
    over such batches of ``roots`` seeds, not for one fixed batch.

    Args:
        graph: a relation.
        kind: ``node``, ``arc`` or ``walk``.
        size: nodes or arcs drawn beside the roots (with replacement), or steps of a walk from each root.
        roots: seeds of a batch; ``node`` and ``arc`` can do without (0), as in the paper.
        direction: ``out`` or ``into``: along which arcs nodes look and walks go.
        rounds: draws made beforehand to count chances; the paper's rule is 50 · num_nodes / nodes of a
        subgraph. seed: of the randomness. progress: told of the draws made beforehand.

    Raises:
        ConfigError: there is no such kind, a count is too small, or walks have no roots.

    Example:
        >>> from thence.graph import Arcs
        >>> cycle = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> saint = Saint(cycle, "walk", 2, roots=1, rounds=400)
        >>> sample = saint.sample([1])
        >>> sample.nodes.tolist(), sample.nodes[sample.column].tolist()
        ([1, 2, 3], [2, 3])
        >>> bool((abs(sample.scale - 1.5) < 0.3).all())  # of a node's three batches, two hold its successor
        True
    """

    def __init__(
        self,
        graph: Readable,
        kind: Kind,
        size: int,
        *,
        roots: int = 0,
        direction: Direction = "out",
        rounds: int = 200,
        seed: int = 0,
        progress: Progress = silent,
    ) -> None:
        if kind not in KINDS:
            raise ConfigError(f"no kind {kind!r} of GraphSAINT", fix=f"It is one of: {', '.join(KINDS)}.")
        self._kind, self._size, self._seed = kind, at_least(size, 0, "size"), index(seed)
        self._roots = at_least(roots, 1 if kind == "walk" else 0, "roots")
        self._side, self._ascend = sides_by_hop(graph, 1, direction)[0][0], rows_ascend(graph)
        self._walker = Walker(self._side, seed=derive_seed(self._seed, "saint"), threads=1)
        self._running = self._sums() if kind != "walk" else np.empty(0)
        self._rounds = at_least(rounds, 1, "rounds")
        self._count_node = np.zeros(self._side.num_nodes, np.int32)
        self._count_entry = np.zeros(len(self._side.neighbors), np.int32)
        for done in range(self._rounds):
            nodes, arcs = self._draw(self._chosen(-1 - done), -1 - done)  # no step that a batch has
            self._count_node[nodes] += 1
            self._count_entry[arcs[2]] += 1
            progress("draws made beforehand", done + 1, self._rounds)

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return self._side.num_nodes

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """The subgraph that has some seeds for roots.

        Args:
            seeds: ``[B]`` node ints; without any the subgraph is empty.
            step: which draw; another step is another, independent draw.
            times: none; see :class:`FanOut` for those.

        Raises:
            DataError: a seed is no node, or times are given.
        """
        no_times(times, "Saint")
        roots = seed_array(seeds, self.num_nodes)
        names = Names()
        local = names.add(roots)
        nodes, arcs = self._draw(roots, step) if len(roots) else (roots, (roots, roots, roots))
        return self._sample(nodes, arcs, names.num, local)

    def subgraph(self, step: int = 0) -> Sample:
        """The paper's batch: ``roots`` drawn from all nodes; all nodes of the sample are its seeds."""
        nodes, arcs = self._draw(self._chosen(step), step)
        return self._sample(nodes, arcs, len(nodes), np.arange(len(nodes)))

    def weight(self, nodes: np.ndarray) -> np.ndarray:
        """``[n]`` float64: what the loss of a node in a subgraph counts, 1 / (its chance · num_nodes).

        A node that never came up beforehand counts as if it had once.
        """
        return self._rounds / (np.maximum(self._count_node[nodes], 1) * float(self.num_nodes))

    def _sample(self, nodes: np.ndarray, arcs: Group, num_seeds: int, seeds: np.ndarray) -> Sample:
        row, _, entry = arcs
        looks = np.maximum(self._count_node[nodes[row]], 1)
        scale = (looks / np.maximum(self._count_entry[entry], 1)).astype(np.float32)
        return subgraph([self._side], nodes, num_seeds, seeds=seeds, arcs=[arcs], scale=[scale])

    def _chosen(self, step: int) -> np.ndarray:
        """Roots drawn from all nodes, with replacement."""
        number = np.empty(self._roots if self.num_nodes else 0)
        numbers(key_of(self._seed, step, 1), np.arange(len(number)), number)
        return (number * self.num_nodes).astype(np.int64)

    def _draw(self, roots: np.ndarray, step: int) -> tuple[np.ndarray, Group]:
        """Nodes, the roots first, and the arcs among them."""
        names = Names()
        names.add(roots)
        names.add(self._others(roots, step))
        nodes = names.all.copy()
        return nodes, induced(self._side, nodes, ascend=self._ascend)

    def _others(self, roots: np.ndarray, step: int) -> np.ndarray:
        if self._kind == "walk":
            visited = self._walker.walk(roots, self._size, step=step).ravel()
            return visited[visited >= 0].astype(np.int64)
        if not len(self._running) or self._running[-1] <= 0:
            return np.empty(0, np.int64)
        number = np.empty(self._size)
        numbers(key_of(self._seed, step, 2), np.arange(self._size), number)
        at = np.searchsorted(self._running, number * self._running[-1], side="right")
        at = np.minimum(at, len(self._running) - 1)
        if self._kind == "node":
            return at
        row = np.searchsorted(self._side.indptr, at, side="right") - 1
        return np.stack([row, self._side.neighbors[at].astype(np.int64)], axis=1).ravel()

    def _sums(self) -> np.ndarray:
        """Running sums of what nodes or entries are drawn by."""
        degree = self._side.degree
        looks = np.repeat(1 / np.maximum(degree, 1), degree)
        if self._kind == "node":
            return np.cumsum(np.bincount(self._side.neighbors, looks**2, minlength=self.num_nodes))
        seen = np.bincount(self._side.neighbors, minlength=self.num_nodes)
        return np.cumsum(looks + 1 / np.maximum(seen, 1)[self._side.neighbors])
