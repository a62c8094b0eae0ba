"""Titles that are alike, what they lend, and a re-ranker that reaches what has never been sold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.encode.features import item_features
from thence.events import EventLog
from thence.graph import Arcs, DiGraph
from thence.rerank.alike import Alike, Lent
from thence.rerank.learn import RerankConfig
from thence.rerank.timely import Known, TimelyReranker

SERIES = 12
DAY = 86_400_000_000


def titles() -> pa.Table:
    """For each series two phones and a case that names it: nodes 3 s, 3 s + 1 and 3 s + 2."""
    rows = [
        row for s in range(SERIES) for row in (f"Brand{s} one phone", f"Brand{s} two phone", f"case Brand{s}")
    ]
    return pa.table({"item_id": [f"n{k:02}" for k in range(len(rows))], "title": rows})


def graph_of(pairs: list[tuple[int, int]]) -> DiGraph:
    nodes = titles()
    arcs = Arcs.from_pairs(*zip(*pairs, strict=True), num_nodes=len(nodes))
    return DiGraph(IdMap(nodes["item_id"].to_pylist()), {"same_basket": arcs}, nodes)


def test_likeness_is_the_cosine_of_the_words() -> None:
    nodes = titles()
    alike = Alike(IdMap(nodes["item_id"].to_pylist()), nodes)
    x = item_features(nodes.select(["title"])).toarray()
    np.testing.assert_allclose(alike.scores([4, 0]), x[[4, 0]] @ x.T, atol=1e-6)
    np.testing.assert_array_equal(alike.scores_into([2]), alike.scores([2]))
    changed = alike.scores([1])
    changed[:] = 9  # what is handed out is no longer the scorer's own
    np.testing.assert_allclose(alike.scores([1]), x[[1]] @ x.T, atol=1e-6)


@pytest.mark.parametrize("k", [1, 2, 99])
def test_what_is_lent_is_the_sum_over_the_most_alike(k: int) -> None:
    graph = graph_of([(0, 2), (3, 5), (4, 8), (10, 2), (2, 0)])
    alike = Alike(graph.ids, titles())
    likeness, arcs = alike.scores(np.arange(36)), graph.main.matrix().toarray()
    np.fill_diagonal(likeness, 0)
    expected = np.zeros_like(likeness)
    for i, row in enumerate(likeness):
        for lender in np.argsort(-row, kind="stable")[:k]:
            expected[i] += row[lender] * arcs[lender]
    lent = Lent(alike, graph.main, k)
    clear = [i for i in range(36) if k >= 36 or np.sort(likeness[i])[-k] > np.sort(likeness[i])[-k - 1] + 1e-6]
    assert len(clear) > 5  # ties are left out
    np.testing.assert_allclose(lent.scores(clear), expected[clear], atol=1e-5)
    np.testing.assert_allclose(lent.scores_into(np.arange(36))[:, clear], expected.T[:, clear], atol=1e-5)


def known(pairs: list[tuple[int, int]], until: int, after: Arcs | None = None, *, on: bool = True) -> Known:
    rows = {"timestamp": [0], "user_id": ["u"], "item_id": ["n00"], "event": ["purchase"], "order_id": ["a"]}
    log = EventLog.from_tables(pa.table(rows), titles())
    return Known(graph_of(pairs), log.before(until), after=after, titles=on)


def test_titles_find_the_case_of_a_phone_that_was_never_sold() -> None:
    """Half of the series teach that a phone leads to the case that names it; the others have no arcs."""
    sold, new = range(SERIES // 2), range(SERIES // 2, SERIES)
    first = [(3 * s, 3 * s + 2) for s in range(SERIES // 3)]
    every = [(3 * s, 3 * s + 2) for s in sold]
    came = Arcs.from_pairs(*zip(*[(3 * s + 1, 3 * s + 2) for s in sold], strict=True), num_nodes=36)
    config = RerankConfig(candidates=8, negatives=1.0, trees=30)
    reached = {}
    for on in (True, False):
        lesson = known(first, DAY, came, on=on)
        ranker = TimelyReranker.fit(known(every, 2 * DAY, on=on), [lesson], config)
        best = ranker.scores([3 * s + 1 for s in new])
        best[np.arange(len(new)), [3 * s + 1 for s in new]] = -np.inf
        top = np.argsort(-best, axis=1)[:, :2]
        reached[on] = np.mean([3 * s + 2 in row for s, row in zip(new, top, strict=True)])
    assert reached[True] == 1.0 and reached[False] < 0.5


def test_a_catalogue_without_titles_is_refused() -> None:
    graph = graph_of([(0, 2)])
    bare = DiGraph(graph.ids, dict(graph.relations))
    with pytest.raises(DataError, match="no titles"):
        Known(bare, known([(0, 2)], DAY).log, titles=True)
