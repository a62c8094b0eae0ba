"""How good a list is, and what it takes to make it, whatever made it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.evaluate.cases import Cases
from thence.index.neighbors import Neighbors


def listed_hit_rate(found: Neighbors, cases: Cases, k: int = 10) -> float:
    """HR@k of lists: the weighted share of cases whose target is among the first k of its source's list.

        HR@k = Σ_m w_m · 1[target_m ∈ first k of source_m] / Σ_m w_m

    Args:
        found: one list a source; the targets of known arcs are left out of it.
        cases: sources and the targets that were right. A source without a list misses.
        k: how much of each list counts.

    Raises:
        ConfigError: the lists are shorter than k.
        DataError: there is nothing to judge.

    Example:
        >>> from thence.base.ids import IdMap
        >>> found = Neighbors(IdMap("abc"), np.array([0, 1]), np.array([[1], [0]]), np.array([[2.0], [1.0]]))
        >>> listed_hit_rate(found, Cases.make([0, 0, 1], [1, 2, 0], num_nodes=3), k=1).__round__(3)
        0.667
    """
    if k > found.k:
        raise ConfigError(f"HR@{k} of lists of {found.k}", fix=f"Ask for lists of at least {k}.")
    if not len(cases):
        raise DataError("there are no cases to judge on")
    row = np.full(cases.num_nodes, -1, np.int64)
    row[found.query] = np.arange(len(found.query))
    place = row[cases.source]
    hit = (found.nodes[place, :k] == cases.target[:, None]).any(axis=1) & (place >= 0)
    return float(np.average(hit, weights=cases.weight))


def listed_recall(found: Neighbors, exact: Neighbors) -> float:
    """Share of the exact lists that other lists of the same queries hold, whatever the order.

        recall@k = Σ_q |found_q ∩ exact_q| / Σ_q |exact_q|

    Raises:
        DataError: they answer other queries.

    Example:
        >>> from thence.base.ids import IdMap
        >>> ids, query, score = IdMap("abcd"), np.array([0]), np.array([[2.0, 1.0]])
        >>> exact = Neighbors(ids, query, np.array([[1, 2]]), score)
        >>> listed_recall(Neighbors(ids, query, np.array([[2, 3]]), score), exact)
        0.5
    """
    if not np.array_equal(found.query, exact.query):
        raise DataError("the two lists answer other queries")
    held = (exact.nodes[:, :, None] == found.nodes[:, None, :]).any(axis=2) & (exact.nodes >= 0)
    return float(held.sum() / max(1, exact.counts.sum()))


def cpu_micros(call: Callable[[], object], count: int, *, repeats: int = 5) -> float:
    """CPU time of a call, of all its threads, over ``count``: the median of ``repeats``, µs.

    It is called once before, so that nothing is compiled or loaded on the clock.

    Example:
        >>> cpu_micros(lambda: sum(range(1000)), count=1) > 0
        True
    """
    call()
    spent = []
    for _ in range(repeats):
        begun = time.process_time()
        call()
        spent.append(time.process_time() - begun)
    return float(np.median(spent)) / count * 1e6
