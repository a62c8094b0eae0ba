"""Add, change and delete nodes of an index without building it again.

A new or changed vector becomes a new row in the list, or at the place in the graph, where it belongs; the row
that it had before is void. Clusters and codes stay those of the first build, so that recall should be measured
again after many changes (:func:`thence.index.measured`); ``report.changed`` says how many there were.

The index that was there before keeps answering as it did: a change gives another one, which shares nothing that
is written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError
from thence.base.ids import MISSING, IdMap
from thence.encode.embeddings import Embeddings
from thence.index.ann import AnnIndex, Side
from thence.index.engine.engine import chunks_of
from thence.index.report import IndexReport
from thence.index.space import Role, widened


def upserted(index: AnnIndex, changes: Embeddings) -> AnnIndex:
    """An index in which each node of ``changes`` is new, or has the vectors given there.

    Known nodes keep their numbers, new ones follow in the order given; a deleted node is answered again.

    Args:
        index: what there was.
        changes: ids with their source and target vectors and biases.

    Raises:
        DataError: the dimension differs, or a bias is given to an index that was built without any.
    """
    if changes.dim != index.embeddings.dim:
        raise DataError(f"vectors of dimension {changes.dim}", where=repr(index))
    assert changes.bias is not None  # set by Embeddings
    bare = "target" in index.sides and not index.sides["target"].with_bias
    if bare and "next" in index.efforts and changes.bias.any():
        raise DataError("the index was built without biases", where=repr(index), fix="Build it again.")
    embeddings, nodes = merged(index.embeddings, changes)
    sides: dict[Role, Side] = {role: _side(side, role, embeddings, nodes) for role, side in index.sides.items()}
    alive = None
    if index.alive is not None:
        alive = np.concatenate([index.alive, np.ones(len(embeddings.ids) - len(index.ids), bool)])
        alive[nodes] = True
    return AnnIndex(embeddings, sides, index.efforts, _after(index, len(nodes)), alive)


def deleted(index: AnnIndex, ids: Sequence[str]) -> AnnIndex:
    """An index that never answers with these nodes; they keep their numbers and may still be asked.

    Raises:
        DataError: an id is unknown.
    """
    nodes = np.unique(index.ids.encode(list(ids)))
    alive = np.ones(len(index.ids), bool) if index.alive is None else index.alive.copy()
    alive[nodes] = False
    return replace(index, alive=alive, report=_after(index, len(nodes)))


def merged(old: Embeddings, changes: Embeddings) -> tuple[Embeddings, np.ndarray]:
    """The embeddings after ``changes``, and the nodes that these are, int64 in their order.

    Example:
        >>> one, two = np.ones((1, 1), np.float32), np.full((2, 1), 2, np.float32)
        >>> both, nodes = merged(Embeddings(IdMap(["a"]), one, one), Embeddings(IdMap(["b", "a"]), two, two))
        >>> both.ids.decode(nodes), both.source.ravel().tolist()
        (['b', 'a'], [2.0, 2.0])
    """
    nodes = old.ids.encode(changes.ids.array, missing="mark")
    fresh = nodes == MISSING
    ids = old.ids
    if fresh.any():
        nodes[fresh] = len(old.ids) + np.arange(fresh.sum())
        added = changes.ids.array.filter(pa.array(fresh))
        ids = IdMap(pa.chunked_array([old.ids.array, added]))
    arrays = {}
    for name in ("source", "target", "bias"):
        before, given = getattr(old, name), getattr(changes, name)
        grown = np.empty((len(ids), *before.shape[1:]), np.float32)
        grown[: len(before)] = before
        grown[nodes] = given
        arrays[name] = grown
    return Embeddings(ids, **arrays, info=old.info), nodes


def _after(index: AnnIndex, count: int) -> IndexReport:
    """The report after ``count`` changes: what was measured holds no longer."""
    share = count / max(1, len(index.ids))
    return replace(index.report, changed=index.report.changed + share, recall={}, queries=0)


def _side(side: Side, role: Role, embeddings: Embeddings, nodes: np.ndarray) -> Side:
    """The structure with one more row for each changed node; the rows that they had are void."""
    engine = side.engine
    before = side.node_of if len(side.node_of) else np.arange(engine.num_rows, dtype=np.int32)
    changed = np.zeros(len(embeddings.ids), bool)
    changed[nodes] = True
    node_of = np.concatenate([np.where(changed[before] & (before >= 0), MISSING, before), nodes]).astype(
        np.int32
    )
    rows = getattr(embeddings, role)[nodes]
    bias = embeddings.bias[nodes] if side.with_bias else None  # type: ignore[index]

    def widen(part: slice) -> np.ndarray:
        wide = widened(rows[part], None if bias is None else bias[part])
        return widened(wide, None, engine.width)

    return Side(engine.grown(chunks_of(rows, widen)), node_of, side.with_bias)
