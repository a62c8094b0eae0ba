"""What a graph gives to learn from, and of which nodes it says nothing at all.

A method that is asked of a node without arcs and without features has nothing to go by but how popular the
others are. Vectors of such nodes are zero in both roles, so that whoever answers can see it and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import FitError
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.graph import DiGraph

NO_FEATURES = ("item_id", "count", "first_time", "last_time")


def check_fittable(graph: DiGraph) -> None:
    """Refuse a graph of which nothing can be learned.

    Raises:
        FitError: its main relation has no arcs, a negative weight, or no weight above 0.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> check_fittable(DiGraph(IdMap("a"), {"bought_after": Arcs.from_pairs([], [], num_nodes=1)}))
        Traceback (most recent call last):
        thence.base.errors.FitError: the main relation has no arcs ... Lower min_count or min_support.
    """
    weight = graph.main.weight
    if not len(weight):
        raise FitError(
            "the main relation has no arcs", where=repr(graph), fix="Lower min_count or min_support."
        )
    if (weight < 0).any():
        raise FitError(
            f"{int((weight < 0).sum())} arcs have a negative weight", where=repr(graph), fix="Drop these arcs."
        )
    if not (weight > 0).any():
        raise FitError("no arc has a weight above 0", where=repr(graph), fix="Give weights above 0.")


def checked(methods: Mapping[str, Callable[..., Scorer]]) -> dict[str, Callable[..., Scorer]]:
    """The same methods, each of which refuses a graph of which nothing can be learned.

    Embeddings that they give are zero where nothing is known (:func:`forget_unknown`).
    """
    return {name: _checked(method) for name, method in methods.items()}


def _checked(method: Callable[..., Scorer]) -> Callable[..., Scorer]:
    @wraps(method)
    def fit(graph: DiGraph, *settings: Any, **named: Any) -> Scorer:
        check_fittable(graph)
        scorer = method(graph, *settings, **named)
        return forget_unknown(scorer, graph) if isinstance(scorer, Embeddings) else scorer

    return fit


def is_known(graph: DiGraph) -> np.ndarray:
    """``[num_nodes]`` bool: the node has an arc in some relation, or the catalogue says something of it.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=4)
        >>> nodes = pa.table({"item_id": list("abcd"), "title": [None, None, "phone", " "]})
        >>> is_known(DiGraph(IdMap("abcd"), {"bought_after": arcs}, nodes)).tolist()
        [True, True, True, False]
    """
    known = np.zeros(graph.num_nodes, bool)
    for arcs in graph.relations.values():
        known |= (arcs.out_degree + arcs.in_degree) > 0
    if graph.nodes is None or known.all():
        return known
    for name, column in zip(graph.nodes.column_names, graph.nodes.columns, strict=True):
        if name not in NO_FEATURES:
            known |= _says_something(column)
    return known


def forget_unknown(embeddings: Embeddings, graph: DiGraph) -> Embeddings:
    """The embeddings with zero vectors for nodes of which the graph says nothing.

    What training leaves there is chance: the start values of vectors that no arc has moved.
    """
    unknown = ~is_known(graph)
    if not unknown.any():
        return embeddings
    source, target = embeddings.source.copy(), embeddings.target.copy()
    source[unknown], target[unknown] = 0.0, 0.0
    return replace(embeddings, source=source, target=target)


def _says_something(column: Any) -> np.ndarray:
    """``[n]`` bool: neither null, nor blank, nor NaN."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        said = pc.not_equal(pc.utf8_trim_whitespace(column), "")
    elif pa.types.is_floating(column.type):
        said = pc.is_finite(column)
    else:
        said = pc.is_valid(column)
    return said.fill_null(False).combine_chunks().to_numpy(zero_copy_only=False).astype(bool)
