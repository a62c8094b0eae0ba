"""Wrong graphs: a clear error or a stated fallback, never a silent list of what is popular."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import ConfigError, DataError, FitError, ThenceError
from thence.base.ids import IdMap
from thence.encode import Embeddings, Scorer
from thence.encode.baseline import BASELINES
from thence.encode.baseline.popularity import popularity
from thence.encode.known import is_known
from thence.encode.peer import PEERS
from thence.encode.spectral import spectral
from thence.graph import Arcs, DiGraph
from thence.index.exact import top_k
from thence.index.table import NeighborTable
from thence.train.recipes import RECIPES, fit_recipe

RING = [(i, (i + step) % 6) for i in range(6) for step in (1, 2)]
TWO_RINGS = RING + [(6 + i, 6 + (i + step) % 6) for i in range(6) for step in (1, 2)]
BOTH_WAYS = [(i, j) for i in range(6) for j in range(6) if i != j and (i + j) % 2]
POPULAR = ("popularity",)  # it is what its name says


def recipe(name: str) -> Callable[[DiGraph], Scorer]:
    few = {"steps": 2, "validate_every": 2}
    return lambda graph: fit_recipe(name, graph, train=few, seed=1)


PLAIN: dict[str, Callable[[DiGraph], Scorer]] = {**BASELINES, **PEERS, "spectral": spectral}
METHODS = {**PLAIN, **{name: recipe(name) for name in RECIPES}}


def graph_of(pairs: list[tuple[int, int]], num_nodes: int) -> DiGraph:
    return weighing(pairs, num_nodes, 1.0)


def weighing(pairs: list[tuple[int, int]], num_nodes: int, weight: float) -> DiGraph:
    source, target = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    arcs = Arcs.from_pairs(source, target, num_nodes=num_nodes, weight=np.full(len(pairs), weight))
    return DiGraph(IdMap([str(i) for i in range(num_nodes)]), {"bought_after": arcs})


REFUSED = {
    "no arcs": graph_of([], 5),
    "one node": graph_of([], 1),
    "no nodes": graph_of([], 0),
    "weights of zero": weighing(RING, 6, 0.0),
    "negative weights": weighing(RING, 6, -1.0),
}
ODD = {
    "all reciprocal": graph_of(BOTH_WAYS, 6),
    "two components": graph_of(TWO_RINGS, 12),
    "isolated node": graph_of(RING, 8),
    "a single arc": graph_of([(0, 1)], 2),
}


@pytest.mark.parametrize("graph", REFUSED)
@pytest.mark.parametrize("name", METHODS)
def test_a_graph_of_which_nothing_can_be_learned_is_refused(name: str, graph: str) -> None:
    with pytest.raises((FitError, DataError)) as caught:
        METHODS[name](REFUSED[graph])
    assert "arc" in caught.value.what and caught.value.fix


@pytest.mark.parametrize("graph", ODD)
@pytest.mark.parametrize("name", METHODS)
def test_an_odd_graph_gives_finite_scores(name: str, graph: str) -> None:
    scorer = METHODS[name](ODD[graph])
    everyone = np.arange(ODD[graph].num_nodes)
    for rows in (scorer.scores(everyone), scorer.scores_into(everyone)):
        assert (np.isfinite(rows) | np.isneginf(rows)).all()


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in POPULAR])
def test_a_method_that_counts_has_no_list_for_an_isolated_node(name: str) -> None:
    scorer = PLAIN[name](ODD["isolated node"])
    if isinstance(scorer, Embeddings):
        assert not scorer.source[7].any() and not scorer.target[7].any()
    table = NeighborTable.build(scorer, 3, name)
    for direction in ("next", "before"):
        assert not len(table.row(7, direction)[0]) or isinstance(scorer, Embeddings)
        assert len(table.row(0, direction)[0]) == 3


@pytest.mark.parametrize("name", RECIPES)
def test_a_learned_vector_of_a_node_of_which_nothing_is_known_is_zero(name: str) -> None:
    scorer = METHODS[name](ODD["isolated node"])
    if isinstance(scorer, Embeddings):
        assert not scorer.source[6:].any() and not scorer.target[6:].any()
        assert scorer.source[:6].any()


@pytest.mark.parametrize("name", METHODS)
def test_features_that_are_not_numbers_do_no_harm(name: str) -> None:
    price = [1.0, float("nan"), None, float("inf"), 5.0, 6.0]
    nodes = pa.table({"title": ["a b", "b c", None, "", "d", "a"], "price": price})
    graph = DiGraph(ODD["all reciprocal"].ids, ODD["all reciprocal"].relations, nodes)
    assert np.isfinite(METHODS[name](graph).scores(np.arange(6))).any(axis=1).all()


def test_what_a_graph_cannot_be() -> None:
    for pairs in ([(0, 0), (1, 1)], [(0, 1), (0, 1)], [(0, 9)], [(-1, 0)]):
        with pytest.raises(DataError):
            graph_of(pairs, 3)
    with pytest.raises(DataError):
        weighing([(0, 1)], 3, float("nan"))
    with pytest.raises(DataError):
        Embeddings(IdMap("ab"), np.array([[np.nan], [0.0]]), np.zeros((2, 1)))


def test_what_a_question_cannot_be() -> None:
    scorer = popularity(ODD["all reciprocal"])
    for nodes, k in (([9], 2), ([-1], 2), ([0], 0), ([0], 99)):
        with pytest.raises(ThenceError):
            top_k(scorer, nodes, k)
    with pytest.raises(DataError, match="unknown"):
        scorer.ids.index("nothing like it")
    with pytest.raises(ConfigError, match="popularity"):
        fit_recipe("popularity ", ODD["all reciprocal"])


def test_a_blank_row_of_the_catalogue_says_nothing() -> None:
    price = [None] * 6 + [float("nan"), 2.0]
    nodes = pa.table({"item_id": [str(i) for i in range(8)], "title": [None] * 6 + [" ", None], "price": price})
    graph = DiGraph(ODD["isolated node"].ids, ODD["isolated node"].relations, nodes)
    assert is_known(graph).tolist() == [True] * 6 + [False, True]
