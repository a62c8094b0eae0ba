"""``thence graph alike``: a relation between the products that are most alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.base.errors import DataError, nearest
from thence.cli.console import emit, show
from thence.cli.options import Into, JsonFlag

if TYPE_CHECKING:
    import numpy as np

    from thence.graph.digraph import DiGraph

ALIKE = "Example:  thence graph alike runs/shop/graph --k 10 --within category --into runs/shop/with-alike"


def alike(
    graph: Annotated[
        Path, typer.Argument(help="The graph, as thence graph build wrote it, or a run's folder.")
    ],
    into: Into,
    k: Annotated[int, typer.Option(min=1, help="How many each product looks for.")] = 10,
    mutual: Annotated[bool, typer.Option(help="Keep pairs only where each found the other.")] = False,
    within: Annotated[
        str | None, typer.Option(help="A column of the catalogue; look among products that share its value.")
    ] = None,
    by: Annotated[
        Path | None, typer.Option(help="Embeddings to compare, or a run's folder; the catalogue by default.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the relation is called.")] = "alike",
    as_json: JsonFlag = False,
) -> None:
    """Add a relation between the products that are most alike, by the catalogue or by embeddings."""
    from thence.cli.folders import part_of
    from thence.graph.digraph import DiGraph
    from thence.index.similar import similarity_arcs

    whole = DiGraph.load(part_of(graph, "graph"))
    arcs = similarity_arcs(_vectors(whole, by), k, mutual=mutual, groups=_groups(whole, within))
    whole.with_relation(name, arcs).save(into)
    if as_json:
        emit({"into": into, "relation": name, "arcs": arcs.num_arcs, "nodes": int((arcs.out_degree > 0).sum())})
    else:
        show(f"{into}: {name}, {arcs.num_arcs:,} arcs of {(arcs.out_degree > 0).sum():,} products")


def _vectors(graph: DiGraph, by: Path | None) -> np.ndarray:
    """``[num_nodes, d]``: source and target embeddings side by side, or what the catalogue says."""
    import numpy as np

    from thence.cli.folders import part_of
    from thence.encode.embeddings import Embeddings
    from thence.index.similar import feature_vectors

    if by is not None:
        found = Embeddings.load(part_of(by, "embeddings"))
        if found.ids != graph.ids:
            raise DataError("the embeddings are not of this graph's products", where=by)
        return np.concatenate([found.source, found.target], axis=1)
    if graph.nodes is None:
        raise DataError("the graph has no catalogue", fix="Give embeddings with --by.")
    return feature_vectors(graph.nodes)


def _groups(graph: DiGraph, within: str | None) -> np.ndarray | None:
    """``[num_nodes]``: which value of the column each product has; -1 for none."""
    if within is None:
        return None
    names = [] if graph.nodes is None else graph.nodes.column_names
    if graph.nodes is None or within not in names:
        raise DataError(f"the catalogue has no column {within!r}", fix=nearest(within, names))
    coded = graph.nodes[within].combine_chunks().dictionary_encode()
    return coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
