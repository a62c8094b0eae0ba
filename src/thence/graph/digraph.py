"""DiGraph: the products of a shop as nodes and one or several relations among them as directed arcs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from thence.base.artifact import Artifact, open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError, nearest
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.check import check_name, check_stored

KIND = "digraph"
CSR_FIELDS = ("indptr", "targets", "in_indptr", "sources", "in_order")


@dataclass(frozen=True, eq=False, repr=False)
class DiGraph:
    """Nodes, what is known of them, and named relations.

    Args:
        ids: external id of each node.
        relations: arcs by name (letters, digits, ``_`` and ``-``); the first is the *main* one, which answers
            "what comes next".
        nodes: a table with one row a node, in node order: ``item_id``, ``count`` (how often it was bought),
            and the catalogue's columns (``title``, ``category``, ``brand``, ``price``, …) where there is one.
        info: what it was built from, JSON-able; kept in the manifest. ``info["log"]["fingerprint"]`` becomes
            the artifact's data fingerprint.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)
        >>> graph = DiGraph(IdMap(["phone", "case", "charger"]), {"bought_after": arcs})
        >>> graph
        DiGraph(3 nodes, bought_after: 2 arcs)
        >>> graph.ids.decode(graph.main.out(0))
        ['case', 'charger']
    """

    ids: IdMap
    relations: Mapping[str, Arcs]
    nodes: pa.Table | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.relations:
            raise DataError("a graph needs at least one relation")
        for name, arcs in self.relations.items():
            check_name(name, "relation")
            if arcs.num_nodes != len(self.ids):
                raise DataError(f"relation {name!r} has {arcs.num_nodes} nodes, the graph {len(self.ids)}")
        if self.nodes is not None and self.nodes.num_rows != len(self.ids):
            raise DataError(f"{self.nodes.num_rows} rows in the node table for {len(self.ids)} nodes")

    def __repr__(self) -> str:
        """One line with the counts."""
        arcs = ", ".join(f"{name}: {arcs.num_arcs:,} arcs" for name, arcs in self.relations.items())
        return f"DiGraph({self.num_nodes:,} nodes, {arcs})"

    def __getitem__(self, relation: str) -> Arcs:
        """One relation by name.

        Raises:
            DataError: there is none of that name.
        """
        if relation not in self.relations:
            raise DataError(
                f"no relation {relation!r}", where=repr(self), fix=nearest(relation, self.relations)
            )
        return self.relations[relation]

    @property
    def num_nodes(self) -> int:
        """How many nodes."""
        return len(self.ids)

    @property
    def main(self) -> Arcs:
        """The first relation."""
        return next(iter(self.relations.values()))

    def with_relation(self, name: str, arcs: Arcs) -> DiGraph:
        """The same graph with one relation added or, in its place, replaced."""
        return replace(self, relations={**self.relations, name: arcs})

    def save(self, folder: str | Path) -> None:
        """Write the graph as an artifact of kind ``digraph``.

        Raises:
            ArtifactError: something else stands there, or it cannot be written.
        """
        with write_artifact(folder, KIND) as draft:
            draft.table("ids", pa.table({"id": self.ids.array}))
            if self.nodes is not None:
                draft.table("nodes", self.nodes)
            for name, arcs in self.relations.items():
                for part in CSR_FIELDS:
                    draft.array(f"{name}.{part}", getattr(arcs, part))
                for value, array in arcs.values.items():
                    draft.array(f"{name}.value.{value}", array)
                draft.counts[f"arcs.{name}"] = arcs.num_arcs
            draft.counts["nodes"] = self.num_nodes
            draft.config["relations"] = {name: arcs.directed for name, arcs in self.relations.items()}
            draft.config["order"] = list(self.relations)
            draft.config["info"] = dict(self.info)
            draft.fingerprint = str(self.info.get("log", {}).get("fingerprint", ""))

    @classmethod
    def load(cls, folder: str | Path, *, verify: bool = True) -> DiGraph:
        """Open a saved graph; arrays are memory-mapped, and checked to describe a graph.

        Args:
            folder: where ``save`` put it.
            verify: compare every file's SHA-256; when False only sizes are compared.

        Raises:
            ArtifactError: it is absent, torn, tampered with, not a graph, or makes no sense.
        """
        art = open_artifact(folder, KIND, verify=verify)
        try:
            relations = {name: _relation(art, name) for name in art.config["order"]}
            nodes = art.table("nodes") if "nodes.parquet" in art.files else None
            ids = IdMap(art.table("ids")["id"])
            if nodes is not None and "item_id" in nodes.column_names and IdMap(nodes["item_id"]) != ids:
                raise DataError("the rows of the node table are not in the order of the ids")
            return cls(ids, relations, nodes, dict(art.config.get("info", {})))
        except (DataError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ArtifactError(f"inconsistent graph: {error}", where=folder, fix="Build it again.") from error


def _relation(art: Artifact, name: str) -> Arcs:
    check_name(name, "relation")
    prefix = f"{name}.value."
    names = sorted(file[len(prefix) : -len(".npy")] for file in art.files if file.startswith(prefix))
    arcs = Arcs(
        **{part: art.array(f"{name}.{part}") for part in CSR_FIELDS},
        values={value: art.array(prefix + value) for value in names},
        directed=bool(art.config["relations"][name]),
    )
    try:
        check_stored(arcs)
    except ArtifactError as error:
        raise ArtifactError(
            f"relation {name!r}: {error.what}", where=art.folder, fix="Build it again."
        ) from None
    return arcs
