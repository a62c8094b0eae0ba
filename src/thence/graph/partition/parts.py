"""Partition: which part each node belongs to, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from pathlib import Path

import numpy as np

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.graph.arcs import BLOCK, Arcs
from thence.graph.check import frozen

KIND = "partition"


@dataclass(frozen=True, eq=False, repr=False)
class Partition:
    """A division of the nodes, each in exactly one part. Immutable; make one with :meth:`of`.

    Args:
        part: ``[num_nodes]`` int32, the part of each node, 0 … num_parts-1.
        num_parts: how many parts; some may be empty.
        edge_cut: share of arcs whose ends lie in different parts.
        balance: nodes of the largest part over the mean, 1 at best.
        arc_balance: the same of arcs, counted at both of their ends.
        method: how it was made.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 2, 1], [1, 0, 3, 2], num_nodes=4)
        >>> Partition.of(arcs, [0, 0, 1, 1])
        Partition(4 nodes, 2 parts, 25.0% of arcs cut, balance 1.00 by nodes, 1.25 by arcs)
    """

    part: np.ndarray
    num_parts: int
    edge_cut: float
    balance: float
    arc_balance: float
    method: str = "given"

    @classmethod
    def of(
        cls, arcs: Arcs, part: np.ndarray | list[int], num_parts: int | None = None, *, method: str = "given"
    ) -> Partition:
        """Measure a division of the nodes of a relation.

        Args:
            arcs: the relation.
            part: ``[num_nodes]`` ints, the part of each node.
            num_parts: how many parts; the largest int and one when not given.
            method: a word on how it was made.

        Raises:
            DataError: there is not one part a node, or a part is out of range.
        """
        given = np.asarray(part)
        if given.shape != (arcs.num_nodes,) or (given.size and given.dtype.kind not in "iu"):
            raise DataError(
                f"parts are {given.dtype} of shape {given.shape}", where=repr(arcs), fix="Give one int a node."
            )
        count = int(given.max(initial=0)) + 1 if num_parts is None else parts_asked(num_parts)
        if given.size and (given.min() < 0 or given.max() >= count):
            wrong = given[(given < 0) | (given >= count)][0]
            raise DataError(f"part {wrong} is out of range", where=f"{count} parts")
        own = given.astype(np.int32)
        load = np.bincount(own, arcs.out_degree + arcs.in_degree, minlength=count)
        return cls(
            part=frozen(own),
            num_parts=count,
            edge_cut=cut_share(arcs, own),
            balance=_largest(np.bincount(own, minlength=count)),
            arc_balance=_largest(load),
            method=method,
        )

    def __repr__(self) -> str:
        """One line with the counts."""
        return (
            f"Partition({len(self.part):,} nodes, {self.num_parts:,} parts, {self.edge_cut:.1%} of arcs cut, "
            f"balance {self.balance:.2f} by nodes, {self.arc_balance:.2f} by arcs)"
        )

    @property
    def sizes(self) -> np.ndarray:
        """``[num_parts]`` int64, nodes of each part."""
        return np.bincount(self.part, minlength=self.num_parts)

    def nodes(self, part: int) -> np.ndarray:
        """The nodes of one part, ascending.

        Raises:
            DataError: there is no such part.
        """
        if not 0 <= part < self.num_parts:
            raise DataError(f"part {part} is out of range", where=f"{self.num_parts} parts")
        return np.flatnonzero(self.part == part)

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``partition``."""
        with write_artifact(folder, KIND) as draft:
            draft.array("part", self.part)
            draft.counts.update(nodes=len(self.part), parts=self.num_parts)
            draft.metrics.update(edge_cut=self.edge_cut, balance=self.balance, arc_balance=self.arc_balance)
            draft.config["method"] = self.method

    @classmethod
    def load(cls, folder: str | Path, *, verify: bool = True) -> Partition:
        """Open a saved partition.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or no partition.
        """
        art = open_artifact(folder, KIND, verify=verify)
        try:
            part, count = art.array("part", mmap=False), int(art.counts["parts"])
            metrics = {name: float(art.metrics[name]) for name in ("edge_cut", "balance", "arc_balance")}
            method = str(art.config["method"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"inconsistent partition: {error!r}", where=folder) from error
        whole = part.ndim == 1 and part.dtype == np.int32
        if not whole or (part.size and (part.min() < 0 or part.max() >= count)):
            raise ArtifactError("inconsistent partition: a part is out of range", where=folder)
        return cls(frozen(part), count, **metrics, method=method)


def cut_share(arcs: Arcs, part: np.ndarray) -> float:
    """Share of arcs whose ends lie in different parts (0 for no arcs)."""
    cut = 0
    for at in range(0, arcs.num_arcs, BLOCK):
        end = min(at + BLOCK, arcs.num_arcs)
        source = np.searchsorted(arcs.indptr, np.arange(at, end, dtype=arcs.indptr.dtype), side="right") - 1
        cut += int((part[source] != part[arcs.targets[at:end]]).sum())
    return cut / arcs.num_arcs if arcs.num_arcs else 0.0


def parts_asked(num_parts: int, num_nodes: int | None = None) -> int:
    """A number of parts, checked.

    Raises:
        ConfigError: it is no int, below 1, or more than there are nodes.
    """
    try:
        count = index(num_parts)
    except TypeError as error:
        raise ConfigError(f"num_parts is {num_parts!r}, not an int") from error
    if count < 1 or (num_nodes is not None and count > max(num_nodes, 1)):
        most = "the number of nodes" if num_nodes is None else num_nodes
        raise ConfigError(f"num_parts is {count}", fix=f"Choose 1 to {most}.")
    return count


def _largest(sizes: np.ndarray) -> float:
    """The largest over the mean; 1 where there is nothing to balance."""
    return float(sizes.max() / sizes.mean()) if sizes.sum() else 1.0
