"""DiGraph: the products of a shop as nodes and one or several relations among them as directed arcs.

A saved graph is opened, not read: arrays, ids and the table of nodes are mapped, and processes that open it
share them. ``docs/decisions/0004-opening.md`` says what is checked when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from thence.base.artifact import Artifact, open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError, nearest
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.check import check_name, check_opened, check_stored

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

    def check(self, where: object = None) -> None:
        """Look at every arc, id and row of the node table: what ``load`` does unless told otherwise.

        Args:
            where: what an error names as the place, such as a folder.

        Raises:
            ArtifactError: something in it makes no sense.
        """
        for name, arcs in self.relations.items():
            with _naming(name, where):
                check_stored(arcs)
        try:
            self.ids.array.validate(full=True)
            self.ids.check()
            if self.nodes is None:
                return
            self.nodes.validate(full=True)
            ids = pa.chunked_array([self.ids.array])
            if "item_id" in self.nodes.column_names and self.nodes["item_id"].cast(pa.string()) != ids:
                raise DataError("the rows of the node table are not in the order of the ids")
        except (DataError, pa.ArrowException) as error:
            raise ArtifactError(f"inconsistent graph: {error}", where=where, fix="Build it again.") from error

    def save(self, folder: str | Path) -> None:
        """Write the graph as an artifact of kind ``digraph``.

        Raises:
            ArtifactError: something else stands there, or it cannot be written.
        """
        with write_artifact(folder, KIND) as draft:
            draft.mapped_table("ids", pa.table({"id": self.ids.array}))
            if self.nodes is not None:
                draft.mapped_table("nodes", self.nodes)
            for name, arcs in self.relations.items():
                for part in CSR_FIELDS:
                    draft.array(f"{name}.{part}", getattr(arcs, part))
                for value, array in arcs.values.items():
                    draft.array(f"{name}.value.{value}", array)
                draft.counts[f"arcs.{name}"] = arcs.num_arcs
            draft.counts["nodes"] = self.num_nodes
            draft.config["relations"] = {name: arcs.directed for name, arcs in self.relations.items()}
            draft.config["order"] = list(self.relations)
            draft.config["ids_ascend"] = self.ids.ascending
            draft.config["info"] = dict(self.info)
            draft.fingerprint = str(self.info.get("log", {}).get("fingerprint", ""))

    @classmethod
    def load(cls, folder: str | Path, *, verify: bool = True, mapped: bool = True) -> DiGraph:
        """Open a saved graph; arrays, ids and the node table are memory-mapped.

        Args:
            folder: where ``save`` put it.
            verify: compare every file's SHA-256 and :meth:`check` what it says, which reads all of it once.
                When False, only the manifest, sizes, types, shapes, and first and last offsets are checked, in
                milliseconds whatever the size: for files that this program, or the one that started it, has
                verified before.
            mapped: when False, all is copied into memory: for a process that must live on when somebody writes
                over the files, which ends those that have them mapped.

        Raises:
            ArtifactError: it is absent, torn, tampered with, not a graph, or makes no sense.
        """
        art = open_artifact(folder, KIND, verify=verify, mapped=mapped)
        try:
            relations = {name: _relation(art, name) for name in art.config["order"]}
            ids, nodes = _ids(art), _nodes(art)
            graph = cls(ids, relations, nodes, dict(art.config.get("info", {})))
        except (DataError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ArtifactError(f"inconsistent graph: {error}", where=folder, fix="Build it again.") from error
        if verify:
            graph.check(where=folder)
        return graph


def _ids(art: Artifact) -> IdMap:
    if "ids.parquet" in art.files:  # as written before ids were mapped
        return IdMap(art.table("ids")["id"])
    return IdMap.opened(art.mapped_table("ids")["id"], ascending=bool(art.config["ids_ascend"]))


def _nodes(art: Artifact) -> pa.Table | None:
    if "nodes.parquet" in art.files:
        return art.table("nodes")
    return art.mapped_table("nodes") if "nodes.arrow" in art.files else None


def _relation(art: Artifact, name: str) -> Arcs:
    check_name(name, "relation")
    prefix = f"{name}.value."
    names = sorted(file[len(prefix) : -len(".npy")] for file in art.files if file.startswith(prefix))
    if not isinstance(art.config["relations"][name], bool):
        raise DataError(f"whether relation {name!r} is directed is not said")
    arcs = Arcs(
        **{part: art.array(f"{name}.{part}") for part in CSR_FIELDS},
        values={value: art.array(prefix + value) for value in names},
        directed=art.config["relations"][name],
    )
    with _naming(name, art.folder):
        check_opened(arcs)
    return arcs


@contextmanager
def _naming(relation: str, where: object) -> Iterator[None]:
    """Say of which relation an error speaks."""
    try:
        yield
    except ArtifactError as error:
        what = f"relation {relation!r}: {error.what}"
        raise ArtifactError(what, where=where, fix="Build it again.") from None
