"""Positions: what is said of where each node stands in a graph, as named blocks of columns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs

KIND = "positions"
PIECE = 1 << 22
"""Bytes that are hashed at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class Positions:
    """Blocks of columns, one row a node.

    A block whose name ends in ``.out`` looks along the arcs, its twin that ends in ``.in`` against them;
    turning all arcs round swaps the two.

    Args:
        ids: external id of each node; None where nodes have none.
        blocks: by name ``[num_nodes, width]`` float32, finite.
        info: how they came about, JSON-able: ``fingerprint`` of the arcs, ``seed``, and by kind its settings
            and what is to be known of the result.

    Example:
        >>> found = Positions(None, {"degree": np.ones((3, 1), np.float32)})
        >>> found, found.matrix().shape
        (Positions(3 nodes, 1 columns: degree), (3, 1))
    """

    ids: IdMap | None
    blocks: Mapping[str, np.ndarray]
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.blocks:
            raise DataError("positions need at least one block")
        nodes = len(next(iter(self.blocks.values()))) if self.ids is None else len(self.ids)
        for name, block in self.blocks.items():
            if block.ndim != 2 or len(block) != nodes or block.dtype != np.float32:
                raise DataError(f"block {name!r} is {block.dtype} {block.shape} for {nodes} nodes")
            if not np.isfinite(block).all():
                raise DataError(f"block {name!r} holds values that are not finite")

    def __repr__(self) -> str:
        """One line with the counts."""
        kinds = ", ".join(dict.fromkeys(name.split(".")[0] for name in self.blocks))
        return f"Positions({self.num_nodes:,} nodes, {self.width:,} columns: {kinds})"

    @property
    def num_nodes(self) -> int:
        """How many nodes."""
        return len(next(iter(self.blocks.values())))

    @property
    def width(self) -> int:
        """How many columns all blocks have together."""
        return sum(block.shape[1] for block in self.blocks.values())

    def matrix(self) -> np.ndarray:
        """All blocks side by side, ``[num_nodes, width]`` float32."""
        return np.hstack(list(self.blocks.values()))

    def check_of(self, arcs: Arcs) -> None:
        """Refuse to be taken for positions of another graph.

        Raises:
            ArtifactError: the arcs are not those that these are positions of.
        """
        if self.info.get("fingerprint") != fingerprint(arcs):
            raise ArtifactError(
                "these are positions of another graph", where=repr(self), fix="Compute them for this one."
            )

    def save(self, folder: str | Path) -> None:
        """Write them as an artifact of kind ``positions``.

        Raises:
            ArtifactError: something else stands there, or it cannot be written.
        """
        with write_artifact(folder, KIND) as draft:
            if self.ids is not None:
                draft.table("ids", pa.table({"id": self.ids.array}))
            for name, block in self.blocks.items():
                draft.array(name, block)
            draft.counts.update(nodes=self.num_nodes, width=self.width)
            draft.config.update(blocks=list(self.blocks), info=dict(self.info))

    @classmethod
    def load(cls, folder: str | Path, *, of: Arcs | None = None) -> Positions:
        """Open saved positions; blocks are memory-mapped.

        Args:
            folder: where ``save`` put them.
            of: the arcs that they must be positions of.

        Raises:
            ArtifactError: they are absent, torn, tampered with, no positions, or those of another graph.
        """
        art = open_artifact(folder, KIND)
        try:
            ids = IdMap(art.table("ids")["id"]) if "ids.parquet" in art.files else None
            found = cls(ids, {name: art.array(name) for name in art.config["blocks"]}, art.config["info"])
        except (DataError, TypeError, KeyError) as error:
            raise ArtifactError(f"inconsistent positions: {error}", where=folder) from error
        if of is not None:
            found.check_of(of)
        return found


def fingerprint(arcs: Arcs) -> str:
    """SHA-256 over the nodes, arcs and weights of a relation, in hexadecimal.

    Example:
        >>> one, other = (Arcs.from_pairs([0], [1], num_nodes=nodes) for nodes in (2, 3))
        >>> fingerprint(one) == fingerprint(one), fingerprint(one) == fingerprint(other)
        (True, False)
    """
    found = hashlib.sha256(f"{arcs.num_nodes}".encode())
    for array in (arcs.indptr, arcs.targets, arcs.weight):
        plain = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
        for begin in range(0, len(plain), PIECE):
            found.update(plain[begin : begin + PIECE].data)
    return found.hexdigest()
