"""The directed graphs that related products are measured on, read from ``$THENCE_DATA/directed``."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph

GRAPHS = ("amazon_grocery", "cora_ml", "citeseer", "wikivotes", "pubmed")
MAIN, VIEWED = "also_bought", "also_viewed"


def folder() -> Path:
    """Where the files are."""
    place = os.environ.get("THENCE_DATA")
    if not place:
        raise DataError(
            "THENCE_DATA is not set", fix="Set it to the folder that holds directed/, or use --arcs."
        )
    return Path(place) / "directed"


def load_graph(name: str) -> DiGraph:
    """One of :data:`GRAPHS`, with what its files say of the nodes."""
    if name == "amazon_grocery":
        return amazon_grocery()
    graph = read_arcs(folder() / f"{name}.tsv.gz")
    features = folder() / f"{name}.npz"
    if not features.exists():
        return graph
    return DiGraph(
        graph.ids, graph.relations, pa.table({"item_id": graph.ids.array, "title": words(features, graph)})
    )


def amazon_grocery() -> DiGraph:
    """Also bought as the main relation, also viewed beside it (all of it known), and the category."""
    bought = list(lines(folder() / "amazon_grocery_also_bought.tsv.gz"))
    ids = IdMap(sorted({end for line in bought for end in line[:2]}, key=int))
    viewed = lines(folder() / "amazon_grocery_also_viewed.tsv.gz")
    viewed = [line for line in viewed if line[0] in ids and line[1] in ids]
    category = {item: f"c{code}" for item, code in lines(folder() / "amazon_grocery_items.tsv.gz")}
    names = ids.decode(np.arange(len(ids)))
    nodes = pa.table({"item_id": ids.array, "category": [category.get(item) for item in names]})
    return DiGraph(ids, {MAIN: arcs_of(bought, ids), VIEWED: arcs_of(viewed, ids)}, nodes)


def read_arcs(path: str | Path) -> DiGraph:
    """Any graph: tab-separated source, target and, where there is one, weight; lines with ``#`` are skipped.

    Raises:
        DataError: the file is absent, or a line cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise DataError("no such file", where=path)
    try:
        rows = list(lines(path))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(
            f"it cannot be read: {error}", where=path, fix="Give text, or text packed by gzip."
        ) from None
    for number, row in enumerate(rows, 1):
        if len(row) < 2 or not all(row[:2]):
            raise DataError(f"arc {number} has no target", where=path, fix="Separate the columns with tabs.")
    rows = [row for row in rows if row[0] != row[1]]  # a loop says nothing
    if not rows:
        raise DataError("no arcs but loops", where=path, fix="Give lines of source, target and perhaps weight.")
    ends = {end for row in rows for end in row[:2]}
    whole = all(end.isdigit() for end in ends)
    ids = IdMap(sorted(ends, key=int) if whole else sorted(ends))
    return DiGraph(ids, {"arcs": arcs_of(rows, ids)})


def lines(path: Path) -> Iterator[list[str]]:
    """Fields of each line that is no comment, and not the heading of a table of items."""
    with (
        gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file
    ):
        for line in file:
            if line.strip() and not line.startswith(("#", "item_id\t", "source\t")):
                yield line.rstrip("\n").split("\t")


def arcs_of(rows: list[list[str]], ids: IdMap) -> Arcs:
    """Arcs without self-loops; equal ones are added up."""
    source, target = (ids.encode([row[end] for row in rows]).astype(np.int64) for end in (0, 1))
    try:
        weight = np.array([float(row[2]) if len(row) > 2 else 1.0 for row in rows])
    except ValueError as error:
        raise DataError(f"a weight is no number: {error}", fix="Give source, target, weight.") from None
    keep = source != target
    keys, at = np.unique(source[keep] * len(ids) + target[keep], return_inverse=True)
    total = np.bincount(at, weights=weight[keep], minlength=len(keys))
    return Arcs.from_pairs(keys // max(len(ids), 1), keys % max(len(ids), 1), num_nodes=len(ids), weight=total)


def words(path: Path, graph: DiGraph) -> list[str]:
    """The words of each node, as the text that a catalogue would hold; the file's rows are node numbers."""
    stored = np.load(path, allow_pickle=False)
    indptr, indices = stored["attr_matrix.indptr"], stored["attr_matrix.indices"]
    rows = [int(name) for name in graph.ids.decode(np.arange(graph.num_nodes))]
    return [" ".join(f"w{word}" for word in indices[indptr[row] : indptr[row + 1]]) for row in rows]
