"""From the counts of a state to a graph: one pass over the pairs that count, in the order of the nodes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.graph.append.counted import Columns, arcs_among, merged, newest, take
from thence.graph.append.head import Head
from thence.graph.append.store import ROWS, Store
from thence.graph.append.weave import arcs_of, weave
from thence.graph.build import MIN_SUPPORT
from thence.graph.digraph import DiGraph
from thence.graph.nodes import COUNTED
from thence.graph.relation.bought_after import _ordered_pairs
from thence.graph.relation.evidence import Evidence


def assemble(head: Head, stores: dict[str, Store]) -> DiGraph:
    """The graph that the counts of a state make.

    Raises:
        DataError: no product was bought often enough.
    """
    nodes = nodes_of(head)
    ids = IdMap(nodes["item_id"])
    code = pc.index_in(ids.array, value_set=head.ids).fill_null(-1).to_numpy()
    node = np.full(len(head.ids), -1, np.int32)
    node[code[code >= 0]] = np.flatnonzero(code >= 0)
    relations = {}
    for name in head.config.relations:
        evidence = _evidence(name, head, stores[name], code, node)
        relations[name] = arcs_of(evidence) if evidence.directed else evidence.to_arcs()
    return DiGraph(ids, relations, nodes, info=origin(head))


def origin(head: Head) -> dict[str, Any]:
    """What a graph keeps of where it came from."""
    first, last = head.span
    seen = {"fingerprint": head.fingerprint, "events": head.totals["events"], "first": first, "last": last}
    return {
        "log": seen | {"start": head.clock[0], "until": head.clock[1]},
        "config": asdict(head.config) | {"relations": list(head.config.relations)},
    }


def nodes_of(head: Head) -> pa.Table:
    """The table of nodes, ordered by item id: figures of purchases beside the catalogue's columns."""
    count, catalogue = head.items["count"], head.catalogue
    warm = head.config.include_cold
    ids: Any = head.ids.filter(pa.array(count >= (1 if warm else head.config.min_count)))
    if warm and catalogue is not None:
        ids = pc.unique(pa.concat_arrays([ids, *catalogue["item_id"].chunks]))
    ids = ids.take(pc.sort_indices(ids))
    if not len(ids) or int(count.max(initial=0)) < head.config.min_count:
        times = "once" if head.config.min_count == 1 else f"{head.config.min_count} times"
        raise DataError(f"no product was bought {times}", fix="Lower min_count or add purchases.")
    at = pc.index_in(ids, value_set=head.ids)
    columns: dict[str, Any] = {"item_id": ids}
    never = pc.or_kleene(pc.is_null(at), pa.array(count == 0).take(at))
    for name in COUNTED:
        figure = pa.array(head.items[name]).take(at)
        columns[name] = pc.if_else(never, pa.scalar(0 if name == "count" else None, pa.int64()), figure)
    if catalogue is not None:
        _check_once(ids, catalogue)
        found = catalogue.take(pc.index_in(ids, value_set=catalogue["item_id"]))
        for name in catalogue.column_names:
            if name != "item_id":
                columns[f"catalogue_{name}" if name in COUNTED else name] = found[name]
    return pa.table(columns)


def _check_once(ids: pa.Array, catalogue: pa.Table) -> None:
    listed = catalogue["item_id"]
    if pc.count_distinct(listed).as_py() == len(listed):
        return
    listed = listed.filter(pc.is_in(listed, value_set=ids))
    if pc.count_distinct(listed).as_py() < len(listed):
        raise DataError("a product stands in the catalogue more than once", fix="Keep one row a product.")


def _evidence(name: str, head: Head, store: Store, code: np.ndarray, node: np.ndarray) -> Evidence:
    least = head.config.min_support or MIN_SUPPORT[name]
    stands, loose = kept(store, least)
    pairs = weave(store.arcs or store.empty, stands, loose, node, head.num_sorted)

    def figure(column: str) -> np.ndarray:
        return np.where(code >= 0, head.items[column][code], 0)

    if name == "same_basket":
        return Evidence(pairs, tries=figure("tries"), hits=figure("hits"), trials=head.totals["baskets"])
    if name == "bought_after":
        n = figure("customers")
        trials = _ordered_pairs(n) / max(head.totals["followed"], 1)
        return Evidence(pairs, tries=n, hits=n, trials=trials, ordered=True)
    column, total = ("customers", "users") if name == "substitute" else ("sessions", "sessions")
    n = figure(column)
    return Evidence(pairs.mirrored(), tries=n, hits=n, trials=head.totals[total], directed=False)


def kept(store: Store, least: int) -> tuple[np.ndarray, Columns]:
    """The pairs that are arcs: which arcs of the oldest segment stand, and those of newer segments."""
    newer = merged(store.segments[1:], newest, ROWS[store.name])
    key = store.arcs["key"] if store.arcs else store.empty["key"]
    stands = np.ones(len(key), bool)
    at = np.searchsorted(key, newer["key"])
    at = at[at < len(key)]
    stands[at[key[at] == newer["key"][: len(at)]]] = False
    return stands, take(newer, arcs_among(newer, least))
