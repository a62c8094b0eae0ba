"""PartGraph: one part of a partitioned graph, opened without looking at any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import Artifact, open_artifact
from thence.base.errors import ArtifactError, ConfigError
from thence.graph.check import node_array
from thence.graph.digraph import DiGraph
from thence.graph.partition.store import PLACE, part_folder


@dataclass(frozen=True, eq=False, repr=False)
class PartGraph:
    """A part's own nodes with whole rows on both sides, its halo, and what goes with them.

    Local ints: own nodes are 0 … num_own-1, by ascending global int; then the halo, nodes one step away, two
    steps away, and so on. Arrays are memory-mapped.

    Args:
        graph: the relations in local ints, external ids and node table included.
        part: which part this is.
        num_parts: of how many.
        nodes: ``[num_local]`` int64, the global int of each local node.
        owner: ``[num_local]`` int32, the part that owns each.
        hop_ptr: ``[hops + 2]`` int64; ``hop_ptr[h] : hop_ptr[h + 1]`` are the local nodes h steps away.
        rows: ``[num_local, …]``, the rows of the matrix that was given, if any.
        whole: fingerprint that all parts of one writing share; compare it before machines work together.

    Example:
        >>> import tempfile
        >>> from thence.graph import Arcs
        >>> from thence.graph.partition import Partition, write_parts
        >>> arcs = Arcs.from_pairs([0, 1, 2, 1], [1, 0, 3, 2], num_nodes=4)
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     write_parts(arcs, Partition.of(arcs, [0, 0, 1, 1]), f"{tmp}/parts")
        ...     part = PartGraph.load(f"{tmp}/parts", 1)
        >>> part
        PartGraph(part 1 of 2: 2 own nodes, 1 halo nodes in 1 hops, arcs: 2 arcs)
        >>> part.nodes.tolist(), part.graph.main.into(0).tolist()  # 2 is entered from 1, of the other part
        ([2, 3, 1], [2])
    """

    graph: DiGraph
    part: int
    num_parts: int
    nodes: np.ndarray
    owner: np.ndarray
    hop_ptr: np.ndarray
    rows: np.ndarray | None
    whole: str

    @classmethod
    def load(cls, folder: str | Path, part: int, *, verify: bool = True) -> PartGraph:
        """Open one part; no other part's files are touched, so they need not be there.

        Args:
            folder: where ``write_parts`` put them.
            part: which.
            verify: compare every file's SHA-256; when False only sizes are compared.

        Raises:
            ConfigError: ``part`` is no int of at least 0.
            ArtifactError: the part is absent, torn, tampered with, or makes no sense.
        """
        try:
            number = index(part)
        except TypeError as error:
            raise ConfigError(f"part is {part!r}, not an int") from error
        if number < 0:
            raise ConfigError(f"part is {part}", fix="Parts count from 0.")
        home = Path(folder) / part_folder(number)
        place = open_artifact(home / "place", PLACE, verify=verify)
        graph = DiGraph.load(home / "graph", verify=verify)
        try:
            if graph.info.get("part") != dict(place.config) or place.config["part"] != number:
                raise ArtifactError("graph and place are of different parts", where=home)
            loaded = cls(
                graph=graph,
                part=number,
                num_parts=int(place.config["num_parts"]),
                nodes=place.array("nodes"),
                owner=place.array("owner"),
                hop_ptr=place.array("hop_ptr"),
                rows=_rows(place, graph.num_nodes),
                whole=str(place.config["whole"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"inconsistent part: {error!r}", where=home) from error
        loaded._check(home, int(place.config["hops"]), verify)
        return loaded

    def __repr__(self) -> str:
        """One line with the counts."""
        arcs = ", ".join(f"{name}: {arcs.num_arcs:,} arcs" for name, arcs in self.graph.relations.items())
        return (
            f"PartGraph(part {self.part} of {self.num_parts}: {self.num_own:,} own nodes, "
            f"{len(self.nodes) - self.num_own:,} halo nodes in {self.hops} hops, {arcs})"
        )

    @property
    def num_own(self) -> int:
        """How many nodes this part owns."""
        return int(self.hop_ptr[1])

    @property
    def hops(self) -> int:
        """Width of the halo."""
        return len(self.hop_ptr) - 2

    @property
    def num_complete(self) -> int:
        """How many local nodes, the first ones, have whole rows: all but the outermost of the halo."""
        return int(self.hop_ptr[self.hops]) if self.hops else 0

    def own_arcs(self, side: str = "out", relation: str | None = None) -> np.ndarray:
        """``[n]`` int64: where the arcs that this part owns stand in the local relation (out-order).

        Over all parts each arc is owned once by its source (``out``) and once by its target (``into``).

        Args:
            side: ``out`` or ``into``.
            relation: which; the main one when not given.

        Raises:
            ConfigError: there is no such side.
            DataError: there is no such relation.
        """
        arcs = self.graph.main if relation is None else self.graph[relation]
        if side == "out":
            return np.arange(int(arcs.indptr[self.num_own]))
        if side != "into":
            raise ConfigError(f"no side {side!r}", fix="It is 'out' or 'into'.")
        return np.asarray(arcs.in_order[: arcs.in_indptr[self.num_own]], np.int64)

    def local(self, nodes: np.ndarray | Sequence[int]) -> np.ndarray:
        """``[n]`` int64: the local int of each global node, -1 where it is neither own nor halo.

        Example:
            >>> part = PartGraph(None, 0, 1, np.array([4, 9, 2]), None, np.array([0, 2, 3]), None, "")
            >>> part.local([2, 4, 5]).tolist()
            [2, 0, -1]
        """
        wanted = node_array(nodes, "nodes")
        order, ascending = self._sorted
        if not len(ascending):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
        return np.where(ascending[at] == wanted, order[at], -1)

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.nodes)
        return order, self.nodes[order]

    def _check(self, home: Path, hops: int, verify: bool) -> None:
        nodes, ptr = self.nodes, self.hop_ptr
        whole = (
            nodes.shape == self.owner.shape == (self.graph.num_nodes,)
            and ptr.shape == (hops + 2,)
            and ptr[0] == 0
            and ptr[-1] == len(nodes)
            and not (np.diff(ptr) < 0).any()
        )
        if whole and verify:
            own = np.arange(len(nodes)) < self.num_own
            whole = np.array_equal(self.owner == self.part, own) and len(np.unique(nodes)) == len(nodes)
        if not whole:
            raise ArtifactError("inconsistent part: nodes, owners and hops disagree", where=home)


def _rows(place: Artifact, num_nodes: int) -> Any:
    if "rows.npy" not in place.files:
        return None
    rows = place.array("rows")
    if rows.shape[:1] != (num_nodes,):
        raise ValueError(f"{rows.shape} rows for {num_nodes} nodes")
    return rows
