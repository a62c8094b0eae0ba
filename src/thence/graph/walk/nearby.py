"""What lies near some seeds, and how near: some nodes a seed, each with its mass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from thence.graph.walk.rows import joined, whole


@dataclass(frozen=True, eq=False, repr=False)
class Nearby:
    """Sparse rows of mass, one a seed, in the order in which the nodes were found.

    Args:
        seeds: ``[B]`` int64.
        indptr: ``[B + 1]`` int64, where each seed's nodes begin.
        nodes: ``[num_entries]`` int32, each once a row.
        mass: ``[num_entries]`` float64, positive.
        num_nodes: how many nodes the graph has.
        left: ``[B]`` float64: no mass is too small by more than this, and none too large; None where mass was
            counted and not bounded.

    Example:
        >>> from thence.graph import Arcs
        >>> from thence.graph.walk import push
        >>> near = push(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3), [0, 2], alpha=0.5, epsilon=1e-9)
        >>> near
        Nearby(2 seeds, 4 entries, 3 nodes)
        >>> near.row(0)[0].tolist(), near.row(0)[1].tolist()
        ([0, 1, 2], [0.5, 0.25, 0.25])
        >>> near.top_k(2)[0].tolist()
        [[1, 2], [-1, -1]]
    """

    seeds: np.ndarray
    indptr: np.ndarray
    nodes: np.ndarray
    mass: np.ndarray
    num_nodes: int
    left: np.ndarray | None = None

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Nearby({len(self.seeds):,} seeds, {len(self.nodes):,} entries, {self.num_nodes:,} nodes)"

    def row(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and mass of the seed at one place."""
        part = slice(int(self.indptr[at]), int(self.indptr[at + 1]))
        return self.nodes[part], self.mass[part]

    def matrix(self) -> sp.csr_matrix:
        """``[B, num_nodes]``: entry (b, v) is the mass of node v for seed b."""
        shape = (len(self.seeds), self.num_nodes)
        return sp.csr_matrix((self.mass, self.nodes, self.indptr), shape=shape)

    def top_k(self, k: int, *, with_seed: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The k nodes of most mass a seed, most first, equal ones by node.

        Args:
            k: how many.
            with_seed: whether the seed itself may be among them.

        Returns:
            nodes ``[B, k]`` int32 and mass ``[B, k]`` float64; -1 and 0 where a seed has fewer.

        Raises:
            ConfigError: k is below 1.
        """
        k = whole("k", k, 1)
        nodes = np.full((len(self.seeds), k), -1, np.int32)
        mass = np.zeros((len(self.seeds), k))
        for at, seed in enumerate(self.seeds):
            near, amount = self.row(at)
            if not with_seed:
                near, amount = near[near != seed], amount[near != seed]
            if len(near) > k:
                least = np.partition(amount, len(near) - k)[len(near) - k]
                near, amount = near[amount >= least], amount[amount >= least]
            best = np.lexsort((near, -amount))[:k]
            nodes[at, : len(best)], mass[at, : len(best)] = near[best], amount[best]
        return nodes, mass


def nearby(
    seeds: np.ndarray,
    rows: list[tuple[np.ndarray, np.ndarray]],
    num_nodes: int,
    left: np.ndarray | None = None,
) -> Nearby:
    """The noun from one pair of nodes and mass a seed."""
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(nodes) for nodes, _ in rows], out=indptr[1:])
    nodes = joined([row[0] for row in rows], np.int32)
    return Nearby(seeds, indptr, nodes, joined([row[1] for row in rows], np.float64), num_nodes, left)
